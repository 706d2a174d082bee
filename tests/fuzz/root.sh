#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Nothing but errors comes of what root writes, asks and mounts without sense
# order: last
# timeout: 120

# shellcheck source=tests/fuzz/common
. "$TESTS/fuzz/common"
fuzz root
