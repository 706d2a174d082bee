#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: splice and sendfile work on the same files as on tracefs

run <<'SCRIPT'
pipe r w
put trace_marker "through a pipe"
open p trace_pipe r,nonblock
let length splice p w 4096
read r 4096 =~ "through a pipe"
splice p w 4096 => EAGAIN
put trace_marker "once more"
sendfile w p 4096
read r 4096 =~ "once more"
close p

# An event wakes a blocked splice.
open p trace_pipe r
start mover splice p w 4096
finish mover 100 => timeout
put trace_marker "at last"
finish mover 10000
read r 4096 =~ "at last"
close p

put trace_marker "kept"
open t trace r
splice t w 4096
read r 4096 =~ "# tracer: nop"
seek t 0 set
sendfile w t 14 => 14
read r 100 => "# tracer: nop\n"
close t
SCRIPT

same <<'SCRIPT'
pipe r w
open f events/sched/sched_switch/enable rw
splice f w 100
sendfile w f 100
splice r f 100
open f events/sched/sched_switch/format r
splice f w 100
open f README r
splice f w 100
sendfile w f 100
open f available_events r
splice f w 100
open f set_event r
splice f w 100
open f user_events_status r
splice f w 100
open f trace_marker w
write w "into the marker"
splice r f 100
open f kprobe_events rw
splice r f 100
SCRIPT
