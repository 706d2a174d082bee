#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Nothing but errors comes of what a user tries, whom the files belong to or not
# order: last
# timeout: 120

# shellcheck source=tests/fuzz/common
. "$TESTS/fuzz/common"
fuzz user
remount_as 1000
fuzz user
