#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The statistics in debugfs are exact, and return to zero
# only: eventfs
# requires: eventfs_synthetic.ko

stats=/sys/kernel/debug/eventfs/stats

# One value of the statistics.
stat_of() { # name
	value=$(sed -n "s/^$1 //p" "$stats")
	[ -n "$value" ] || fail "no $1 in the statistics"
	echo "$value"
}

# Whether a value of the statistics is the given one.
stat_is() { # name value
	[ "$(stat_of "$1")" -eq "$2" ]
}

equal "dentries besides the root" 1 "$(stat_of dentries)"
run <<-'SCRIPT'
	stat events/sched/sched_switch/id
SCRIPT
equal "dentries on a path" 5 "$(stat_of dentries)"
equal "inodes on a path" 5 "$(stat_of inodes)"

insmod "$MODULES/eventfs_synthetic.ko"
before=$(stat_of nodes)
dirs=$(scale 5000 500)
echo "create eventfs many 0 $dirs 6" >"$MNT/synthetic/control"
equal "nodes of a tree" $((before + 1 + dirs)) "$(stat_of nodes)"

run <<-'SCRIPT'
	open d many/event_000007 r,dir
	open f many/event_000007/id r
SCRIPT
exec 3<"$MNT/many/event_000007/id" 4<"$MNT/many/event_000007"
equal "open directories" 1 "$(stat_of open_dirs)"
equal "open files of modules" 1 "$(stat_of open_client_files)"
echo "remove eventfs many" >"$MNT/synthetic/control"
equal "nodes after the removal" "$before" "$(stat_of nodes)"
equal "open files of modules after the removal" 0 "$(stat_of open_client_files)"
# The open directory and its parent.
eventually stat_is nodes_pending 0 || fail "nodes wait for ever"
equal "removed nodes in use" 2 "$(stat_of nodes_removed)"
exec 3<&- 4<&-
equal "open directories after the close" 0 "$(stat_of open_dirs)"
# The last user drops their unhashed dentries, and the nodes follow a grace
# period later.
eventually stat_is nodes_removed 0 || fail "removed nodes are still in use: $(cat "$stats")"
eventually stat_is nodes_pending 0 || fail "nodes wait for ever"

rmmod eventfs_synthetic
umount "$MNT"
equal "dentries after the unmount" 0 "$(stat_of dentries)"
equal "inodes after the unmount" 0 "$(stat_of inodes)"
rmmod rust_eventfs
[ ! -e "$stats" ] || fail "the statistics outlive the module"
