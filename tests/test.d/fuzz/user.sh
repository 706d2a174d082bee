#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Nothing but errors comes of what a user tries, whom the files belong to or not
# requires: eventfs_client_c.ko eventfs_client_rust.ko eventfs_synthetic.ko
# order: last
# timeout: 120

# shellcheck source=tests/test.d/fuzz/common
. "$TESTS/test.d/fuzz/common"
publish
fuzz user
remount_as 1000
fuzz user
