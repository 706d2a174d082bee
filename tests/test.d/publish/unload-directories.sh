#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A module can be unloaded while its directories are open, a cwd, or bind-mounted
# only: eventfs
# requires: eventfs_client_c.ko
# timeout: 120

count_cached
mkdir bound
mount_at "$TMP/second"
rounds=$(scale 20 8)
repeated() { # what holds the directories
	insmod "$MODULES/eventfs_client_c.ko"
	run <<-SCRIPT
		put client_c/control "add a"
		put client_c/control "add b"
		open top client_c r,dir
		open queues client_c/queues r,dir
		open a client_c/queues/a r,dir
		open half client_c/queues r,dir
		open path client_c/queues/b r,path
		open event events/client_c/queues_changed r,dir
		open other $TMP/second/client_c/queues r,dir
		getdents top 4096
		getdents queues 4096
		getdents half 40
		$1
		rmmod eventfs_client_c
		access $MNT/client_c => ENOENT
		access $TMP/second/client_c => ENOENT
		listrest half 4096 ??
		listrest a 4096 ??
		listrest other 4096 ??
		openat f a length r => ENOENT
		openat f top control w => ENOENT
		openat f event count r => ENOENT
		openat f path length r => ENOENT
		fstat a type => dir
		access . ??
		access a => ENOENT
		access length => ENOENT
		ls . ??
		seek queues 0 set ??
		listrest queues 4096 =| - ". .." ENOENT ENODEV
		chdir /
		umount $TMP/bound ??
	SCRIPT
}
round=0
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	for holds in "chdir client_c" "chdir client_c/queues/a" \
		"bind client_c/queues $TMP/bound" "chdir events/client_c/queues_changed" \
		"bind $TMP client_c/queues/b"; do
		repeated "$holds"
	done
done
equal "number of complete releases" $((rounds * 5)) \
	"$(kernel_log | grep -c 'eventfs_client_c: 2 queues were made, 2 released$')"
lacks "mounts" client_c "$(cat /proc/mounts)"
umount "$TMP/second"
nothing_leaked 40
