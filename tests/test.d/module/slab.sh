#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Inodes are allocated from their own slab cache and freed to it
# only: eventfs

grep -q '^eventfs_inode_cache ' /proc/slabinfo || fail "no eventfs_inode_cache"
drop_caches
few=$(slab_active eventfs_inode_cache)
find "$MNT/$(scale events events/sched)" -perm 7777
many=$(slab_active eventfs_inode_cache)
at_least "inodes after a walk" $((few + 150)) "$many"
back() {
	drop_caches
	[ "$(slab_active eventfs_inode_cache)" -le $((few + 20)) ]
}
eventually back || fail "$(slab_active eventfs_inode_cache) inodes remain, $few before"
umount "$MNT"
none() {
	[ "$(slab_active eventfs_inode_cache)" = 0 ]
}
eventually none || fail "$(slab_active eventfs_inode_cache) inodes outlive the mount"
