#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: What nobody uses is not kept: listing the tree costs nothing later
# listings: both
# only: eventfs

# One system is enough for the slow kernel.
find "$MNT/$(scale . events/sched)" >/dev/null
full=$(figure /proc/sys/fs/dentry-state)
full_inodes=$(slab_active eventfs_inode_cache)
drop_caches
drop_caches
usleep 200000
left=$(dentries)
left_inodes=$(slab_active eventfs_inode_cache)
at_least "dentries let go" 150 $((full - left))
at_least "inodes after the listing" 150 "$full_inodes"
at_most "inodes that stay" 50 "$left_inodes"
