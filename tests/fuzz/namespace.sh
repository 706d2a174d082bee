#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Root of a user name space gets no further than the user that he is
# order: last
# timeout: 120

# shellcheck source=tests/fuzz/common
. "$TESTS/fuzz/common"
fuzz namespace
remount_as 1000
fuzz namespace
