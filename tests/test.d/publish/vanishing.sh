#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A directory that is removed during a look-up in it is not found and not kept
# upstream: U04 U10
# only: eventfs
# requires: eventfs_vanishing.ko /sys/kernel/debug

removed() {
	grep -q '^nodes_removed 0$' /sys/kernel/debug/eventfs/stats
}
for look in "access vanishing/here => ENOENT" "stat vanishing/here type => ENOENT" \
	"open f vanishing/here r => ENOENT" "ls vanishing =| ENOENT -"; do
	insmod "$MODULES/eventfs_vanishing.ko"
	run <<-SCRIPT
		$look
		access vanishing => ENOENT
		rmmod eventfs_vanishing
	SCRIPT
	equal "last message of the module" "asked for 1 times, released in time" \
		"$(module_said eventfs_vanishing)"
	# It has no user, so it is released without an eviction.
	eventually removed || fail "a removed node is kept: $(cat /sys/kernel/debug/eventfs/stats)"
done

# A path walk that restarts with ESTALE, and then meets a removal again, finds
# no name: the caller does not get ESTALE.
for look in "access vanishing/here => ENOENT" "stat vanishing/here type => ENOENT" \
	"open f vanishing/here r => ENOENT"; do
	insmod "$MODULES/eventfs_vanishing.ko" again=1
	run <<-SCRIPT
		$look
		access vanishing
		rmmod eventfs_vanishing
	SCRIPT
	equal "last message of the module" "asked for 2 times, released in time" \
		"$(module_said eventfs_vanishing)"
done
