#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Threads that look up the same cold name find the same inode
# upstream: U09
# timeout: 120

evt coldlookup "$MNT" 6 "$(scale 2000 200)"
