#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Each allocation of each operation fails once: the call returns ENOMEM and leaves nothing behind
# upstream: U22
# only: eventfs
# mount: no
# requires: debug /proc/self/fail-nth /sys/kernel/debug/failslab
# timeout: 120

echo N >/sys/kernel/debug/failslab/ignore-gfp-wait
echo 0 >/sys/kernel/debug/failslab/verbose

# Loading, up to the last allocation that is the module's own.
! loaded || rmmod rust_eventfs
evt failing -t 24 <<SCRIPT
try insmod $MODULE
undo rmmod rust_eventfs
SCRIPT
fails loaded
! grep -q '^eventfs_inode_cache ' /proc/slabinfo || fail "the slab cache still exists"

insmod "$MODULE"
evt failing 50 <<SCRIPT
try mount nodev $MNT eventfs ""
undo umount $MNT
SCRIPT
equal "references" 0 "$(references)"

# In a tree without nodes.
rmmod rust_eventfs
evt failing -t 12 <<SCRIPT
before insmod $MODULE
before mount nodev $MNT eventfs ""
try ls $MNT/events/irq
after umount $MNT
after rmmod rust_eventfs
SCRIPT
insmod "$MODULE"

# In a mount without dentries, of a tree with nodes.
for call in "access $MNT/events/irq" "ls $MNT/events/irq" \
	"cat $MNT/events/irq/irq_handler_entry/format" "chown $MNT/events/irq 5 6" \
	"chmod $MNT/events/irq/irq_handler_entry/enable 600"; do
	evt failing -t 25 <<-SCRIPT
		before mount nodev $MNT eventfs ""
		try $call
		after umount $MNT
	SCRIPT
done
equal "references" 0 "$(references)"

# In a mount of a listed tree, with nothing cached.
mount -t eventfs nodev "$MNT"
ls "$MNT/events/irq" "$MNT/events/sched" >/dev/null
for call in "access $MNT/events/irq/irq_handler_entry/enable" "ls $MNT/events/irq" \
	"cat $MNT/events/irq/irq_handler_entry/enable" "chmod $MNT/events/irq/enable 600" \
	"put $MNT/events/irq/irq_handler_entry/filter \"irq == 1\"" "remount $MNT \"gid=0\"" \
	"cat $MNT/kprobe_events" "open f $MNT/tracing_on r"; do
	evt failing -t 20 <<-SCRIPT
		before drop_caches
		try $call
	SCRIPT
done

# Events that are added and removed.
evt failing -t 40 <<SCRIPT
before truncate $MNT/kprobe_events
try append $MNT/kprobe_events "p:failing/one $PROBED\n"
undo append $MNT/kprobe_events "-:failing/one\n"
SCRIPT
evt failing -t 40 <<SCRIPT
before truncate $MNT/kprobe_events
before append $MNT/kprobe_events "p:failing/one $PROBED\n"
before ls $MNT/events/failing/one
try append $MNT/kprobe_events "-:failing/one\n"
SCRIPT
run <<'SCRIPT'
truncate kprobe_events
access events/failing => ENOENT
put events/irq/irq_handler_entry/filter 0
remount . "uid=0,gid=0"
chmod events/irq/enable 640
SCRIPT
evt compare -o -s "$(step)" "$TRACEFS/events" "$MNT/events"
umount "$MNT"
rmmod rust_eventfs
