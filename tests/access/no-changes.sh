#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Nobody creates, renames or removes anything by hand

echo "p:hands/off $PROBED" >"$MNT/kprobe_events"
for dir in . events events/sched events/sched/sched_switch events/hands events/hands/off; do
	same <<-SCRIPT
		chdir $dir
		mkdir new
		mkdir enable
		rmdir new
		open f new rw,creat
		open f new rw,creat,excl
		open f . rw,tmpfile
		mkfifo new
		mknod new
		symlink target new
		link $TMP new
		unlink new
		rename new newer
		readlink enable
		access new => ENOENT
	SCRIPT
done
for file in tracing_on events/enable events/sched/enable events/sched/sched_switch/enable \
	events/hands/off/format; do
	same <<-SCRIPT
		unlink $file => EPERM
		rmdir $file
		rename $file new => EPERM
		rename $file $file
		link $file new => EPERM
		rename $file events/new
		access $file
	SCRIPT
done
for dir in events events/sched events/sched/sched_switch events/hands events/hands/off; do
	same <<-SCRIPT
		rmdir $dir => EPERM
		unlink $dir
		rename $dir events/new
		rename $dir $dir
		access $dir
	SCRIPT
done
# What somebody made elsewhere is not moved or linked into the tree either.
mkdir "$TMP/dir"
: >"$TMP/file"
run <<SCRIPT
rename $TMP/dir events/dir => EXDEV
rename $TMP/file events/file => EXDEV
link $TMP/file events/file => EXDEV
rename events/sched $TMP/sched => EXDEV
link events/sched/enable $TMP/enable => EXDEV
SCRIPT
