#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: inject adds an event to the trace that did not happen
# requires: events/sched/sched_switch/inject

run <<'SCRIPT'
put events/sched/sched_switch/inject "next_comm=\"made up\" next_pid=4711"
cat trace =~ "sched_switch" "next_comm=made up" "next_pid=4711"
SCRIPT
same <<'SCRIPT'
put events/sched/sched_switch/inject "no_such_field=1"
put events/sched/sched_switch/inject "next_pid="
put events/sched/sched_switch/inject ""
cat events/sched/sched_switch/inject
open f events/sched/sched_switch/inject w
writemany f x 5000
seek f 0 set
close f
SCRIPT
