#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Eviction changes no mode and no owner, whichever were set
# upstream: U13 U15
# only: eventfs

run <<'SCRIPT'
append kprobe_events "p:first/one __x64_sys_umask\np:first/two __x64_sys_umask\np:second/one __x64_sys_umask\n"
chown events 1 2
chown events/first 3 4
chown events/first/one 5 6
chmod events/first/two/enable 600
chown . 7 8
append kprobe_events "p:first/three __x64_sys_umask\np:third/one __x64_sys_umask\n"
SCRIPT
look() {
	find "$MNT" -maxdepth 1 -exec stat -c '%n %a %u %g' {} + | sort
	find "$MNT/events" -maxdepth 1 -exec stat -c '%n %a %u %g' {} + | sort
	find "$MNT/events/first" "$MNT/events/second" "$MNT/events/third" \
		-exec stat -c '%n %a %u %g' {} + | sort
}
look >before
at_least "names checked" 150 "$(wc -l <before)"
drop_caches
look >after
diff before after
