#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A task that polls a file of a removed event does not wait for ever
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
		# The result may be any, but it comes soon.
		finish waiter 5000
		poll hist in 1000
		close hist
	SCRIPT
done
