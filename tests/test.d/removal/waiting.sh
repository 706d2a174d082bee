#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Who waits for an event that is removed is not left waiting
# upstream: U12
# requires: events/sched/sched_switch/hist

for by in "$MNT" "$TRACEFS"; do
	run <<-SCRIPT
		append kprobe_events "p:waiting/one $PROBED\n"
		open hist events/waiting/one/hist r
		readall hist ??
		start waiter poll hist in 20000
		finish waiter 50 => timeout
		append $by/kprobe_events "-:waiting/one\n"
		access events/waiting => ENOENT
		# Whatever it is told, it is told soon.
		finish waiter 5000
		poll hist in 1000
		close hist
	SCRIPT
done
