#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: An open directory holds the dentries that it pinned and no others
# listings: both
# upstream: U07

count_cached
run <<SCRIPT
repeat $(scale 100 15)
append kprobe_events "p:held/a $PROBED\np:held/b $PROBED\n"
open one events/held r,dir
open two events/held r,dir
append kprobe_events "p:held/c $PROBED\n"
append kprobe_events "-:held/a\n"
access events/held/a => ENOENT
access events/held/c
open three events/held r,dir
append kprobe_events "p:held/a $PROBED\n"
close one
drop_caches
ls events/held => filter enable b c a
stat events/held/a/enable mode => 640
append kprobe_events "-:held/b\n"
close three
close two
ls events/held => filter enable c a
truncate kprobe_events
access events/held => ENOENT
end
SCRIPT
nothing_leaked 20
