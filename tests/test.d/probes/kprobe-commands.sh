#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: kprobe_events accepts and refuses the same commands as on tracefs

same <<'SCRIPT'
# Names: given, generated, with and without a group.
append kprobe_events "p:one __x64_sys_umask\n"
append kprobe_events "p:mine/two __x64_sys_umask\n"
append kprobe_events "p __x64_sys_umask\n"
append kprobe_events "p:third/ __x64_sys_umask\n"
append kprobe_events "r __x64_sys_umask\n"
append kprobe_events "r:mine/back __x64_sys_umask ret=$retval\n"
append kprobe_events "r10:mine/back10 __x64_sys_umask\n"
append kprobe_events "p:mine/args __x64_sys_umask a=%di b=@jiffies c=$stack0 d=$comm e=+0x70(%di):x32 f=\\1\n"
cat kprobe_events
cat dynamic_events
ls events/kprobes
ls events/mine
ls events/third
cat events/mine/args/format =~ "field:"
cat events/mine/back/format
cat kprobe_profile
# Duplicate names.
append kprobe_events "p:mine/two __x64_sys_umask\n" => EEXIST
append kprobe_events "p:mine/two vfs_read a=%di\n"
append kprobe_events "r:mine/two __x64_sys_umask\n" => EEXIST
# Invalid commands.
append kprobe_events "\n"
append kprobe_events "nonsense\n" => EINVAL
append kprobe_events "p\n"
append kprobe_events "p:\n"
append kprobe_events "p:mine/bad no_such_function\n" =| ENOENT EINVAL
append kprobe_events "p:mine/bad __x64_sys_umask+0x10000\n"
append kprobe_events "p:mine/bad __x64_sys_umask %nosuch\n" => EINVAL
append kprobe_events "p:mine/bad __x64_sys_umask a=+0(%di):nosuch\n" => EINVAL
append kprobe_events "p:mine/bad/worse __x64_sys_umask\n" => EINVAL
append kprobe_events "p:mi.ne/bad __x64_sys_umask\n" => EINVAL
append kprobe_events "p:mine/b-d __x64_sys_umask\n" => EINVAL
append kprobe_events "p:../bad __x64_sys_umask\n" => EINVAL
append kprobe_events "p:mine/.. __x64_sys_umask\n" => EINVAL
append kprobe_events "p:mine/. __x64_sys_umask\n" => EINVAL
append kprobe_events "p:mine/bad kprobe_dispatcher\n"
append kprobe_events "p:mine/bad 0x10\n"
append kprobe_events "p0:mine/bad __x64_sys_umask\n" => EINVAL
append kprobe_events "r99999:mine/bad __x64_sys_umask\n"
append kprobe_events "-:mine/nothing\n" => ENOENT
append kprobe_events "-:nothing/two\n" => ENOENT
append kprobe_events "-\n"
append kprobe_events "-:\n"
append kprobe_events ""
ls events/mine
# The longest names, and longer ones.
append kprobe_events "p:mine/long_456789_123456789_123456789_123456789_123456789_12345 __x64_sys_umask\n"
append kprobe_events "p:mine/too_long_9_123456789_123456789_123456789_123456789_123456 __x64_sys_umask\n"
append kprobe_events "p:group_long_9_123456789_123456789_123456789_123456789_12345678/x __x64_sys_umask\n"
append kprobe_events "p:group_long_9_123456789_123456789_123456789_123456789_123456789/x __x64_sys_umask\n"
ls events/mine
ls events =~ mine third
# Removal by name, by name and place, and of a whole group.
append kprobe_events "-:mine/args\n"
append kprobe_events "-:one __x64_sys_umask\n"
append kprobe_events "-:mine/back vfs_read\n"
append kprobe_events "-:third/\n"
ls events/mine
ls events/kprobes
ls events/third
truncate kprobe_events
ls events/mine => ENOENT
cat kprobe_events => EOF
SCRIPT
