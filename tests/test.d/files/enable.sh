#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: enable of an event, of a system and of the top has the same effect as on tracefs

same <<'SCRIPT'
# An event.
cat events/sched/sched_switch/enable => 0
put events/sched/sched_switch/enable 1 => 1
cat events/sched/sched_switch/enable => 1
cat events/sched/enable => X
cat events/enable => X
cat set_event
open f events/sched/sched_switch/enable rw
read f 1 => "1"
read f 1
read f 10 => EOF
write f "0\n" => 2
seek f 0 set
read f 10 => "0\n"
pread f 5 0 => "0\n"
write f "2" => EINVAL
write f "x" => EINVAL
write f "" => EINVAL
write f "-1" => EINVAL
write f " 1 "
pread f 5 0
writemany f 0 100
write f "0"
close f

# A system.
put events/irq/enable 1
cat events/irq/enable => 1
cat events/irq/irq_handler_entry/enable => 1
cat events/irq/irq_handler_exit/enable => 1
put events/irq/irq_handler_exit/enable 0
cat events/irq/enable => X
put events/irq/enable 0
cat events/irq/enable => 0
put events/irq/enable 2 => EINVAL
put events/irq/enable x => EINVAL

# The top.
put events/enable 2 => EINVAL
put events/enable 0 => 1
cat events/enable => 0

# The soft disabled state of an event with a trigger.
put events/sched/sched_switch/trigger "enable_event:irq:irq_handler_entry:1 if prev_pid == 4711"
cat events/irq/irq_handler_entry/enable => "0*\n"
put events/sched/sched_switch/trigger "!enable_event:irq:irq_handler_entry:1 if prev_pid == 4711"
cat events/irq/irq_handler_entry/enable => 0
SCRIPT
