#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: trigger accepts and refuses the same triggers as on tracefs

same <<'SCRIPT'
cat events/sched/sched_switch/trigger =~ "Available triggers"
open f events/sched/sched_switch/trigger rw
write f "traceoff:1 if prev_pid == 4711\n"
write f "stacktrace:5 if prev_pid == 4711\n"
write f "snapshot:1 if prev_pid == 4711\n"
readall f
close f
cat events/sched/sched_switch/trigger =~ "traceoff" "stacktrace" "snapshot"
cat show_event_triggers
open f events/sched/sched_switch/trigger rw,append
write f "traceoff:1" => EEXIST
write f "nosuch" => EINVAL
write f "traceoff:x" => EINVAL
write f "traceoff if nothing == 1" => EINVAL
write f "!traceon"
write f "!traceoff"
write f "!stacktrace"
write f "!snapshot"
write f "" => 0
write f "enable_event:no:such" => EINVAL
close f
cat events/sched/sched_switch/trigger =~ "Available triggers"
# An open with O_TRUNC removes histograms only.
put events/sched/sched_switch/trigger "stacktrace:5"
put events/sched/sched_switch/trigger "hist:keys=common_pid"
truncate events/sched/sched_switch/trigger
cat events/sched/sched_switch/trigger =~ "stacktrace"
cat events/sched/sched_switch/trigger !~ "hist"
put events/sched/sched_switch/trigger "!stacktrace:5"
cat show_event_triggers => EOF
SCRIPT
