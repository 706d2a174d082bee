#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: kretprobes record the return value of the function

run <<'SCRIPT'
append kprobe_events "r:back/mask __x64_sys_umask old=$retval:u32\n"
append kprobe_events "r100:back/mask100 __x64_sys_umask\n"
cat kprobe_events =~ "old=$retval" "r100:back/mask100"
put events/back/enable 1
hit 3
cat trace =~ "mask: (" " <- __x64_sys_umask) old=18"
cat kprobe_profile =~ mask
put events/back/enable 0
append kprobe_events "-:back/mask\n-:back/mask100\n"
access events/back => ENOENT
SCRIPT
