#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Synthetic events are added, filled by histograms and removed
# requires: synthetic_events

run <<'SCRIPT'
append synthetic_events "delay u64 usecs; u32 mask\n"
ls events/synthetic => filter enable delay
cat synthetic_events => "delay\tu64 usecs; u32 mask\n"
cat events/synthetic/delay/format =~ "field:u64 usecs" "field:u32 mask"
append kprobe_events "p:pair/in __x64_sys_umask m=+0x70(%di):u32\nr:pair/out __x64_sys_umask\n"
put events/pair/in/trigger "hist:keys=common_pid:ts0=common_timestamp.usecs,m0=m"
put events/pair/out/trigger "hist:keys=common_pid:d=common_timestamp.usecs-$ts0,m1=$m0:onmatch(pair.in).delay($d,$m1)"
put events/synthetic/delay/enable 1
hit 1
cat trace =~ "delay: usecs=" "mask=18"
# A trigger that generates the event keeps it in use.
append synthetic_events "!delay\n" => EBUSY
put events/synthetic/delay/enable 0
put events/pair/out/trigger "!hist:keys=common_pid:d=common_timestamp.usecs-$ts0,m1=$m0:onmatch(pair.in).delay($d,$m1)"
put events/pair/in/trigger "!hist:keys=common_pid:ts0=common_timestamp.usecs,m0=m"
append synthetic_events "!delay\n"
access events/synthetic => ENOENT
cat synthetic_events => EOF
SCRIPT
same <<'SCRIPT'
append synthetic_events "ok u64 a; char b[16]; char c[]\n"
append synthetic_events "ok u64 a\n"
append synthetic_events "bad nosuch a\n"
append synthetic_events "bad u64\n"
append synthetic_events "\n"
append synthetic_events "b-d u64 a\n"
append synthetic_events "!nothing\n"
append synthetic_events "s:other u64 a\n"
append synthetic_events "first u64 a\nsecond u64 a\n"
cat synthetic_events
cat dynamic_events
ls events/synthetic
cat events/synthetic/ok/enable
append synthetic_events "!ok u64 a; char b[16]; char c[]\n"
append synthetic_events "!second\n"
cat synthetic_events
truncate synthetic_events
cat synthetic_events
SCRIPT
