#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Random calls by a user, as owner of the files or not, do nothing but fail or have a harmless effect
# requires: eventfs_client_c.ko eventfs_client_rust.ko eventfs_synthetic.ko
# order: last
# timeout: 120

# shellcheck source=tests/test.d/fuzz/common
. "$TESTS/test.d/fuzz/common"
publish
fuzz user
remount_as 1000
fuzz user
