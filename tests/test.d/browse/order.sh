#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Directories list their entries in the order of creation
# listings: both

run <<'SCRIPT'
append kprobe_events "p:order/m __x64_sys_umask\n"
append kprobe_events "p:order/z __x64_sys_umask\n"
append kprobe_events "p:order/a __x64_sys_umask\n"
ls events/order => filter enable m z a
append kprobe_events "p:order/f __x64_sys_umask\n"
ls events/order => filter enable m z a f
append kprobe_events "-:order/z\n"
ls events/order => filter enable m a f
append kprobe_events "p:order/z __x64_sys_umask\n"
ls events/order => filter enable m a f z
drop_caches
ls events/order => filter enable m a f z
SCRIPT
