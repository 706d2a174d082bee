#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: An event in use is not removed and does not change

same <<'SCRIPT'
append kprobe_events "p:busy/one __x64_sys_umask\np:busy/two __x64_sys_umask\n"
put events/busy/one/enable 1
append kprobe_events "-:busy/one\n" => EBUSY
truncate kprobe_events => EBUSY
truncate dynamic_events => EBUSY
access events/busy/one/enable
access events/busy/two/enable
cat kprobe_events
append kprobe_events "-:busy/two\n"
access events/busy/two/enable => ENOENT
hit 1
cat events/busy/one/enable => 1
put events/busy/one/enable 0
append kprobe_events "-:busy/one\n"
access events/busy => ENOENT

# A trigger makes the event busy as well. A filter does not.
append kprobe_events "p:busy/one __x64_sys_umask\n"
put events/busy/one/trigger "stacktrace:1"
append kprobe_events "-:busy/one\n"
ls events/busy
put events/busy/one/trigger "!stacktrace:1"
put events/busy/one/filter "common_pid == 1"
append kprobe_events "-:busy/one\n"
ls events/busy
SCRIPT
