#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: tracing_on starts and stops tracing

run <<'SCRIPT'
cat tracing_on => "1\n"
put tracing_on 0
cat tracing_on => "0\n"
put trace_marker "unheard" => EBADF
put tracing_on 1
put trace_marker "heard" => 5
cat trace =~ "heard"
cat trace !~ "unheard"
SCRIPT
same <<'SCRIPT'
put tracing_on x
put tracing_on ""
put tracing_on 5
cat tracing_on
put tracing_on -1
put tracing_on 0
put tracing_on 1
open f tracing_on rw
writemany f 0 100
write f "1\n"
seek f 0 end
seek f 0 set
read f 1
read f 1
read f 1
SCRIPT
