#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The options of the very first mount are applied
# upstream: U23
# order: first
# only: eventfs
# mount: no

if loaded; then
	rmmod rust_eventfs
fi
insmod "$MODULE"
mount_at "$MNT" uid=1000,gid=1001,mode=751
equal "options shown" "uid=1000,gid=1001,mode=751" "$(mount_options "$MNT")"
run <<'SCRIPT'
stat . uid gid mode => 1000 1001 751
stat events uid gid mode => 1000 1001 755
stat events/enable uid gid mode => 1000 1001 640
stat events/sched uid gid mode => 1000 1001 755
stat events/sched/sched_switch/format uid gid mode => 1000 1001 440
stat tracing_on uid gid mode => 1000 1001 640
drop_caches
stat . uid gid mode => 1000 1001 751
stat events uid gid mode => 1000 1001 755
stat events/sched/sched_switch/format uid gid mode => 1000 1001 440
stat tracing_on uid gid mode => 1000 1001 640
SCRIPT
