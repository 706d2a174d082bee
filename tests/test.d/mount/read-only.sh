#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A read-only mount permits no write
mkdir bound
evt run <<SCRIPT
bind $MNT $TMP/bound
SCRIPT
mount -o remount,bind,ro "$TMP/bound"
run <<SCRIPT
chdir $TMP/bound
cat tracing_on => 1
open f tracing_on r
open f tracing_on rw => EROFS
open f events/sched/sched_switch/enable w => EROFS
put kprobe_events "p:read/only $PROBED\n" => EROFS
truncate trace => EROFS
chmod tracing_on 644 => EROFS
chown events/sched 5 5 => EROFS
utimes events/sched 5 => EROFS
access events w => EROFS
access tracing_on w => EROFS
ls events =~ sched
# Changes through another mount are visible.
append $MNT/kprobe_events "p:read/write $PROBED\n"
access events/read/write/format
put events/read/write/enable 1 => EROFS
append $MNT/kprobe_events "-:read/write\n"
access events/read => ENOENT
chdir /
SCRIPT
umount "$TMP/bound"

# A read-only super block and a writable mount, and back.
try() { # directory of a mount
	evt run -v <<-SCRIPT | sed "s|$1|DIR|g"
		cat $1/tracing_on ??
		open f $1/tracing_on rw ??
		chmod $1/tracing_on 640 ??
	SCRIPT
}
mount -o remount,ro "$MNT"
try "$MNT"
[ "$(try "$MNT" | grep -c EROFS)" = 2 ] || fail "a write to a read-only file system succeeded"
mount -o remount,rw "$MNT"
[ "$(try "$MNT" | grep -c EROFS)" = 0 ] || fail "a write to a writable file system failed"
