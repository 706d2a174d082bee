#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A remount keeps the modes and owners that users have set, except those in its options
# upstream: U14 U31

for round in cached evicted; do
	drop=
	[ "$round" = cached ] || drop=drop_caches
	run <<SCRIPT
remount . "uid=0,gid=0,mode=700"
chown events/sched/enable 5 6
chmod events/sched/enable 600
chown events/sched/sched_switch 7 8
chmod events/sched/sched_switch 711
chown tracing_on 9 10
chmod tracing_on 644
chmod . 705
$drop

remount . ""
stat . uid gid mode => 0 0 705
stat events/sched/enable uid gid mode => 5 6 600
stat events/sched/sched_switch uid gid mode => 7 8 711
stat tracing_on uid gid mode => 9 10 644

remount . "mode=755"
stat . uid gid mode => 0 0 755
stat events/sched/enable uid gid mode => 5 6 600
stat events/sched/sched_switch uid gid mode => 7 8 711
stat tracing_on uid gid mode => 9 10 644
$drop
remount . "uid=100"
stat . uid gid mode => 100 0 755
stat events/sched/enable uid gid mode => 100 6 600
stat events/sched/sched_switch uid gid mode => 100 8 711
stat tracing_on uid gid mode => 100 10 644
$drop
remount . "gid=200"
stat . uid gid mode => 100 200 755
stat events/sched/enable uid gid mode => 100 200 600
stat events/sched/sched_switch uid gid mode => 100 200 711
stat tracing_on uid gid mode => 100 200 644
chmod events/sched/enable 640
chmod events/sched/sched_switch 755
chmod tracing_on 640
SCRIPT
done
