#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Directories and files can be bind-mounted
mkdir dir events
: >file
evt run <<SCRIPT
bind $MNT/events/sched $TMP/dir
bind $MNT/events $TMP/events
bind $MNT/tracing_on $TMP/file
cat $TMP/file => 1
access $TMP/dir/sched_switch/format
put $TMP/dir/sched_switch/enable 1
cat $MNT/events/sched/sched_switch/enable => 1
put $TMP/dir/sched_switch/enable 0
# Events appear and vanish in the bound part of the tree as well.
append $MNT/kprobe_events "p:bound/one $PROBED\n"
ls $TMP/events/bound =~ one
ls $TMP/events/bound/one =~ enable format
append $MNT/kprobe_events "-:bound/one\n"
access $TMP/events/bound => ENOENT
ls $TMP/events !~ bound
# The rest of the tree may be unmounted before the bind mounts.
umount $MNT
cat $TMP/file => 1
access $TMP/dir/sched_waking/format
ls $TMP/events =~ sched irq
umount $TMP/file
umount $TMP/dir
umount $TMP/events
SCRIPT
