#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A rewind collects the current entries, and a listing that continues does not
# listings: both
# upstream: U07 U08
# only: eventfs

run <<'SCRIPT'
append kprobe_events "p:rewind/a __x64_sys_umask\np:rewind/b __x64_sys_umask\n"
open d events/rewind r,dir
listrest d 4096 => filter enable a b
listrest d 4096 => -
append kprobe_events "p:rewind/c __x64_sys_umask\n"
# A listing stays at its end.
listrest d 4096 => -
seek d 0 set => 0
listrest d 4096 => filter enable a b c
append kprobe_events "-:rewind/a\n"
seek d 0 set
listrest d 4096 => filter enable b c
# From the middle, the rest has the entries that existed at the rewind and still
# do.
seek d 0 set
getdents d 24 => .
getdents d 24 => ..
getdents d 32 => filter
append kprobe_events "p:rewind/d __x64_sys_umask\n"
append kprobe_events "-:rewind/b\n"
listrest d 4096 => enable c
seek d 0 set
listrest d 4096 => filter enable c d
close d
SCRIPT
