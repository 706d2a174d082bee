#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Random writes, calls and mounts by root do nothing but fail or have a harmless effect
# requires: eventfs_client_c.ko eventfs_client_rust.ko eventfs_synthetic.ko
# order: last
# timeout: 120

# shellcheck source=tests/test.d/fuzz/common
. "$TESTS/test.d/fuzz/common"
publish
fuzz root
