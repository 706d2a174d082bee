#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The first, a middle, the last and the only child are removed
# listings: both
# upstream: U01 U06

run <<'SCRIPT'
repeat 10
append kprobe_events "p:kin/a __x64_sys_umask\np:kin/b __x64_sys_umask\np:kin/c __x64_sys_umask\np:kin/d __x64_sys_umask\np:kin/e __x64_sys_umask\n"
ls events/kin => filter enable a b c d e
open a events/kin/a/enable rw
open c events/kin/c/enable rw
open e events/kin/e/enable rw
open d events/kin/d/enable rw
append kprobe_events "-:kin/a\n"
access events/kin/a => ENOENT
write a 1 => ENODEV
ls events/kin => filter enable b c d e
append kprobe_events "-:kin/c\n"
access events/kin/c => ENOENT
write c 1 => ENODEV
ls events/kin => filter enable b d e
append kprobe_events "-:kin/e\n"
access events/kin/e => ENOENT
write e 1 => ENODEV
ls events/kin => filter enable b d
append kprobe_events "-:kin/b\n"
append kprobe_events "-:kin/d\n"
access events/kin/d => ENOENT
access events/kin => ENOENT
write d 1 => ENODEV
close a
close c
close d
close e
end
SCRIPT
