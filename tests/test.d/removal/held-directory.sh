#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Events are added and removed with the directory open, as cwd, and held by O_PATH
# listings: both
# upstream: U02 U03 U25
# timeout: 120

rounds=$(scale 150 50)
count_cached
run <<SCRIPT
repeat $rounds
append kprobe_events "p:held $PROBED\n"
open d events/kprobes/held r,dir
getdents d 100
append kprobe_events "-:held\n"
access events/kprobes/held => ENOENT
close d

append kprobe_events "p:held $PROBED\n"
chdir events/kprobes/held
append ../../../kprobe_events "-:held\n"
access enable => ENOENT
access $MNT/events/kprobes/held => ENOENT
chdir $MNT

append kprobe_events "p:held $PROBED\n"
open p events/kprobes/held r,path
append kprobe_events "-:held\n"
openat f p enable r => ENOENT
access events/kprobes/held => ENOENT
close p
end
SCRIPT
echo "$rounds rounds"
nothing_leaked 20
