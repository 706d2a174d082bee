#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: filter accepts and refuses the same filters as on tracefs

same <<'SCRIPT'
cat events/sched/sched_switch/filter => none
put events/sched/sched_switch/filter "prev_pid == 1" => 13
cat events/sched/sched_switch/filter => "prev_pid == 1\n"
cat show_event_filters =~ "prev_pid == 1"
open f events/sched/sched_switch/filter rw
write f "prev_pid == 1 && next_comm ~ \"sh*\" || prev_prio < 5"
seek f 0 set
read f 8
read f 100
read f 100 => EOF
# A refused filter reads back with the position of its error.
write f "no_such_field == 1" => EINVAL
pread f 500 0 =~ "no_such_field" "^"
write f "prev_pid == " => EINVAL
pread f 500 0 =~ "^"
write f "(prev_pid == 1"
write f "prev_pid === 1" => EINVAL
write f "prev_comm > 5" => EINVAL
write f ""
writemany f x 5000 => EINVAL
write f "0" => 1
pread f 100 0 => "none\n"
close f

# A system passes its filter to those of its events that have the field.
put events/sched/filter "prev_pid == 7"
cat events/sched/filter
cat events/sched/sched_switch/filter => "prev_pid == 7\n"
cat events/sched/sched_waking/filter
put events/sched/filter "nowhere == 7"
cat events/sched/filter
put events/sched/filter 0
cat events/sched/filter
cat events/sched/sched_switch/filter => none
cat show_event_filters
SCRIPT
