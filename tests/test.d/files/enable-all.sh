#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: events/enable enables and disables all events at once
# timeout: 180

run <<'SCRIPT'
put tracing_on 0
put events/enable 1
cat events/enable =| 1 X
cat events/sched/enable => 1
cat events/irq/irq_handler_entry/enable => 1
put events/enable 0
cat events/enable => 0
cat events/sched/enable => 0
cat events/irq/irq_handler_entry/enable => 0
SCRIPT
