#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Unused dentries and inodes are evicted: a listing leaves no memory in use
# listings: both
# only: eventfs

# One system is enough on the slow kernels.
find "$MNT/$(scale . events/sched)" >/dev/null
full=$(figure /proc/sys/fs/dentry-state)
full_inodes=$(slab_active eventfs_inode_cache)
drop_caches
drop_caches
usleep 200000
left=$(dentries)
left_inodes=$(slab_active eventfs_inode_cache)
at_least "evicted dentries" 150 $((full - left))
at_least "inodes after the listing" 150 "$full_inodes"
at_most "remaining inodes" 50 "$left_inodes"
