#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Function and tracepoint probes are added, are hit and are removed
# requires: dynamic_events

run <<'SCRIPT'
append dynamic_events "f:functions/entry __x64_sys_umask\nf:functions/exit __x64_sys_umask%return\n"
append dynamic_events "t:functions/point sched_process_exit\n"
ls events/functions => filter enable entry exit point
put events/functions/enable 1
hit 1
cat trace =~ "entry: (__x64_sys_umask" "exit: ("
put events/functions/enable 0
append dynamic_events "-:functions/entry\n-:functions/exit\n"
ls events/functions => filter enable point
append dynamic_events "-:functions/point\n"
access events/functions => ENOENT
append dynamic_events "f:functions/bad no_such_function\n" =| EINVAL ENOENT
access events/functions => ENOENT
SCRIPT
