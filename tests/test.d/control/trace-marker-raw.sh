#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Bytes written to trace_marker_raw are in the trace unchanged
# requires: trace_marker_raw

same <<'SCRIPT'
open m trace_marker_raw w
writehex m 12 34 56 78 9a => 5
writehex m 12 34 56 => EINVAL
write m ""
writemany m x 10000
seek m 0 set
close m
cat trace_marker_raw => EINVAL
SCRIPT
run <<'SCRIPT'
cat trace =~ "# 78563412 buf: 9a"
SCRIPT
