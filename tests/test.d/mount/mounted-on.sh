#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Other file systems can be mounted on directories and files of the tree
: >file
echo other >file
evt run <<SCRIPT
chdir $MNT
mount none events/sched tmpfs ""
ls events/sched => -
bind $TMP/file events/irq/enable
cat events/irq/enable => other
ls events =~ sched irq
drop_caches
ls events/sched => -
cat events/irq/enable => other
stat events type nlink => dir 1
chdir /
umount $MNT => EBUSY
umount $MNT/events/sched
umount $MNT/events/irq/enable
cat $MNT/events/irq/enable => 0
access $MNT/events/sched/sched_switch/enable
SCRIPT
