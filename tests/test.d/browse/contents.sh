#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Every file of the events tree has the contents that it has on tracefs
# timeout: 120

# Both trees are walked in the same order, so no file is compared with a later
# state of itself. Files that cannot be read have to give the same error.
evt compare -c -s "$(step)" "$TRACEFS/events" "$MNT/events"

# Again with a probe, a filter and triggers.
evt run -C "$TRACEFS" <<'SCRIPT'
append kprobe_events "p:tree/entry __x64_sys_umask mask=+0x70(%di):u32\n"
put events/tree/entry/filter "mask == 18"
put events/tree/entry/trigger "hist:keys=mask:vals=hitcount"
put events/sched/sched_switch/trigger "stacktrace:3"
put events/sched/filter "common_pid > 100000"
put events/irq/enable 1
put events/irq/enable 0
put events/irq/irq_handler_entry/enable 1
hit 3
SCRIPT
for system in tree sched irq; do
	evt compare -c "$TRACEFS/events/$system" "$MNT/events/$system"
done
