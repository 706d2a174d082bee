#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: rmmod fails while the file system is in use in any way
# upstream: U27
# only: eventfs
# mount: no

loaded || insmod "$MODULE"

refused() { # why
	evt run <<-'SCRIPT' || fail "rmmod succeeds while $1"
		rmmod rust_eventfs =| EBUSY EAGAIN
	SCRIPT
	loaded || fail "the module is unloaded while $1"
}
gone() { # after what
	free() {
		[ "$(references)" = 0 ]
	}
	eventually free || fail "still in use after $1"
}

mount -t eventfs nodev "$MNT"
refused "mounted"
umount "$MNT"
gone "umount"

# A file, a directory, an O_PATH descriptor, and a cwd on a detached mount.
for what in "open x $MNT/events/sched/enable r" "open x $MNT/events r,dir" \
	"open x $MNT/trace_pipe r" "open x $MNT/events/sched/sched_switch/format r,path" \
	"chdir $MNT/events/sched"; do
	mount -t eventfs nodev "$MNT"
	evt run <<-SCRIPT
		$what
		detach $MNT
		rmmod rust_eventfs =| EBUSY EAGAIN
	SCRIPT
	gone "$what"
done

# Open statistics, without a mount.
evt run <<'SCRIPT'
open stats /sys/kernel/debug/eventfs/stats r
rmmod rust_eventfs =| EBUSY EAGAIN
read stats 5 => nodes
close stats
SCRIPT
gone "the statistics"

# A bind mount, and a mount that is not attached.
mount -t eventfs nodev "$MNT"
mkdir bound
mount -o bind "$MNT/events" bound
umount "$MNT"
refused "bound"
umount bound
gone "the bind mount"
evt run <<'SCRIPT'
fsopen c eventfs
rmmod rust_eventfs =| EBUSY EAGAIN
fscreate c
fsmount m c
close c
openat f m tracing_on r
close m
rmmod rust_eventfs =| EBUSY EAGAIN
read f 10 => "1\n"
SCRIPT
gone "the unattached mount"
rmmod rust_eventfs
