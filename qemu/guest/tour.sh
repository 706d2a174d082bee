#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The guided tour of `make run`: shows commands with their output, and checks it.

set -eu

mnt=/mnt
probe=do_sys_openat2
out=
table=/tmp/tour.figures
log=/tmp/tour.out

# title TEXT: begins a part of the tour.
title() {
	printf '\n== %s\n' "$*"
}

# run COMMAND: shows the command and its output, and sets out to the output.
# The tour fails if the command fails.
run() {
	printf '# %s\n' "$1"
	status=0
	eval "$1" >"$log" 2>&1 || status=$?
	cat "$log"
	out=$(cat "$log")
	[ "$status" -eq 0 ] || fail "exit status $status"
}

# refused COMMAND TEXT: shows a command that must fail with this message.
refused() {
	printf '# %s\n' "$1"
	status=0
	eval "$1" >"$log" 2>&1 || status=$?
	cat "$log"
	[ "$status" -ne 0 ] || fail 'this should have failed'
	grep -q "$2" "$log" || fail "this should have failed with: $2"
}

fail() {
	printf '\nThe tour FAILED here: %s\n' "$*"
	exit 1
}

# expect TEXT: the last output must contain TEXT.
expect() {
	case $out in
	*"$1"*) ;;
	*) fail "the output lacks: $1" ;;
	esac
}

# figures MOMENT: notes how many dentries and inodes the kernel has.
figures() {
	# They are freed after a grace period.
	sleep 1
	dentries=$(cut -f 1 /proc/sys/fs/dentry-state)
	slab=$(awk '/^Slab:/ { print $2 }' /proc/meminfo)
	inodes=$(awk '$1 == "eventfs_inode_cache" { print $2 " x " $4 " B"; n = 1 }
		END { if (!n) print "-" }' /proc/slabinfo)
	printf '%-34s %9s %16s %12s\n' "$1" "$dentries" "$inodes" "$slab" >>"$table"
}

leave() {
	status=$?
	cd /
	if [ $status -ne 0 ]; then
		echo 0 >/sys/kernel/tracing/events/enable
		echo >/sys/kernel/tracing/kprobe_events
		! grep -q " $mnt eventfs " /proc/mounts || umount $mnt
		[ ! -d /sys/module/rust_eventfs ] || rmmod rust_eventfs
	fi
	rm -f "$log" "$table"
	exit $status
}
trap leave EXIT

printf '%-34s %9s %16s %12s\n' '' dentries 'eventfs inodes' 'slab (KiB)' >"$table"

title 'A kernel, and a module written in Rust'
run 'uname -sr'
figures 'before insmod'
run 'insmod /eventfs/rust_eventfs.ko'
run 'lsmod'
expect rust_eventfs

title 'Its file system shows the events of the running kernel'
run "mount -t eventfs nodev $mnt"
run "grep eventfs /proc/mounts"
expect "nodev $mnt eventfs"
run "cd $mnt"
figures 'mounted'
run 'ls -C events'
expect sched
run 'ls -d events/*/*/ | wc -l'
[ "$out" -gt 100 ] || fail "only $out events"
run 'ls -l events/sched/sched_wakeup'
expect format
run 'cat events/sched/sched_wakeup/format'
expect 'name: sched_wakeup'

title 'A probe on a function of the kernel: its directory exists at once'
run "echo 'p:tour/open $probe file=+0(%si):ustring' > kprobe_events"
run 'cat kprobe_events'
expect "p:tour/open $probe"
run 'ls events/tour/open'
expect enable

title 'Enabled, it fires whenever a file is opened'
run 'echo > trace'
run 'echo 1 > events/tour/open/enable'
run 'cat /etc/passwd | wc -l'
run 'echo 0 > events/tour/open/enable'
run 'grep passwd trace'
expect 'file="/etc/passwd"'

title 'Removed, its directory is gone at once'
run "echo '-:tour/open' >> kprobe_events"
run 'cat kprobe_events'
[ -z "$out" ] || fail 'the probe is still listed'
refused 'ls events/tour' 'No such file or directory'

title 'The whole tree is listed, and then evicted'
run 'ls -lR . | wc -l'
figures 'ls -lR'
run 'echo 2 > /proc/sys/vm/drop_caches'
figures 'caches dropped'

title 'Nothing stays behind'
run "cd /"
run "umount $mnt"
run 'rmmod rust_eventfs'
figures 'after rmmod'
run "cat $table"
if grep -q eventfs_inode_cache /proc/slabinfo; then
	fail 'the inode cache is still there'
fi
echo
echo 'The tour is done: every output was as expected.'
