#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: No user can create, rename or remove a name in the tree

echo "p:hands/off $PROBED" >"$MNT/kprobe_events"
for dir in . events events/sched events/sched/sched_switch events/hands events/hands/off; do
	cat <<-SCRIPT
		mkdir $dir/new
		mkdir $dir/enable
		rmdir $dir/new
		open f $dir/new rw,creat
		open f $dir/new rw,creat,excl
		open f $dir rw,tmpfile
		mkfifo $dir/new
		mknod $dir/new
		symlink target $dir/new
		link $TMP $dir/new
		unlink $dir/new
		rename $dir/new $dir/newer
		readlink $dir
		access $dir/new => ENOENT
	SCRIPT
done >script
for file in tracing_on events/enable events/sched/enable events/sched/sched_switch/enable \
	events/hands/off/format; do
	cat <<-SCRIPT
		unlink $file => EPERM
		rmdir $file
		readlink $file
		rename $file new => EPERM
		rename $file $file
		link $file new => EPERM
		rename $file events/new
		access $file => ok
	SCRIPT
done >>script
for dir in events events/sched events/sched/sched_switch events/hands events/hands/off; do
	cat <<-SCRIPT
		rmdir $dir => EPERM
		unlink $dir
		rename $dir events/new
		rename $dir $dir
		access $dir => ok
	SCRIPT
done >>script
same <script
# A file from another file system cannot be renamed or linked into the tree.
mkdir "$TMP/dir"
: >"$TMP/file"
run <<SCRIPT
rename $TMP/dir events/dir => EXDEV
rename $TMP/file events/file => EXDEV
link $TMP/file events/file => EXDEV
rename events/sched $TMP/sched => EXDEV
link events/sched/enable $TMP/enable => EXDEV
SCRIPT
