#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A kprobe is added, listed and removed a thousand times
# upstream: U02 U03
# timeout: 120

rounds=$(scale 1000 250)
count_cached
run <<SCRIPT
repeat $rounds
append kprobe_events "p:sock_getattr $PROBED sk=%di\n"
ls events/kprobes/sock_getattr =~ enable filter format id trigger
append kprobe_events "-:sock_getattr $PROBED sk=%di\n"
access events/kprobes/sock_getattr => ENOENT
end
SCRIPT
echo "$rounds rounds"
nothing_leaked 20
