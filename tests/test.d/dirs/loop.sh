#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Repeated opens and listings of directories leave nothing behind
# listings: both
# upstream: U03 U07 U20

run <<SCRIPT
repeat 3
ls events/sched
ls events/irq
end
SCRIPT
count_cached
run <<SCRIPT
repeat $(scale 300 100)
open d events/sched r,dir
getdents d 200
close d
ls events/irq
ls events/irq/irq_handler_entry
stat events/irq/irq_handler_entry/format type mode nlink => file 440 1
stat events/irq/irq_handler_entry type mode nlink => dir 755 1
end
# After each eviction, new inodes of all kinds have the right attributes.
repeat $(scale 10 3)
drop_caches
count events/$(scale syscalls irq)
stat events/sched/enable type mode nlink => file 640 1
stat events/sched type mode nlink => dir 755 1
stat kprobe_events type mode nlink => file 640 1
cat events/irq/irq_handler_entry/format =~ "name: irq_handler_entry"
cat events/irq/irq_handler_entry/enable => 0
ls events/irq/irq_handler_entry =~ format enable
end
SCRIPT
nothing_leaked 20
