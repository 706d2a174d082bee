#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Kprobe arguments of the type string

maker=
for function in eventfs_create_dir eventfs_add_dir tracefs_create_dir; do
	if grep -q "^$function\$" "$MNT/available_filter_functions"; then
		maker=$function
		break
	fi
done
[ -n "$maker" ] || skip "no known function that creates a directory"
run <<SCRIPT
store kprobe_events "p:testprobe $maker name=+0(%di):string\n"
put events/kprobes/testprobe/enable 1
append kprobe_events "p:test $PROBED\n"
cat trace =~ "testprobe: (" "name=\"test\""
put events/kprobes/testprobe/enable 0
truncate kprobe_events
truncate trace

store kprobe_events "p:testprobe $maker name=+0(%di):string again=+0(%di):string\n"
put events/kprobes/testprobe/enable 1
append kprobe_events "p:test $PROBED\n"
cat trace =~ "testprobe: (" "name=\"test\" again=\"test\""
put events/kprobes/testprobe/enable 0
SCRIPT
