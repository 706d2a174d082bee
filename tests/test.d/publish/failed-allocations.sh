#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Each allocation of each operation of a module fails once: the call returns an error and leaves nothing behind
# upstream: U22
# only: eventfs
# requires: debug eventfs_client_c.ko eventfs_client_rust.ko eventfs_synthetic.ko /proc/self/fail-nth
# timeout: 200

echo N >/sys/kernel/debug/failslab/ignore-gfp-wait
echo 0 >/sys/kernel/debug/failslab/verbose
stats=/sys/kernel/debug/eventfs/stats

# The number of nodes in the tree.
nodes() {
	sed -n 's/^nodes //p' "$stats"
}

# Loading, which publishes directories, files by name and tables: each call that
# fails undoes those before it. The last allocations are the module's and a few
# after it.
ls "$MNT/events" >/dev/null
before=$(nodes)
for module in eventfs_client_c eventfs_client_rust eventfs_synthetic; do
	evt failing 60 <<-SCRIPT
		try insmod $MODULES/$module.ko
		undo rmmod $module
	SCRIPT
	fails grep -q "^$module " /proc/modules
	equal "nodes after $module" "$before" "$(nodes)"
done

# Directories that are added and removed.
for kind in c rust; do
	insmod "$MODULES/eventfs_client_$kind.ko"
	at=$MNT/client_$kind
	before=$(nodes)
	evt failing 40 <<-SCRIPT
		try put $at/control "add one\n"
		undo put $at/control "remove one\n"
	SCRIPT
	equal "nodes after the additions, $kind" "$before" "$(nodes)"
	evt failing 40 <<-SCRIPT
		before put $at/control "add one\n"
		before ls $at/queues/one
		try ls $at/queues
		after put $at/control "remove one\n"
	SCRIPT
	# A removal allocates no memory, only its command does.
	evt run <<-SCRIPT
		put $at/control "add two\n"
		ls $at/queues/two
	SCRIPT
	for call in "ls $at/queues/two" "stat $at/queues/two" "chown $at/queues/two 3 4" \
		"open d $at/queues/two r,dir"; do
		evt failing 30 <<-SCRIPT
			before drop_caches
			try $call
		SCRIPT
	done
	evt run <<-SCRIPT
		put $at/control "remove two\n"
		access $at/queues/two => ENOENT
	SCRIPT
	equal "nodes after all, $kind" "$before" "$(nodes)"
	rmmod "eventfs_client_$kind"
done

# Files: look-up, open, reads and polls.
insmod "$MODULES/eventfs_client_c.ko"
at=$MNT/client_c
evt run <<SCRIPT
put $at/control "add one\n"
SCRIPT
for call in "cat $at/queues/one/length" "cat $at/clocks/boot/now" "open f $at/wait r" \
	"put $at/queues/one/limit 7" "chmod $at/queues/one/limit 600" \
	"chmod $at/clocks/boot/now 400"; do
	evt failing 30 <<-SCRIPT
		before drop_caches
		try $call
	SCRIPT
done
# poll without a hook could never be woken, so it returns an error.
evt run <<SCRIPT
open f $at/wait r
poll f in 0 => timeout
put $at/control "remove one\n"
poll f in 1000 => in
SCRIPT
rmmod eventfs_client_c
kernel_log | grep -o '[0-9]* queues were made, [0-9]* released' >counts
while read -r made _ _ _ released _; do
	equal "releases" "$made" "$released"
done <counts
grep -q made counts || fail "no message about the module's queues"

# Many directories at once, in a tree that is removed if one of them fails.
insmod "$MODULES/eventfs_synthetic.ko"
before=$(nodes)
evt failing 60 <<SCRIPT
try put $MNT/synthetic/control "create eventfs some 2 5 3\n"
undo put $MNT/synthetic/control "remove eventfs some\n"
SCRIPT
equal "nodes after the trees" "$before" "$(nodes)"
rmmod eventfs_synthetic

# With a listing from the metadata.
mount -o remount,readdir=metadata "$MNT"
evt failing 30 <<SCRIPT
before drop_caches
try ls $MNT/events/irq
SCRIPT
umount "$MNT"
rmmod rust_eventfs
