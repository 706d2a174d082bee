#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Under lockdown loading fails cleanly, and an existing mount discloses nothing
# upstream: U24
# only: eventfs
# order: last
# requires: /sys/kernel/security/lockdown eventfs_client_c.ko normal

# Lockdown ends with a reboot only, so this is the very last test. It does not
# run on the debug kernel, where the leak checks come after it.
insmod "$MODULES/eventfs_client_c.ko"
run <<'SCRIPT'
ls events/sched
cat events/sched/sched_switch/enable => 0
open f events/sched/sched_switch/filter r
open control client_c/control w
write control "add before"
cat client_c/queues/before/length => 0
put /sys/kernel/security/lockdown confidentiality
# No file of a module can be opened, and nothing new can be published.
cat client_c/queues/before/length => EPERM
cat events/client_c/queues_changed/count => EPERM
write control "add after" => EPERM
access client_c/queues/after => ENOENT
write control "remove before"
access client_c/queues/before => ENOENT
SCRIPT
rmmod eventfs_client_c
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
! grep -q '^nodev	eventfs$' /proc/filesystems || fail "the file system type is registered"
! grep -q '^eventfs_inode_cache ' /proc/slabinfo || fail "the slab cache still exists"
dmesg >log
# The message has to name eventfs, as the module's does; the kernel's names
# tracefs.
grep -i eventfs log || fail "no message about it: $(cat log)"
