#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: An event probe is added, is hit and is removed
# requires: dynamic_events events/syscalls

run <<'SCRIPT'
append dynamic_events "e:above/seen syscalls/sys_enter_umask seen=$mask:u32\n"
ls events/above/seen =~ enable format
cat events/above/seen/format =~ "seen"
put events/above/seen/enable 1
hit 1
cat trace =~ "seen: (syscalls.sys_enter_umask) seen=18"
append dynamic_events "-:above/seen\n" => EBUSY
put events/above/seen/enable 0
append dynamic_events "-:above/seen\n"
access events/above => ENOENT
append dynamic_events "e:above/bad no/such\n" =| EINVAL ENODEV
append dynamic_events "e:above/bad syscalls/sys_enter_umask x=$nosuch\n" => EINVAL
access events/above => ENOENT
SCRIPT
