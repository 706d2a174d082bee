#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A uprobe in a program is added, is hit and is removed
# requires: uprobe_events

where=$(evt uprobe)
contains "place" ":0x" "$where"
echo "p:user/call $where number=%di" >"$MNT/uprobe_events"
[ -d "$MNT/events/user/call" ]
contains "listing" "p:user/call ${where%:*}" "$(cat "$MNT/uprobe_events")"
echo 1 >"$MNT/events/user/enable"
evt uprobe 3
equal "hits" 3 "$(grep -c ' call: (0x' "$MNT/trace")"
contains "third hit" "number=0x2" "$(tail -n 1 "$MNT/trace")"
contains "uprobe_profile" "call" "$(cat "$MNT/uprobe_profile")"
echo 0 >"$MNT/events/user/enable"
run <<SCRIPT
append uprobe_events "p:user/call $where\n" => EEXIST
append uprobe_events "p:user/bad /no/such/file:0x10\n" => ENOENT
append uprobe_events "p:user/bad nonsense\n" => EINVAL
append uprobe_events "-:user/nothing\n" => ENOENT
append uprobe_events "-:user/call\n"
access events/user => ENOENT
repeat 100
append uprobe_events "p:user/call $where\n"
access events/user/call/format
append uprobe_events "-:user/call\n"
access events/user/call => ENOENT
end
append uprobe_events "r:user/back $where\n"
truncate uprobe_events
cat uprobe_events => EOF
access events/user => ENOENT
SCRIPT
