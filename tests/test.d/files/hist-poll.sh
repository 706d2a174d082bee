#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: poll on hist wakes up when its event is hit
# requires: events/sched/sched_switch/hist

run <<'SCRIPT'
append kprobe_events "p:polled/mask __x64_sys_umask\n"
put events/polled/mask/trigger "hist:keys=common_pid"
open h events/polled/mask/hist r
readall h
poll h in 0 => timeout
start waiter poll h in 10000
finish waiter 50 => timeout
hit 1
finish waiter 10000 =~ in
SCRIPT
