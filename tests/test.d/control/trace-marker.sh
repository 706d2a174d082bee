#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Text written to trace_marker is in the trace

same <<'SCRIPT'
put trace_marker "a line\n" => 7
put trace_marker "" => 0
put trace_marker "\0zero" => 5
open m trace_marker w
write m "another" => 7
writev m "one half, " "the other" => 19
pwrite m "somewhere" 100
seek m 5 set
writemany m x 10000
read m 10 => EBADF
close m
open m trace_marker rw
read m 10 => EINVAL
close m
open m trace_marker w,append => ok
write m "appended" => 8
close m
truncate trace_marker
cat trace_marker => EINVAL
SCRIPT
run <<'SCRIPT'
cat trace =~ "tracing_mark_write: a line" "another" "appended" "one half"
SCRIPT

# The marker event has triggers of its own.
run <<'SCRIPT'
truncate trace
put events/ftrace/print/trigger "traceoff"
put trace_marker "the last one"
cat tracing_on => 0
put events/ftrace/print/trigger "!traceoff"
put tracing_on 1
SCRIPT
