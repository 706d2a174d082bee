#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: All mounts show one tree
mount_at "$TMP/two"
evt run <<SCRIPT
let dev stat $MNT dev
stat $TMP/two dev => %{dev}
let ino stat $MNT/events/sched ino
stat $TMP/two/events/sched ino => %{ino}

append $TMP/two/kprobe_events "p:shared/one $PROBED\n"
access $MNT/events/shared/one/format
access $TMP/two/events/shared/one/format
append $MNT/kprobe_events "-:shared/one\n"
access $MNT/events/shared => ENOENT
access $TMP/two/events/shared => ENOENT

chmod $TMP/two/events/sched/enable 600
stat $MNT/events/sched/enable mode => 600
chmod $MNT/events/sched/enable 640
stat $TMP/two/events/sched/enable mode => 640
SCRIPT

# The options of a second mount act as those of a remount, as on tracefs.
mount_at "$TMP/three" mode=755,gid=5
for where in "$MNT" "$TMP/two" "$TMP/three"; do
	evt run <<-SCRIPT
		stat $where uid gid mode => 0 5 755
		stat $where/events/irq/enable uid gid mode => 0 5 640
	SCRIPT
	equal "options shown of $where" gid=5,mode=755 "$(mount_options "$where")"
done

# The first mount may be unmounted before the others.
umount "$MNT"
cat "$TMP/three/events/sched/sched_switch/format" >/dev/null
umount "$TMP/three"
cat "$TMP/two/events/sched/sched_switch/format" >/dev/null
