#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The events of a module exist while it is loaded
# listings: both
# requires: trace-events-sample.ko

module=$MODULES/trace-events-sample.ko
run <<SCRIPT
access events/sample-trace => ENOENT
insmod $module
ls events =~ sample-trace
ls events/sample-trace =~ filter enable foo_bar
ls events/sample-trace/foo_bar =~ enable filter format id trigger
cat events/sample-trace/foo_bar/format =~ "name: foo_bar"
cat available_events =~ "sample-trace:foo_bar"
put events/sample-trace/enable 1
SCRIPT
evt compare -c -o "$TRACEFS/events/sample-trace" "$MNT/events/sample-trace"
eventually grep -q ' foo_bar: foo hello' "$MNT/trace"
# The events do not pin the module.
run <<SCRIPT
put events/sample-trace/enable 0
rmmod trace_events_sample
access events/sample-trace => ENOENT
access events/sample-trace/foo_bar/format => ENOENT
ls events !~ sample-trace
insmod $module
cat events/sample-trace/foo_bar/format =~ "name: foo_bar"
rmmod trace_events_sample
access events/sample-trace => ENOENT
SCRIPT
# An event is enabled and open while its module is unloaded.
same <<SCRIPT
insmod $module
put events/sample-trace/foo_bar/enable 1
open f events/sample-trace/foo_bar/enable rw
rmmod trace_events_sample
ls events/sample-trace
read f 10
write f 0
cat set_event
SCRIPT
