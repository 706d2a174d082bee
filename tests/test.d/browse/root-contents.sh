#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The files of the root have the contents that they have on tracefs
# timeout: 120

# Not compared:
#   free_buffer        frees the ring buffer at its last close
#   saved_cmdlines     grows with each process
#   trace_pipe         has one reader at a time, and tests of its own
#   available_filter_functions, touched_functions and others have the same
#   tens of thousands of lines for minutes: the last line compares them
evt run -C "$TRACEFS" <<'SCRIPT'
append kprobe_events "p:root/entry __x64_sys_umask\n"
put trace_marker "hello"
put set_event "irq:irq_handler_entry"
put tracing_on 0
put kprobe_events "nonsense" => EINVAL
SCRIPT
evt compare -c -f -x free_buffer -x saved_cmdlines -x trace_pipe \
	-x available_filter_functions -x available_filter_functions_addrs \
	-x saved_tgids -x dyn_ftrace_total_info \
	"$TRACEFS" "$MNT"
cmp "$TRACEFS/available_filter_functions" "$MNT/available_filter_functions"
