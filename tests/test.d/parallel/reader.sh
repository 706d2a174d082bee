#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: No inode is freed while an RCU path walk may use it
# upstream: U21
# only: eventfs
# requires: normal eventfs_reader.ko

# The debug kernel is excluded: KASAN's quarantine keeps freed objects for a
# while.

# The objects in use and those that wait for a grace period. Shrinking the cache
# first, for an exact number, would wait for one.
inodes_in_memory() {
	sed -n 's/^eventfs_inode_cache *\([0-9]*\).*/\1/p' /proc/slabinfo
}
find "$MNT" >/dev/null
full=$(inodes_in_memory)
at_least "inodes of the whole tree" 5000 "$full"
insmod "$MODULES/eventfs_reader.ko"
# The shrinkers spare recently used inodes once.
echo 2 >/proc/sys/vm/drop_caches
echo 2 >/proc/sys/vm/drop_caches
echo 2 >/proc/sys/vm/drop_caches
used=$(sed -n 's/^inodes //p' /sys/kernel/debug/eventfs/stats)
kept=$(inodes_in_memory)
equal "the reader runs" Y "$(cat /sys/module/eventfs_reader/parameters/reading)"
at_most "inodes of the super block" $((full / 2)) "$used"
at_least "inodes that the reader may use" $((full - 50)) "$kept"
echo 0 >/sys/module/eventfs_reader/parameters/reading
freed() {
	drop_caches
	[ "$(inodes_in_memory)" -lt $((full / 2)) ]
}
eventually freed
rmmod eventfs_reader
