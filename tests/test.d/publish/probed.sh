#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The directories that a module leaves are removed before the kernel dismantles the module
# upstream: U12
# only: eventfs
# requires: eventfs_careless.ko kprobe_events
# mount: no
# timeout: 120

# Puts a probe into a release function, behind the address that ftrace uses at
# its beginning, so that it is a breakpoint. While a module is unloaded, the
# kernel forgets the probe and leaves the breakpoint.
probe() {
	for offset in 9 10 11 12 13 14 15 16 17 18 19 20; do
		if echo "p:eventfs_test/noted eventfs_careless:noted+$offset" \
			>"$TRACEFS/kprobe_events" 2>/dev/null; then
			return
		fi
	done
	fail "no offset in eventfs_careless can be probed"
}

loaded || insmod "$MODULE"
for round in 1 2 3; do
	insmod "$MODULES/eventfs_careless.ko" forget=1
	probe
	echo 1 >"$TRACEFS/events/eventfs_test/noted/enable"
	echo >"$TRACEFS/trace"
	rmmod eventfs_careless
	equal "hits of the probe" 4 "$(grep -c ' noted: ' "$TRACEFS/trace")"
	equal "releases" $((round * 4)) "$(kernel_log | grep -c 'eventfs_careless: released')"
	echo 0 >"$TRACEFS/events/eventfs_test/noted/enable"
	echo >"$TRACEFS/kprobe_events"
done
rmmod rust_eventfs
