#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Who walks over all inodes does not stumble over those that are evicted
# upstream: U28
# only: eventfs

# An inode that is taken off the list leads back to itself: who stands on it
# without the lock never gets away.
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
