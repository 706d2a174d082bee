#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: What a module leaves, when it goes or fails to load, is removed and released once
# upstream: U12
# only: eventfs
# requires: eventfs_careless.ko
# mount: no
# timeout: 120

loaded || insmod "$MODULE"
careless=$MODULES/eventfs_careless.ko

# What it said so far, of what it published, and of what was released, in this
# order.
told() {
	kernel_log | sed -n 's/.*eventfs_careless: //p' | tr '\n' ,
}
# All that is released, in the right order, once for each time it was published.
# (When insmod fails it may try again in another way.)
once='published,released fine of inner,released absent of inner,'
once=${once}'released fine of outer,released absent of outer,'
times=0
gone() { # after what
	rest=$(told)
	before=$times
	times=0
	while [ -n "$rest" ]; do
		case $rest in
		"$once"*) rest=${rest#"$once"} times=$((times + 1)) ;;
		*) fail "$1: not released in order, and once: $rest" ;;
		esac
	done
	at_least "how often it was published, $1" $((before + 1)) "$times"
	if grep -q " $MNT eventfs " /proc/mounts; then
		run <<-'SCRIPT'
			access careless => ENOENT
			access events/careless => ENOENT
			access events/careless/event/file => ENOENT
			ls . !~ careless
			ls events !~ careless
		SCRIPT
	fi
	fails grep -q '^eventfs_careless ' /proc/modules
}

for mounted in no yes; do
	if [ "$mounted" = yes ]; then
		mount_at "$MNT"
	fi
	insmod "$careless"
	rmmod eventfs_careless
	gone "after rmmod"
	insmod "$careless" forget=1
	rmmod eventfs_careless
	gone "after rmmod of a forgetful one"
	# Its release function removes what was removed before it, and was the module's.
	insmod "$careless" forget=1 crossed=1
	rmmod eventfs_careless
	gone "after rmmod of one with crossed directories"
	fails insmod "$careless" fail_init=1 crossed=1
	gone "after a failed insmod of one with crossed directories"
	fails insmod "$careless" fail_init=1
	gone "after a failed insmod"
	fails insmod "$careless" fail_init=1
	gone "after another"
	insmod "$careless"
	fails insmod "$careless"
	rmmod eventfs_careless
	gone "after two insmods"
done

# The same with its files open, and its directories in use.
for forget in 0 1; do
	insmod "$careless" "forget=$forget"
	run <<-'SCRIPT'
		cat careless/file => top
		cat careless/outer/fine => outer
		cat careless/outer/inner/fine => inner
		cat careless/outer/inner/dir/file => dir
		cat events/careless/event/file => event
		open one careless/outer/fine r
		open two careless/outer/inner/fine r
		open three careless/outer/inner/dir/file r
		open four events/careless/event/file r
		open dir careless/outer r,dir
		read two 2 => in
		chdir careless/outer/inner/dir
		rmmod eventfs_careless
		read one 10 => ENODEV
		read two 10 => ENODEV
		read three 10 => ENODEV
		read four 10 => ENODEV
		access file => ENOENT
		access ../fine => ENOENT
		openat f dir fine r => ENOENT
	SCRIPT
	gone "after rmmod with open files"
done

# While it comes and fails, others look.
insmod "$careless"
rmmod eventfs_careless
gone "after rmmod"
look() {
	run <<-'SCRIPT'
		repeat 50
		cat careless/outer/inner/fine =| inner ENOENT ENODEV
		ls careless/outer/inner ??
		cat events/careless/event/file =| event ENOENT ENODEV
		access careless/outer/nothing => ENOENT
		end
	SCRIPT
	usleep 20000
}
start_tasks look look
for _ in 1 2 3 4; do
	fails insmod "$careless" fail_init=1
	gone "after a failed insmod in between"
	insmod "$careless" forget=1
	rmmod eventfs_careless
	gone "after rmmod in between"
done
end_tasks
umount "$MNT"
rmmod rust_eventfs
