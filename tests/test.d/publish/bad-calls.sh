#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Each function returns the documented error for bad arguments
# upstream: U16 U22 U26
# only: eventfs
# requires: eventfs_bad_calls.ko eventfs_client_c.ko
# mount: no

loaded || insmod "$MODULE"
call() { # when
	insmod "$MODULES/eventfs_bad_calls.ko" ||
		fail "$1: $(kernel_log | grep eventfs_bad_calls:)"
	rmmod eventfs_bad_calls
}
call "not mounted"
mount_at "$MNT"
call "mounted"
ls -R "$MNT/events/sched" >/dev/null
insmod "$MODULES/eventfs_client_c.ko"
call "with a second module"
run <<'SCRIPT'
access client_c/control
access events/client_c/queues_changed/count
access events/sched/enable
ls . !~ bad_calls bad_calls_2 new new_eventfs_dir
ls events !~ bad_calls bad_calls_2 new new_eventfs_dir
SCRIPT
rmmod eventfs_client_c
umount "$MNT"
call "after the unmount"
# Each time the module has made hundreds of calls.
kernel_log | grep -c 'eventfs_bad_calls: [2-9][0-9][0-9] calls, 0 failures' >count || true
equal "number of runs without a failure" 4 "$(cat count)"
rmmod rust_eventfs
