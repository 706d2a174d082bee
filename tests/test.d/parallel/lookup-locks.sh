#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Cold look-ups take no lock of ours that keeps others from looking up
# only: eventfs
# requires: debug events/lock/lock_acquire eventfs_synthetic.ko

# The locks of ours that the program took since the trace was cleared. (The mutex
# is that of the kernel's own eventfs.)
taken() {
	sed -n 's/.*: lock_acquire: [0-9a-fx]* \(.*eventfs_.*\)/\1/p' "$TRACEFS/trace" |
		grep -v '^eventfs_mutex$' | sort -u
}
insmod "$MODULES/eventfs_synthetic.ko"
run <<'SCRIPT'
put synthetic/control "create eventfs locks 0 10 6"
SCRIPT
# Makes the nodes of the events, and what readers have for each of the locks.
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
equal "the locks of a look-up" "read eventfs_srcu" "$found"
# It would have been seen.
echo "$added" | grep -q '^eventfs_tree_lock$' || fail "additions take no lock: $added"
run <<'SCRIPT'
put synthetic/control "remove eventfs locks"
put synthetic/control "remove eventfs others"
SCRIPT
rmmod eventfs_synthetic
