#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The stress test fails if a name goes that must be there, a thread is stuck, or something stays
# only: eventfs
# timeout: 120

was=$(figure /proc/sys/vm/min_free_kbytes)
restore() {
	: >stop
	echo "$was" >/proc/sys/vm/min_free_kbytes
}
trap restore EXIT

# Somebody removes what belongs to one of the threads.
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
contains "what it tells" "FAILED: seed 1 thread 0 operation " "$(cat noticed)"
evt reset "$TRACEFS" "${TMP%/*}/settings"

# Somebody has a directory open all the time.
exec 3<"$MNT/events"
fails stress run "$MNT" --seed 1 --operations 20 --threads 2 --scratch "$TMP/mounts" \
	--modules "$MODULES" --patience "$(scale 20 60)" 2>noticed
exec 3<&-
contains "what it tells" "open_dirs: 1, not 0" "$(cat noticed)"

# No thread can be as fast as that.
fails stress run "$MNT" --seed 1 --seconds 20 --threads 3 --scratch "$TMP/mounts" \
	--modules "$MODULES" --patience 0 2>noticed
contains "what it tells" "makes no progress" "$(cat noticed)"

# Who ends because of that unloads nothing.
for module in trace_events_sample eventfs_client_rust eventfs_client_c eventfs_synthetic; do
	[ ! -d "/sys/module/$module" ] || rmmod "$module"
done
