#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: trace is read at any position, and a write clears it

run <<'SCRIPT'
put trace_marker "first line"
put trace_marker "second line"
cat trace =~ "# tracer: nop" "entries-in-buffer/entries-written: 2/2" "first line" "second line"
open t trace r
read t 9 => "# tracer:"
read t 5 => " nop\n"
seek t 2 set => 2
read t 7 => "tracer:"
seek t -7 cur => 2
seek t 0 end => EINVAL
pread t 6 2 => "tracer"
seek t 0 set
readall t =~ "second line"
read t 10 => EOF
close t
# O_TRUNC clears the trace, and O_APPEND does not.
open t trace w,append
close t
cat trace =~ "first line"
truncate trace
cat trace !~ "first line"
put trace_marker "third line"
cat trace =~ "third line"
put trace "" => 0
cat trace =~ "third line"
store trace "anything" => 8
cat trace !~ "third line"
SCRIPT
# The same through a shell.
echo hello >"$MNT/trace_marker"
grep -q "tracing_mark_write: hello" "$MNT/trace"
echo >"$MNT/trace"
fails grep -q "tracing_mark_write: hello" "$MNT/trace"
tail -n 1 "$MNT/trace" | grep -q '^#'
