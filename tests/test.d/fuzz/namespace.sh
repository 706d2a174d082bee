#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Root of a user namespace gets no more access than its user outside
# requires: eventfs_client_c.ko eventfs_client_rust.ko eventfs_synthetic.ko
# order: last
# timeout: 120

# shellcheck source=tests/test.d/fuzz/common
. "$TESTS/test.d/fuzz/common"
publish
fuzz namespace
remount_as 1000
fuzz namespace
