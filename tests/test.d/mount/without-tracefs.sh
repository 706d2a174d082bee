#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The tree works on a system where tracefs is not mounted
# only: eventfs

trap 'mount -t tracefs nodev "$TRACEFS"' EXIT
umount "$TRACEFS"
lacks "mounts" " tracefs " "$(cat /proc/mounts)"
run <<SCRIPT
append kprobe_events "p:alone/one $PROBED\n"
ls events/alone/one =~ enable format
put events/alone/one/enable 1
hit 1
cat trace =~ "one: ($PROBED"
put events/alone/one/enable 0
append kprobe_events "-:alone/one\n"
access events/alone => ENOENT
SCRIPT
# Again after unloading.
umount "$MNT"
rmmod rust_eventfs
insmod "$MODULE"
mount -t eventfs nodev "$MNT"
[ -e "$MNT/events/sched/sched_switch/format" ]
# The module adds no mount of tracefs that others can see.
lacks "mounts" " tracefs " "$(cat /proc/mounts)"
umount "$MNT"
