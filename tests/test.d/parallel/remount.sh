#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Remounts in a loop while events are added and removed
# upstream: U14 U28
# timeout: 120

rounds=$(scale 100 30)
evt run -C "$MNT" <<SCRIPT &
repeat $rounds
append kprobe_events "p:remount%{i}/one $PROBED\np:remount%{i}/two $PROBED\n"
ls events/remount%{i} =~ one two
stat events/remount%{i}/one/enable
append kprobe_events "-:remount%{i}/one\n-:remount%{i}/two\n"
access events/remount%{i} => ENOENT
end
SCRIPT
adder=$!
evt run -C "$MNT" <<SCRIPT &
repeat $((rounds * $(scale 40 10)))
remount . "uid=%{i}"
stat events/sched uid => %{i}
stat events/sched/sched_switch/enable uid => %{i}
remount . "gid=%{i}"
stat events/sched gid => %{i}
end
SCRIPT
remounter=$!
wait "$adder"
wait "$remounter"
