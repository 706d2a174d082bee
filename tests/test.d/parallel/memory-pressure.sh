#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Events are added and removed while the kernel reclaims dentries and inodes
# upstream: U30
# timeout: 120

was=$(figure /proc/sys/vm/min_free_kbytes)
ratio=$(cat /proc/sys/vm/lowmem_reserve_ratio)
plenty() {
	echo "$was" >/proc/sys/vm/min_free_kbytes
}
restore() {
	plenty
	echo "$ratio" >/proc/sys/vm/lowmem_reserve_ratio
}
trap restore EXIT
scanned() {
	sed -n 's/^slabs_scanned //p' /proc/vmstat
}

# The kernel reclaims when less than 5/4 of min_free_kbytes is free. A high
# value makes it reclaim although enough memory is free. The DMA zone, which is
# all free, must not count.
shortage() {
	free=$(sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	echo $((free * 82 / 100)) >/proc/sys/vm/min_free_kbytes
}
echo 1 1 1 1 >/proc/sys/vm/lowmem_reserve_ratio

before=$(scanned)
for round in $(seq 1 "$(scale 8 3)"); do
	# Inodes to reclaim.
	plenty
	find "$MNT/$(scale events events/sched)" -perm 7777
	shortage
	find "$MNT/events/$(scale syscalls irq)" -perm 7777 &
	walker=$!
	run <<-SCRIPT
		repeat 5
		append kprobe_events "p:pressure$round/one $PROBED\np:pressure$round/two $PROBED\n"
		ls events/pressure$round/one
		ls events/$(scale syscalls sched)
		cat events/sched/sched_switch/format =~ sched_switch
		stat events/irq/irq_handler_entry/format nlink => 1
		append kprobe_events "-:pressure$round/one\n-:pressure$round/two\n"
		access events/pressure$round => ENOENT
		end
	SCRIPT
	wait "$walker"
done
at_least "objects that reclaim scanned" 300 $(($(scanned) - before))
