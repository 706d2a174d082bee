#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Positions in directories: every buffer size, seek, tell, rewind
# listings: both
# upstream: U08
# only: eventfs

# Not on tracefs, where most d_off are too large by one.
run <<SCRIPT
append kprobe_events "p:positions/a $PROBED\np:positions/quite_a_long_name_for_an_event $PROBED\n"
SCRIPT
evt positions "$MNT" "$MNT/events" "$MNT/events/sched" "$MNT/events/sched/sched_switch" \
	"$MNT/events/positions" "$MNT/events/positions/a" "$MNT/events/ftrace"
# A directory with many entries.
evt positions "$MNT/events/$(scale syscalls block)"
# With nothing cached.
drop_caches
evt positions "$MNT/events/irq"
