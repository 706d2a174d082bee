#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Each allocation of each operation fails once: ENOMEM, and nothing is left of it
# upstream: U22
# only: eventfs
# mount: no
# requires: debug /proc/self/fail-nth /sys/kernel/debug/failslab
# timeout: 120

cd /sys/kernel/debug/failslab || exit
echo N >ignore-gfp-wait
echo 0 >verbose
cd "$TMP" || exit

! loaded || rmmod rust_eventfs
# Loading: every allocation up to the one that does not fail any more.
evt failing 400 <<SCRIPT
try insmod $MODULE
undo rmmod rust_eventfs
SCRIPT
fails loaded
! grep -q '^eventfs_inode_cache ' /proc/slabinfo || fail "the slab cache is left"

insmod "$MODULE"
evt failing 400 <<SCRIPT
try mount nodev $MNT eventfs ""
undo umount $MNT
SCRIPT
equal "references" 0 "$(references)"

mount -t eventfs nodev "$MNT"
cd "$MNT" || exit
for call in "access events" "access events/sched" "access events/sched/sched_switch/enable" \
	"ls events/irq" "ls events/sched/sched_switch" "cat events/sched/sched_switch/format" \
	"cat events/sched/sched_switch/enable" "chmod events/sched/sched_switch/enable 600" \
	"chown events/sched 5 6" "stat events/irq" 'remount . "gid=0"' "cat kprobe_events" \
	'put events/sched/sched_switch/filter "prev_pid == 1"' "open f tracing_on r"; do
	evt failing 400 <<-SCRIPT
		before drop_caches
		try $call
	SCRIPT
done
evt failing 1000 <<SCRIPT
try append kprobe_events "p:failing/one $PROBED\n"
undo append kprobe_events "-:failing/one\n"
SCRIPT
evt failing 1000 <<SCRIPT
before append kprobe_events "p:failing/one $PROBED\n"
try append kprobe_events "-:failing/one\n"
SCRIPT
[ ! -e events/failing ]
cd /
evt compare -o -s "$(step)" "$TRACEFS/events" "$MNT/events"
umount "$MNT"
rmmod rust_eventfs
