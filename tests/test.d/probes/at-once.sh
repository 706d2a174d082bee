#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The directory of an event exists, or is gone, when the write returns
# listings: both
# upstream: U01 U04

run <<SCRIPT
repeat $(scale 120 40)
append kprobe_events "p:at_once/probe $PROBED\n"
access events/at_once/probe
access events/at_once/probe/format
append kprobe_events "-:at_once/probe\n"
access events/at_once/probe => ENOENT
access events/at_once/probe/format => ENOENT
access events/at_once => ENOENT
end
# With the directory, its group and one of its files in the dentry cache.
repeat $(scale 80 30)
append kprobe_events "p:at_once/probe $PROBED\np:at_once/other $PROBED\n"
ls events/at_once => filter enable probe other
ls events/at_once/probe =~ enable format
stat events/at_once/probe/enable mode => 640
append kprobe_events "-:at_once/probe\n"
access events/at_once/probe => ENOENT
access events/at_once/probe/enable => ENOENT
ls events/at_once => filter enable other
truncate kprobe_events
access events/at_once => ENOENT
ls events !~ at_once
end
SCRIPT
