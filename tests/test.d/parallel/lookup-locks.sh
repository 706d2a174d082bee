#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A cold look-up takes no lock of the module that excludes other look-ups
# only: eventfs
# requires: debug events/lock/lock_acquire eventfs_synthetic.ko

# The locks of the module that the program has taken since the trace was
# cleared. eventfs_mutex is a lock of the kernel's own eventfs.
taken() {
	sed -n 's/.*: lock_acquire: [0-9a-fx]* \(.*eventfs_.*\)/\1/p' "$TRACEFS/trace" |
		grep -v '^eventfs_mutex$' | sort -u
}
insmod "$MODULES/eventfs_synthetic.ko"
run <<'SCRIPT'
put synthetic/control "create eventfs locks 0 10 6"
SCRIPT
# Creates the nodes of the events, and the state that SRCU readers and locks
# allocate at first use.
find "$MNT/locks" "$MNT/events/sched" >/dev/null
drop_caches
cd "$TRACEFS" || exit
echo 8192 >buffer_size_kb
echo 'COMM == "evt"' >events/lock/lock_acquire/filter
echo 1 >events/lock/lock_acquire/enable
echo >trace
run <<'SCRIPT'
access locks/event_000003
access locks/event_000003/id
access locks/event_000004/nothing => ENOENT
access events/sched/sched_switch/format
access events/sched/nothing => ENOENT
SCRIPT
found=$(taken)
echo >trace
run <<'SCRIPT'
put synthetic/control "create eventfs others 0 1 6"
SCRIPT
added=$(taken)
echo 0 >events/lock/lock_acquire/enable
equal "locks of a look-up" "read eventfs_srcu" "$found"
# Additions take the tree lock, so the trace shows locks at all.
echo "$added" | grep -q '^eventfs_tree_lock$' || fail "additions take no lock: $added"
run <<'SCRIPT'
put synthetic/control "remove eventfs locks"
put synthetic/control "remove eventfs others"
SCRIPT
rmmod eventfs_synthetic
