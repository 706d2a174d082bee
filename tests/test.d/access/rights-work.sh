#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A user with rights on a file can use it, down to the kernel

run <<'SCRIPT'
chmod . 755
chown events/sched/sched_switch/filter 1000 -
chmod events/sched/sched_switch/format 444
chmod trace 644
chown kprobe_events 1000 -
user 1000 1000
put events/sched/sched_switch/filter "prev_pid == 5"
cat events/sched/sched_switch/filter => "prev_pid == 5\n"
put events/sched/sched_switch/filter 0
cat events/sched/sched_switch/format =~ "name: sched_switch"
put events/sched/sched_switch/format x => EACCES
cat trace =~ "# tracer: nop"
put trace x => EACCES
append kprobe_events "p:by/user __x64_sys_umask\n"
access events/by/user
put events/by/user/enable 1 => EACCES
append kprobe_events "-:by/user\n"
access events/by => ENOENT
cat set_event => EACCES
SCRIPT
run <<'SCRIPT'
chmod events/sched/sched_switch/format 440
chmod trace 640
SCRIPT
