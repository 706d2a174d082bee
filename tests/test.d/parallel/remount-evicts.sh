#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A walk over all inodes of a super block is safe against eviction
# upstream: U28
# only: eventfs

# An inode that is removed from the list points to itself. A walk without the
# lock that stands on it never ends.
remount() {
	run <<-'SCRIPT'
		repeat 50
		remount . "uid=%{i}"
		end
	SCRIPT
}
count() {
	evt run <<-'SCRIPT'
		repeat 500
		cat /sys/kernel/debug/eventfs/stats =~ inodes
		end
	SCRIPT
}
evict() {
	run <<-SCRIPT
		repeat 10
		ls events/$(scale syscalls sched)
		drop_caches
		end
	SCRIPT
}
start_tasks remount count evict
sleep 6
end_tasks
