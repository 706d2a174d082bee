#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Directories that are somebody's root can be removed
# upstream: U25

evt run -C "$MNT" <<SCRIPT
append kprobe_events "p:jail/in $PROBED\n"
SCRIPT
# One root in the event's directory, one in the group's.
for dir in events/jail/in events/jail; do
	evt run >"log.${dir##*/}" 2>&1 <<-SCRIPT &
		open control $MNT/kprobe_events w,append
		chdir $MNT/$dir
		chroot .
		access /enable
		open d / r,dir
		sleep 700
		access /enable => ENOENT
		access / ??
		chdir / ??
		access enable => ENOENT
		access .. ??
	SCRIPT
	echo $! >>pids
done
usleep 300000
echo -:jail/in >>"$MNT/kprobe_events"
[ ! -e "$MNT/events/jail" ]
while read -r pid; do
	wait "$pid" || fail "in the chroot: $(cat log.*)"
done <pids
