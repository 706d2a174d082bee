#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A tracing instance has no effect on this tree

run <<SCRIPT
mkdir $TRACEFS/instances/other
put $TRACEFS/instances/other/events/sched/sched_switch/enable 1
cat events/sched/sched_switch/enable => 0
append kprobe_events "p:instance/one $PROBED\n"
access $TRACEFS/instances/other/events/instance/one/enable
put $TRACEFS/instances/other/events/instance/one/enable 1
cat events/instance/one/enable => 0
append kprobe_events "-:instance/one\n" => EBUSY
access events/instance/one/enable
put $TRACEFS/instances/other/events/instance/one/enable 0
append kprobe_events "-:instance/one\n"
access events/instance => ENOENT
rmdir $TRACEFS/instances/other
SCRIPT
evt compare -o -s "$(step)" "$TRACEFS/events" "$MNT/events"
