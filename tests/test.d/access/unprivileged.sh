#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A user without rights gets the same results as on tracefs

run <<'SCRIPT'
chdir /
user 1000 1000
access /tmp
SCRIPT

# A private tree, one readable by all, and one owned by the user.
for options in uid=0,gid=0,mode=700 uid=0,gid=0,mode=755 uid=0,gid=1000,mode=755 \
	uid=1000,gid=0,mode=700; do
	evt run <<-SCRIPT
		remount $MNT "$options"
		remount $TRACEFS "$options"
		store $TRACEFS/kprobe_events "p:user/one $PROBED\n"
		# On tracefs, groups are owned by root until a remount.
		remount $TRACEFS "$options"
		remount $MNT "$options"
	SCRIPT
	same <<-'SCRIPT'
		user 1000 1000
		access .
		access . r
		access . x
		access events
		access events rx
		access events w
		ls events/sched/sched_switch
		stat tracing_on mode uid gid
		stat events/sched/enable mode uid gid
		cat tracing_on
		cat events/sched/sched_switch/format
		cat events/sched/sched_switch/enable
		open f events/sched/sched_switch/enable rw
		open f events/sched/sched_switch/enable w
		open f events/sched/sched_switch/filter w,trunc
		put events/sched/sched_switch/filter "prev_pid == 3"
		cat events/sched/sched_switch/filter
		put events/sched/sched_switch/filter 0
		put events/sched/enable 0
		put tracing_on 1
		put trace_marker "hello"
		truncate trace
		truncate set_event
		cat kprobe_events
		append kprobe_events "p:user/two __x64_sys_umask\n"
		append kprobe_events "-:user/two\n"
		append kprobe_events "-:user/nothing\n"
		truncate kprobe_events
		append kprobe_events "p:user/one __x64_sys_umask\n"
		open p trace_pipe r,nonblock
		chmod tracing_on 640
		chmod events/sched/enable 640
		chmod events 755
		chown events/sched/enable 1000 -
		chown events/sched/enable 0 -
		mkdir events/x
		unlink tracing_on
		rename tracing_on x
		open f x w,creat
		link tracing_on x
	SCRIPT
done
evt run <<SCRIPT
remount $TRACEFS "uid=0,gid=0,mode=700"
SCRIPT
