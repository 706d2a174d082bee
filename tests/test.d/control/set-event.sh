#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: set_event enables, disables and lists events, and O_TRUNC disables all

same <<'SCRIPT'
cat set_event => EOF
append set_event "sched:sched_switch\n"
cat set_event => "sched:sched_switch\n"
cat events/sched/sched_switch/enable => 1
append set_event "irq:*"
cat set_event =~ "irq:irq_handler_entry" "sched:sched_switch"
append set_event "!irq:*\n"
append set_event "!sched:sched_switch\n"
cat set_event => EOF
append set_event "sched_waking sched_switch"
cat set_event
append set_event "no:such"
append set_event ":"
append set_event ""
open f set_event rw
read f 6
seek f 0 cur
seek f 2 set
read f 10
close f
# A shell's > clears the list.
store set_event "irq:softirq_raise"
cat set_event => "irq:softirq_raise\n"
cat events/sched/sched_waking/enable => 0
truncate set_event
cat set_event => EOF
cat events/irq/softirq_raise/enable => 0
open f set_event r,trunc
put set_event_pid 4711
cat set_event_pid
put set_event_pid x
truncate set_event_pid
cat set_event_pid
put set_event_notrace_pid 4711
cat set_event_notrace_pid
truncate set_event_notrace_pid
SCRIPT
