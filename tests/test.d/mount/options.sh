#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: uid=, gid= and mode= apply to the root, and are shown if not default
# only: eventfs
# mount: no

insmod "$MODULE" || loaded

try() { # options shown uid gid mode
	mount_at "$MNT" "$1"
	equal "options shown for $1" "$2" "$(mount_options "$MNT")"
	run <<-SCRIPT
		stat . uid gid mode => $3 $4 $5
		stat events uid gid mode => $3 $4 755
		stat events/sched/sched_switch/id uid gid mode => $3 $4 440
	SCRIPT
	umount "$MNT"
}

# Each mount starts with the defaults, not with the options of an earlier one.
try mode=755 mode=755 0 0 755
try '' '' 0 0 700
try uid=1000 uid=1000 1000 0 700
try gid=100 gid=100 0 100 700
try uid=0,gid=0,mode=700 '' 0 0 700
try uid=1,gid=2,mode=1777 uid=1,gid=2,mode=1777 1 2 1777
# mode= is cut to the permission bits, and of repeated options the last one
# counts.
try mode=777777 mode=7777 0 0 7777
try uid=1,mode=711,uid=3,mode=701 uid=3,mode=701 3 0 701
try uid=4294967294 uid=4294967294 4294967294 0 700
try mode=0 mode=0 0 0 0
try readdir=metadata readdir=metadata 0 0 700
try readdir=dentries '' 0 0 700
try readdir=metadata,uid=1 uid=1,readdir=metadata 1 0 700
