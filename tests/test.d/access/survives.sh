#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Modes and owners survive the eviction of dentries
# upstream: U13

for path in events events/sched events/sched/enable events/sched/sched_switch \
	events/sched/sched_switch/enable events/sched/sched_switch/format tracing_on \
	events/enable events/irq/irq_handler_entry/trigger kprobe_events .; do
	attributes_survive "$path"
done

# With the file held open and everything around it evicted.
run <<'SCRIPT'
open f events/sched/sched_switch/enable r
open d events/sched r,dir
fchmod f 600
fchmod d 700
drop_caches
fstat f mode => 600
fstat d mode => 700
stat events/sched/sched_switch/enable mode => 600
stat events/sched mode => 700
close f
close d
drop_caches
stat events/sched/sched_switch/enable mode => 600
stat events/sched mode => 700
# The attributes of its neighbours are unchanged.
stat events/sched/sched_switch/filter mode => 640
stat events/sched/sched_waking/enable mode => 640
stat events/irq mode => 755
chmod events/sched/sched_switch/enable 640
chmod events/sched 755
SCRIPT
