#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: O_TRUNC and O_APPEND have the same effect on each control file as on tracefs

for file in kprobe_events dynamic_events uprobe_events synthetic_events; do
	[ -e "$TRACEFS/$file" ] || continue
	same <<-SCRIPT
		append kprobe_events "p:trunc/one $PROBED\n"
		append synthetic_events "trunc_two u64 a\n"
		append $file ""
		cat $file
		truncate $file
		cat $file
		cat kprobe_events
		cat synthetic_events
		cat dynamic_events
		ls events/trunc
		ls events/synthetic
		open f $file r,trunc
		truncate dynamic_events
	SCRIPT
done
# A shell's > clears kprobe_events.
run <<'SCRIPT'
store kprobe_events "p:trunc/one __x64_sys_umask\n"
store kprobe_events "p:trunc/two __x64_sys_umask\n"
cat kprobe_events => "p:trunc/two __x64_sys_umask\n"
ls events/trunc => filter enable two
put kprobe_events "p:trunc/three __x64_sys_umask\n"
ls events/trunc => filter enable two three
open f kprobe_events rw,trunc
access events/trunc => ENOENT
close f
SCRIPT
