#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: dynamic_events adds and removes events of all kinds
# requires: dynamic_events

run <<SCRIPT
repeat $(scale 50 12)
append dynamic_events "p:dynamic/kprobe __x64_sys_umask\n"
access events/dynamic/kprobe/format
append dynamic_events "s:dynamic_synth u64 lat\n"
access events/synthetic/dynamic_synth/format
append dynamic_events "e:dynamic/eprobe irq/softirq_raise vec=\$vec\n"
access events/dynamic/eprobe/format
append dynamic_events "f:dynamic/fprobe vfs_read\n"
access events/dynamic/fprobe/format
append dynamic_events "t:dynamic/tprobe softirq_raise\n"
access events/dynamic/tprobe/format
cat dynamic_events =~ "p:dynamic/kprobe" "s:synthetic/dynamic_synth" "e:dynamic/eprobe" "f:dynamic/fprobe" "t:dynamic/tprobe"
append dynamic_events "-:dynamic/kprobe\n"
access events/dynamic/kprobe => ENOENT
append dynamic_events "-:dynamic/eprobe\n"
access events/dynamic/eprobe => ENOENT
append dynamic_events "-:dynamic/fprobe\n"
access events/dynamic/fprobe => ENOENT
append dynamic_events "-:synthetic/dynamic_synth\n"
access events/synthetic => ENOENT
append dynamic_events "-:dynamic/tprobe\n"
access events/dynamic => ENOENT
end
SCRIPT
same <<'SCRIPT'
append dynamic_events "p:dynamic/kprobe __x64_sys_umask\n"
append dynamic_events "s:dynamic_synth u64 lat\n"
append dynamic_events "nonsense\n" => EINVAL
append dynamic_events "-:dynamic/nothing\n" => ENOENT
append dynamic_events "p:dynamic/kprobe __x64_sys_umask\n" => EEXIST
append dynamic_events "s:dynamic_synth u64 lat; u32 other\n"
cat dynamic_events
cat kprobe_events
cat synthetic_events
truncate dynamic_events
cat dynamic_events => EOF
ls events/dynamic => ENOENT
ls events/synthetic => ENOENT
SCRIPT
