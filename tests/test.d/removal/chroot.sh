#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Directories that are the root of a process can be removed
# upstream: U25

run <<SCRIPT
append kprobe_events "p:jail/in $PROBED\n"
SCRIPT
# One process has its root in the event's directory, one in the group's.
for dir in in .; do
	evt run >>log 2>&1 <<-SCRIPT &
		open out $TMP r,dir
		chdir $MNT/events/jail/$dir
		chroot .
		access /enable
		open d / r,dir
		openat ready out ready$dir w,creat
		until 30000 ENOENT access /enable => ok
		access / ??
		chdir / ??
		access enable => ENOENT
		access .. ??
		ls / ??
		openat f d enable r =| ENOENT ENODEV
	SCRIPT
	echo $! >>pids
done
ready() {
	[ -e readyin ] && [ -e ready. ]
}
eventually ready || fail "chroot failed: $(cat log)"
echo -:jail/in >>"$MNT/kprobe_events"
[ ! -e "$MNT/events/jail" ]
while read -r pid; do
	wait "$pid" || fail "in the chroot: $(cat log)"
done <pids
