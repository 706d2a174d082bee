#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A listing from the metadata allocates no dentry and no inode
# only: eventfs
# requires: eventfs_client_c.ko

# One value of the statistics.
stat_of() { # name
	sed -n "s/^$1 //p" /sys/kernel/debug/eventfs/stats
}

insmod "$MODULES/eventfs_client_c.ko"
mount -o remount,readdir=metadata "$MNT"
run <<'SCRIPT'
ls . =~ events trace client_c
ls events =~ sched enable
ls events/sched =~ sched_switch enable filter
ls events/sched/sched_switch =~ enable filter format id
ls client_c =~ control clocks
SCRIPT
# The opened directories and the root.
equal "inodes" 5 "$(stat_of inodes)"
equal "dentries" 5 "$(stat_of dentries)"

# With readdir=dentries, an open directory pins each entry.
mount -o remount,readdir=dentries "$MNT"
run <<'SCRIPT'
open d events/sched r,dir
ls events/sched =~ sched_switch enable filter
SCRIPT
at_least "inodes" 20 "$(stat_of inodes)"
