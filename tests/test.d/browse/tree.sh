#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The events tree has the names, types, modes and owners of tracefs
# listings: both

evt compare -o -s "$(step)" "$TRACEFS/events" "$MNT/events"
drop_caches
evt compare -o -s "$(step)" "$TRACEFS/events" "$MNT/events"

# Again with probes, a synthetic event and groups.
evt run -C "$TRACEFS" <<'SCRIPT'
append kprobe_events "p:tree/entry __x64_sys_umask\nr:tree/exit __x64_sys_umask\n"
append kprobe_events "p:solo __x64_sys_umask mask=+0x70(%di)\n"
append synthetic_events "lateness u64 lat; char name[16]\n"
SCRIPT
evt compare -o -s "$(step)" "$TRACEFS/events" "$MNT/events"
