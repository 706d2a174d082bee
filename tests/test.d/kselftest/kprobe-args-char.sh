#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Kprobe arguments of the types char and char array

# The function that creates the directory of an event takes its name as first
# argument.
maker=
for function in eventfs_create_dir eventfs_add_dir tracefs_create_dir; do
	if grep -q "^$function\$" "$MNT/available_filter_functions"; then
		maker=$function
		break
	fi
done
[ -n "$maker" ] || skip "no known function that creates a directory"
run <<SCRIPT
store kprobe_events "p:testprobe $maker letter=+0(%di):char\n"
put events/kprobes/testprobe/enable 1
append kprobe_events "p:test $PROBED\n"
cat trace =~ "testprobe: (" "letter='t'"
put events/kprobes/testprobe/enable 0
truncate kprobe_events
truncate trace

store kprobe_events "p:testprobe $maker letter=+0(%di):char word=+0(%di):char[4]\n"
put events/kprobes/testprobe/enable 1
append kprobe_events "p:test $PROBED\n"
cat trace =~ "testprobe: (" "letter='t' word={'t','e','s','t'}"
put events/kprobes/testprobe/enable 0
SCRIPT
