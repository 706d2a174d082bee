#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Directories are held here while the event is removed through the kernel's own tracefs
# upstream: U07 U12

count_cached
run <<SCRIPT
repeat $(scale 60 15)
append $TRACEFS/kprobe_events "p:theirs/one $PROBED\np:theirs/two $PROBED\n"
open d events/theirs/one r,dir
open g events/theirs r,dir
open f events/theirs/one/enable rw
chdir events/theirs/one
append $TRACEFS/kprobe_events "-:theirs/one\n"
access $MNT/events/theirs/one => ENOENT
access enable => ENOENT
write f 1 => ENODEV
ls $MNT/events/theirs => filter enable two
append $TRACEFS/kprobe_events "p:theirs/one $PROBED\n"
access $MNT/events/theirs/one/enable
access enable => ENOENT
write f 1 => ENODEV
append $TRACEFS/kprobe_events "-:theirs/one\n-:theirs/two\n"
access $MNT/events/theirs => ENOENT
chdir $MNT
close g
close f
close d
end
SCRIPT
nothing_leaked 20
