#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The directory is there, or gone, when the write returns
# upstream: U04

run <<'SCRIPT'
repeat 120
append kprobe_events "p:at_once/probe __x64_sys_umask\n"
access events/at_once/probe
access events/at_once/probe/format
append kprobe_events "-:at_once/probe\n"
access events/at_once/probe => ENOENT
access events/at_once/probe/format => ENOENT
access events/at_once => ENOENT
end
# With its directory, its group's and a file of it in the dentry cache.
repeat 80
append kprobe_events "p:at_once/probe __x64_sys_umask\np:at_once/other __x64_sys_umask\n"
ls events/at_once => filter enable probe other
ls events/at_once/probe =~ enable format
stat events/at_once/probe/enable mode => 640
append kprobe_events "-:at_once/probe\n"
access events/at_once/probe => ENOENT
access events/at_once/probe/enable => ENOENT
ls events/at_once => filter enable other
truncate kprobe_events
access events/at_once => ENOENT
ls events !~ at_once
end
SCRIPT
