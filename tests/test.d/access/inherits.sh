#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: New directories and their files inherit the owner of their parent
# upstream: U15
# only: eventfs

for drop in '' drop_caches; do
	run <<-SCRIPT
		append kprobe_events "p:inherit/old __x64_sys_umask\n"
		chown events/inherit 1000 1001
		$drop
		append kprobe_events "p:inherit/new __x64_sys_umask\n"
		stat events/inherit/new uid gid mode => 1000 1001 755
		stat events/inherit/new/enable uid gid mode => 1000 1001 640
		stat events/inherit/new/format uid gid mode => 1000 1001 440
		drop_caches
		stat events/inherit/new uid gid mode => 1000 1001 755
		stat events/inherit/new/enable uid gid mode => 1000 1001 640
		# The group is added first, so it has the owner that was set
		# then.
		chown events 5 6
		$drop
		append kprobe_events "p:later/one __x64_sys_umask\n"
		stat events/later uid gid => 5 6
		stat events/later/one uid gid => 5 6
		stat events/later/enable uid gid => 5 6
		stat events/later/one/filter uid gid => 5 6
		stat events/inherit/new uid gid => 1000 1001
		chown events 0 0
		truncate kprobe_events
	SCRIPT
done
