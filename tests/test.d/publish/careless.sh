#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The directories that a module leaves, at its exit or a failed load, are removed and released once
# upstream: U12
# only: eventfs
# requires: eventfs_careless.ko
# mount: no
# timeout: 120

loaded || insmod "$MODULE"
careless=$MODULES/eventfs_careless.ko

# The messages so far about publishing and releases, in their order.
noted() {
	kernel_log | sed -n 's/.*eventfs_careless: //p' | tr '\n' ,
}
# All releases, in the right order, once for each time that the directories were
# published. (When insmod fails it may try again in another way.)
once='published,released fine of inner,released absent of inner,'
once=${once}'released fine of outer,released absent of outer,'
times=0
gone() { # after what
	rest=$(noted)
	before=$times
	times=0
	while [ -n "$rest" ]; do
		case $rest in
		"$once"*) rest=${rest#"$once"} times=$((times + 1)) ;;
		*) fail "$1: not released once and in order: $rest" ;;
		esac
	done
	at_least "times published, $1" $((before + 1)) "$times"
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
	gone "after rmmod of a module that leaves directories"
	# A release function removes a directory that was removed before it, of
	# the same module.
	insmod "$careless" forget=1 crossed=1
	rmmod eventfs_careless
	gone "after rmmod with crossed directories"
	fails insmod "$careless" fail_init=1 crossed=1
	gone "after a failed insmod with crossed directories"
	fails insmod "$careless" fail_init=1
	gone "after a failed insmod"
	fails insmod "$careless" fail_init=1
	gone "after another failed insmod"
	insmod "$careless"
	fails insmod "$careless"
	rmmod eventfs_careless
	gone "after two insmods"
done

# The same with open files and directories in use.
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

# Other processes use the tree while the module is loaded, unloaded, and fails
# to load.
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
	gone "after a failed insmod during look-ups"
	insmod "$careless" forget=1
	rmmod eventfs_careless
	gone "after rmmod during look-ups"
done
end_tasks
umount "$MNT"
rmmod rust_eventfs
