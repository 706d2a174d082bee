#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Inode numbers, types and link counts are right in the whole tree
# listings: both
# upstream: U17 U18 U20
# only: eventfs
# timeout: 120

evt tree -s "$(step)" "$MNT"
