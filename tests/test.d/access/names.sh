#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Names that cannot exist are not found, with the right error
# upstream: U16

long=$(printf '%255s' '' | tr ' ' x)
run <<SCRIPT
access events/$long => ENOENT
access events/sched/$long => ENOENT
access events/sched/sched_switch/$long => ENOENT
access events/${long}x =| ENAMETOOLONG ENOENT
access events/sched/sched_switch/${long}x =| ENAMETOOLONG ENOENT
access events/sched/enable/x => ENOTDIR
access "events/" => ok
access "events/enable/" => ENOTDIR
access "" => ENOENT
access "events/../events/./sched/../sched/sched_switch/format"
access events//sched///enable
access Events => ENOENT
access "events/sched " => ENOENT
access events/sche => ENOENT
access events/sched/sched_switc => ENOENT
access events/sched/sched_switch/enabl => ENOENT
access events/sched/sched_switch/enablee => ENOENT
access "events/sched\nenable" => ENOENT
open d events/sched r,dir
openat f d sched_switch/enable r
openat f d ../sched/enable r
openat f d ../../tracing_on r
openat f d "" r => ENOENT
openat f d nothing r => ENOENT
SCRIPT
# Repeated failed look-ups leave nothing behind.
count_cached
run <<SCRIPT
repeat $(scale 2000 300)
access events/missing_%{i} => ENOENT
access events/sched/missing_%{i} => ENOENT
end
SCRIPT
nothing_leaked 50
