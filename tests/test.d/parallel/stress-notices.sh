#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The stress test fails if a name that must exist is removed, a thread is stuck, or an object is left
# only: eventfs
# timeout: 120

was=$(figure /proc/sys/vm/min_free_kbytes)
restore() {
	: >stop
	echo "$was" >/proc/sys/vm/min_free_kbytes
}
trap restore EXIT

# Another process removes events of one of the threads.
while [ ! -e stop ]; do
	evt run -C "$TRACEFS" <<-'SCRIPT'
		append kprobe_events "-:stress0_0/\n" ??
		append kprobe_events "-:stress0_1/\n" ??
		sleep 20
	SCRIPT
done &
disturber=$!
fails stress run "$MNT" --seed 1 --seconds 20 --threads 3 --scratch "$TMP/mounts" \
	--modules "$MODULES" --patience "$(scale 60 300)" 2>noticed
: >stop
wait "$disturber"
contains "message" "FAILED: seed 1 thread 0 operation " "$(cat noticed)"
evt reset "$TRACEFS" "${TMP%/*}/settings"

# Another process has a directory open all the time.
exec 3<"$MNT/events"
fails stress run "$MNT" --seed 1 --operations 20 --threads 2 --scratch "$TMP/mounts" \
	--modules "$MODULES" --patience "$(scale 20 60)" 2>noticed
exec 3<&-
contains "message" "open_dirs: 1, not 0" "$(cat noticed)"

# A patience of 0 makes any operation count as stuck.
fails stress run "$MNT" --seed 1 --seconds 20 --threads 3 --scratch "$TMP/mounts" \
	--modules "$MODULES" --patience 0 2>noticed
contains "message" "makes no progress" "$(cat noticed)"

# The stress test exits without unloading its modules then.
for module in trace_events_sample eventfs_client_rust eventfs_client_c eventfs_synthetic; do
	[ ! -d "/sys/module/$module" ] || rmmod "$module"
done
