#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Nothing but errors comes of what root writes, asks and mounts without sense
# requires: eventfs_client_c.ko eventfs_client_rust.ko eventfs_synthetic.ko
# order: last
# timeout: 120

# shellcheck source=tests/test.d/fuzz/common
. "$TESTS/test.d/fuzz/common"
publish
fuzz root
