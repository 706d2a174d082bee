#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Mounts are added and removed while others are in use
# timeout: 120

rounds=$(scale 60 20)
for number in 1 2 3; do
	mkdir "mount$number"
	evt run <<-SCRIPT &
		repeat $rounds
		mount nodev $TMP/mount$number $TYPE ""
		access $TMP/mount$number/events/sched/sched_switch/enable
		ls $TMP/mount$number/events/irq
		cat $TMP/mount$number/events/irq/irq_handler_entry/format =~ "name:"
		umount $TMP/mount$number
		end
	SCRIPT
	echo $! >>pids
done
# This mount is removed as well, so at times nothing is mounted.
evt run <<SCRIPT
umount $MNT
repeat $rounds
mount nodev $MNT $TYPE ""
append $MNT/kprobe_events "p:mounts/one $PROBED\n"
access $MNT/events/mounts/one
append $MNT/kprobe_events "-:mounts/one\n"
access $MNT/events/mounts => ENOENT
umount $MNT
end
SCRIPT
while read -r pid; do
	wait "$pid"
done <pids
