#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Events that are added and removed through the kernel's own tracefs appear and vanish here
# listings: both

run <<SCRIPT
repeat 30
append $TRACEFS/kprobe_events "p:theirs/one $PROBED\n"
ls events =~ theirs
ls events/theirs => filter enable one
cat events/theirs/one/enable => 0
put $TRACEFS/events/theirs/one/enable 1
cat events/theirs/one/enable => 1
put events/theirs/one/enable 0
cat $TRACEFS/events/theirs/one/enable => 0
append $TRACEFS/kprobe_events "p:theirs/two $PROBED\n"
access events/theirs/two/format
ls events/theirs => filter enable one two
append $TRACEFS/kprobe_events "-:theirs/one\n"
access events/theirs/one => ENOENT
access events/theirs/one/format => ENOENT
ls events/theirs => filter enable two
cat kprobe_events =~ "theirs/two"
append $TRACEFS/kprobe_events "-:theirs/two\n"
access events/theirs/two/format => ENOENT
access events/theirs => ENOENT
ls events !~ theirs
end
# Added here and removed there, and the other way round.
append kprobe_events "p:mixed/one $PROBED\n"
ls events/mixed
append $TRACEFS/kprobe_events "-:mixed/one\n"
access events/mixed => ENOENT
append $TRACEFS/kprobe_events "p:mixed/one $PROBED\n"
append kprobe_events "-:mixed/one\n"
access events/mixed => ENOENT
access $TRACEFS/events/mixed => ENOENT
# Replaced there while it is cached here.
append kprobe_events "p:mixed/one $PROBED\n"
append $TRACEFS/kprobe_events "-:mixed/one\nr:mixed/one $PROBED ret=\$retval\n"
cat events/mixed/one/format =~ ret
ls events/mixed => filter enable one
SCRIPT
