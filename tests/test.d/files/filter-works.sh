#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A filter that is set through the mount selects the traced events

run <<'SCRIPT'
append kprobe_events "p:filtered/mask __x64_sys_umask mask=+0x70(%di):u32\n"
put events/filtered/mask/filter "mask == 99"
put events/filtered/mask/enable 1
hit 3
cat trace !~ "mask:"
put events/filtered/mask/filter "mask == 18"
hit 3
cat trace =~ "mask: (__x64_sys_umask" "mask=18"
truncate trace
put events/filtered/mask/filter 0
hit 1
cat trace =~ "mask=18"
put events/filtered/mask/enable 0
SCRIPT
