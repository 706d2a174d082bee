#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The events of a module are held open while it is unloaded
# upstream: U12 U25
# requires: trace-events-sample.ko

module=$MODULES/trace-events-sample.ko
count_cached
run <<SCRIPT
repeat 5
insmod $module
open system events/sample-trace r,dir
open event events/sample-trace/foo_bar r,dir
open enable events/sample-trace/foo_bar/enable rw
open format events/sample-trace/foo_bar/format r
open filter events/sample-trace/foo_bar/filter rw
chdir events/sample-trace/foo_bar
rmmod trace_events_sample
access enable => ENOENT
access $MNT/events/sample-trace => ENOENT
read enable 10 =| ENODEV EOF
write enable 1 => ENODEV
read format 100 =| ENODEV EOF
write filter 0 => ENODEV
openat x system foo_bar/enable r =| ENOENT ENODEV
openat x event enable r =| ENOENT ENODEV
insmod $module
access $MNT/events/sample-trace/foo_bar/enable
access enable => ENOENT
read enable 10 =| ENODEV EOF
write enable 1 => ENODEV
chdir $MNT
rmmod trace_events_sample
close enable
drop_caches
close system
close format
close event
close filter
end
SCRIPT
nothing_leaked 20
