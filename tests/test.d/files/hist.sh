#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Histograms are set, filled and read through the mount
# requires: events/sched/sched_switch/hist

run <<'SCRIPT'
append kprobe_events "p:counted/mask __x64_sys_umask mask=+0x70(%di):u32\n"
cat events/counted/mask/hist => EOF
put events/counted/mask/trigger "hist:keys=mask"
cat events/counted/mask/hist =~ "Hits: 0"
hit 5
cat events/counted/mask/hist =~ "mask:         18" "hitcount:          5" "Hits: 5"
open h events/counted/mask/hist r
read h 20
seek h 0 set => 0
readall h =~ "Hits: 5"
put events/counted/mask/trigger "hist:keys=mask:pause"
hit 5
cat events/counted/mask/hist =~ "Hits: 5"
put events/counted/mask/trigger "hist:keys=mask:continue"
put events/counted/mask/trigger "hist:keys=mask:clear"
cat events/counted/mask/hist =~ "Hits: 0"
put events/counted/mask/trigger "hist:keys=nothing" => EINVAL
cat error_log =~ "hist:" "nothing"
put events/counted/mask/trigger "!hist:keys=mask"
cat events/counted/mask/hist => EOF
SCRIPT

# With two keys, a value and a sort order, as on tracefs.
same <<'SCRIPT'
put events/sched/sched_switch/trigger "hist:keys=next_pid,prev_pid:vals=hitcount:sort=next_pid.descending:size=64 if prev_pid == 4711"
cat events/sched/sched_switch/trigger
cat events/sched/sched_switch/hist
put events/sched/sched_switch/trigger "!hist:keys=next_pid,prev_pid:vals=hitcount:sort=next_pid.descending:size=64"
cat events/sched/sched_switch/trigger
SCRIPT
