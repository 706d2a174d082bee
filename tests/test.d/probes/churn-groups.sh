#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Groups and events that are added again under their old names are new

run <<'SCRIPT'
repeat 20
append kprobe_events "p:again/probe __x64_sys_umask\n"
let ino stat events/again/probe ino
let id cat events/again/probe/id
stat events/again/probe nlink type => 1 dir
cat events/again/probe/enable => 0
cat events/again/probe/filter => none
put events/again/probe/filter "common_pid == 1"
put events/again/probe/enable 1
cat events/again/probe/enable => 1
put events/again/probe/enable 0
chmod events/again/probe 700
chmod events/again/probe/enable 600
append kprobe_events "-:again/probe\n"
append kprobe_events "r:again/probe __x64_sys_umask r=$retval\n"
# No state of the old event is left.
cat events/again/probe/filter => none
cat events/again/probe/format =~ "field:" "r;"
stat events/again/probe mode => 755
stat events/again/probe/enable mode => 640
append kprobe_events "-:again/probe\n"
end
SCRIPT
