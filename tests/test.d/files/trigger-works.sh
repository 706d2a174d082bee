#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A trigger that is set through the mount acts when its event is hit

run <<'SCRIPT'
append kprobe_events "p:triggered/mask __x64_sys_umask\n"
put events/triggered/mask/trigger "traceoff:1"
cat tracing_on => 1
hit 1
cat tracing_on => 0
put events/triggered/mask/trigger "!traceoff:1"
put tracing_on 1
put events/triggered/mask/trigger "enable_event:irq:softirq_raise"
cat events/irq/softirq_raise/enable => "0*\n"
hit 1
cat events/irq/softirq_raise/enable => "1*\n"
put events/triggered/mask/trigger "!enable_event:irq:softirq_raise"
cat events/irq/softirq_raise/enable =| 0 1
SCRIPT
