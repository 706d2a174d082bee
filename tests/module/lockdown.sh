#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Under lockdown loading fails cleanly, and a mount that is there gives nothing away
# upstream: U24
# only: eventfs
# order: last
# requires: /sys/kernel/security/lockdown normal

# There is no way back from here but a reboot: this is the very last test, and
# not for the debug kernel, where the search for leaks comes after it.
run <<'SCRIPT'
ls events/sched
cat events/sched/sched_switch/enable => 0
open f events/sched/sched_switch/filter r
SCRIPT
echo confidentiality >/sys/kernel/security/lockdown
same <<'SCRIPT'
cat events/sched/sched_switch/enable
cat events/sched/sched_switch/filter
cat events/sched/sched_switch/format
cat events/sched/enable
cat events/enable
cat tracing_on
cat trace
cat kprobe_events
append kprobe_events "p:locked/down __x64_sys_umask\n"
put events/sched/sched_switch/enable 1
put tracing_on 0
put trace_marker x
open p trace_pipe r,nonblock
SCRIPT
run <<'SCRIPT'
cat events/sched/sched_switch/enable => EPERM
cat kprobe_events => EPERM
append kprobe_events "p:locked/down __x64_sys_umask\n" => EPERM
cat trace => EPERM
access events/locked => ENOENT
SCRIPT
umount "$MNT"
rmmod rust_eventfs
dmesg -c >/dev/null
evt run <<SCRIPT
insmod $MODULE => EPERM
SCRIPT
fails loaded
! grep -q '^nodev	eventfs$' /proc/filesystems || fail "the file system is there"
! grep -q '^eventfs_inode_cache ' /proc/slabinfo || fail "the slab cache is left"
dmesg >log
# Not in the words of the kernel, which speaks of tracefs: in the module's.
grep -i eventfs log || fail "nothing is said about it: $(cat log)"
