#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Calls that the files of tracefs do not support fail here with the same errors

# Restores the modes in the kernel's own tree.
restore() {
	evt run <modes
}
: >modes
trap restore EXIT
for file in events/sched/sched_switch/enable events/sched/sched_switch/filter \
	events/sched/sched_switch/format events/sched/sched_switch/id events/sched/enable \
	events/enable events/header_page tracing_on trace_options set_event trace \
	kprobe_events trace_marker available_events buffer_size_kb README; do
	stat -c 'chmod %n %a' "$TRACEFS/$file" >>modes
	cat <<-SCRIPT
		open f $file rw
		mmap f 4096
		ioctl f 0x5401
		poll f in,out 0
		fsync f
		fallocate f 4096
		ftruncate f 10
		fstat f size
		ftruncate f 0
		seek f 0 data
		seek f 0 hole
		seek f 0 end
		pipe r w
		splice r f 10
		close f
		open f $file r,direct
		open f $file r,dir
		open f $file rw,creat,excl
		access $file/x
		chdir $file
		chmod $file 7777
		stat $file mode
		setxattr $file user.x 1
		setxattr $file trusted.x 1
		listxattr $file
		utimes $file 5
		stat $file mtime
	SCRIPT
done >script
same <script
