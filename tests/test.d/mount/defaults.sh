#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A mount without options is owned by root with mode 700

equal "options shown" "" "$(mount_options "$MNT")"
run <<'SCRIPT'
stat . type uid gid mode => dir 0 0 700
stat events type uid gid mode => dir 0 0 755
stat events/sched type uid gid mode => dir 0 0 755
stat events/sched/sched_switch type uid gid mode => dir 0 0 755
stat events/sched/sched_switch/enable type uid gid mode => file 0 0 640
stat events/sched/sched_switch/format type uid gid mode => file 0 0 440
stat kprobe_events type uid gid mode => file 0 0 640
stat trace_marker type uid gid mode => file 0 0 220
namelen . => 255
SCRIPT
