#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Look-ups, eviction and removal run in parallel
# upstream: U10 U21 U30
# timeout: 120

end=$(scale 5 10)
run <<SCRIPT
append kprobe_events "p:evict/stays $PROBED\n"
SCRIPT
walk() {
	run <<-SCRIPT
		repeat 200
		access events/evict/stays/enable
		access events/evict/stays/nothing => ENOENT
		stat events/sched/sched_switch/format nlink => 1
		access events/evict/comes/enable ??
		ls events/evict =~ stays
		end
	SCRIPT
}
evict() {
	evt run <<-'SCRIPT'
		repeat 20
		drop_caches
		end
	SCRIPT
}
change() {
	run <<-SCRIPT
		repeat 20
		append kprobe_events "p:evict/comes $PROBED\n"
		access events/evict/comes/enable
		append kprobe_events "-:evict/comes\n"
		access events/evict/comes/enable => ENOENT
		end
	SCRIPT
}
start_tasks walk walk evict change
sleep "$end"
end_tasks
