#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A remount applies its options everywhere, and changes nothing else
# upstream: U14

run <<'SCRIPT'
# A directory and a file with inodes. Others have none yet.
stat events/sched/enable uid gid mode => 0 0 640
stat events/sched uid gid mode => 0 0 755

remount . "uid=1000"
stat . uid gid mode => 1000 0 700
stat events uid gid mode => 1000 0 755
stat events/sched uid gid mode => 1000 0 755
stat events/sched/enable uid gid mode => 1000 0 640
stat events/irq uid gid mode => 1000 0 755
stat events/irq/irq_handler_entry/format uid gid mode => 1000 0 440
stat tracing_on uid gid mode => 1000 0 640
drop_caches
stat events/sched uid gid mode => 1000 0 755
stat events/sched/enable uid gid mode => 1000 0 640
stat events/irq/irq_handler_entry/format uid gid mode => 1000 0 440
stat tracing_on uid gid mode => 1000 0 640

remount . "gid=1001"
stat . uid gid mode => 1000 1001 700
stat events/sched/enable uid gid mode => 1000 1001 640
stat events/timer/enable uid gid mode => 1000 1001 640
stat set_event uid gid mode => 1000 1001 640

remount . "mode=711"
stat . uid gid mode => 1000 1001 711
stat events uid gid mode => 1000 1001 755
stat events/sched/enable uid gid mode => 1000 1001 640

remount . "foo" => EINVAL
remount . "uid=1,foo" => EINVAL
remount . "mode=x" => EINVAL
remount . ""
stat . uid gid mode => 1000 1001 711
stat events/sched/enable uid gid mode => 1000 1001 640

# An event that is added later.
append kprobe_events "p:remount/later __x64_sys_umask\n"
stat events/remount uid gid mode => 1000 1001 755
stat events/remount/later/enable uid gid mode => 1000 1001 640
SCRIPT
