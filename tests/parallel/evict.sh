#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Look-ups, eviction and removal in parallel
# upstream: U10 U21 U30
# timeout: 120

end=$(scale 5 10)
evt run -C "$MNT" <<SCRIPT
append kprobe_events "p:evict/stays $PROBED\n"
SCRIPT
walk() {
	while [ ! -e stop ]; do
		evt run -C "$MNT" <<-SCRIPT
			repeat 200
			access events/evict/stays/enable
			access events/evict/stays/nothing => ENOENT
			stat events/sched/sched_switch/format nlink => 1
			access events/evict/comes/enable ??
			ls events/evict =~ stays
			end
		SCRIPT
	done
}
evict() {
	while [ ! -e stop ]; do
		evt run <<-'SCRIPT'
			repeat 20
			drop_caches
			end
		SCRIPT
	done
}
change() {
	while [ ! -e stop ]; do
		evt run -C "$MNT" <<-SCRIPT
			repeat 20
			append kprobe_events "p:evict/comes $PROBED\n"
			access events/evict/comes/enable
			append kprobe_events "-:evict/comes\n"
			access events/evict/comes/enable => ENOENT
			end
		SCRIPT
	done
}
pids=
for task in walk walk evict change; do
	"$task" &
	pids="$pids $!"
done
sleep "$end"
: >stop
for pid in $pids; do
	wait "$pid"
done
