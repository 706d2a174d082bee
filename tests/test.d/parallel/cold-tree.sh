#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Several threads that list a directory first, at the same time, find all entries
# listings: both
# upstream: U09 U29
# only: eventfs
# mount: no
# timeout: 120

for round in $(seq "$(scale 12 4)"); do
	! loaded || rmmod rust_eventfs
	insmod "$MODULE"
	mount_at "$MNT"
	rm -f pids
	for number in 1 2 3 4; do
		evt run -C "$MNT" <<-SCRIPT >"log$number" 2>&1 &
			until 20000 ok access $TMP/go$round
			ls events =~ sched irq
			ls events/sched =~ sched_switch sched_waking
			count events/$(scale syscalls irq)
			stat events/sched/sched_switch/enable type => file
			ls . =~ events tracing_on
		SCRIPT
		echo $! >>pids
	done
	usleep 100000
	: >"go$round"
	number=0
	while read -r pid; do
		number=$((number + 1))
		wait "$pid" || fail "round $round: $(cat "log$number")"
	done <pids
	umount "$MNT"
done
