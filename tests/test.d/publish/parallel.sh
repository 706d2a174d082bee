#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Modules are loaded and unloaded while their trees are read, walked, changed and evicted
# only: eventfs
# requires: eventfs_client_c.ko
# timeout: 180

# Any of these calls may fail at any time, but none may return wrong contents,
# and all have to finish.
walk() {
	run <<-'SCRIPT'
		repeat 30
		ls client_c ??
		ls client_c/queues ??
		ls client_c/queues/a =| ENOENT ENODEV - "length limit push" "length limit push overruns"
		cat client_c/queues/a/length =| 0 1 2 3 4 ENOENT ENODEV
		cat events/client_c/queues_changed/count ??
		access client_c/nothing => ENOENT
		ls events =~ sched
		end
	SCRIPT
}
change() { # queue
	run <<-SCRIPT
		repeat 30
		put client_c/control "add $1" =| 5 ENOENT ENODEV EEXIST
		put client_c/queues/$1/push x =| 1 ENOENT ENODEV ENOSPC
		put client_c/control "remove $1" =| 8 ENOENT ENODEV
		end
	SCRIPT
}
wait_for() {
	timeout 1 cat "$MNT/client_c/wait" >/dev/null 2>&1 || true
}
evict() {
	drop_caches
	usleep 20000
}
start_tasks walk walk "change a" "change b" "change a" wait_for evict
rounds=$(scale 12 6)
round=0
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	insmod "$MODULES/eventfs_client_c.ko"
	usleep 100000
	rmmod eventfs_client_c
done
end_tasks
# Each time, all queues that were made were released.
kernel_log | sed -n 's/.*client_c: \([0-9]*\) queues were made, \([0-9]*\) released/\1 \2/p' >counts
equal "number of messages" "$rounds" "$(wc -l <counts)"
while read -r made released; do
	equal "released queues" "$made" "$released"
done <counts
run <<'SCRIPT'
access client_c => ENOENT
access events/client_c => ENOENT
SCRIPT
