#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Attempts to unload the module while it is used have no effect
# upstream: U27
# only: eventfs
# timeout: 120

evt run <<-SCRIPT &
	repeat 300
	rmmod rust_eventfs =| EBUSY EAGAIN
	end
SCRIPT
remover=$!
run <<SCRIPT
repeat 100
append kprobe_events "p:inuse/one $PROBED\n"
ls events/inuse/one =~ enable
append kprobe_events "-:inuse/one\n"
access events/inuse => ENOENT
end
SCRIPT
wait "$remover"
