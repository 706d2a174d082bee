#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A directory that is removed while a file in it is looked up is not found, and not kept
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
	equal "what the module said" "asked for 1 times, released in time" \
		"$(module_said eventfs_vanishing)"
	# Nobody uses it any more, so it is not there to be evicted, either.
	eventually removed || fail "it is kept: $(cat /sys/kernel/debug/eventfs/stats)"
done

# A path walk that is told to look again, and then meets the same once more, is
# not told a third time: the user does not see ESTALE.
for look in "access vanishing/here => ENOENT" "stat vanishing/here type => ENOENT" \
	"open f vanishing/here r => ENOENT"; do
	insmod "$MODULES/eventfs_vanishing.ko" again=1
	run <<-SCRIPT
		$look
		access vanishing
		rmmod eventfs_vanishing
	SCRIPT
	equal "what the module said" "asked for 2 times, released in time" \
		"$(module_said eventfs_vanishing)"
done
