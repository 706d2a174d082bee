#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A module's subsystem is in events, next to the kernel's, and hides one with the same name
# listings: both
# only: eventfs
# requires: eventfs_client_c.ko kprobe_events

for first in module mount; do
	if [ "$first" = mount ]; then
		ls "$MNT/events" >/dev/null
	fi
	insmod "$MODULES/eventfs_client_c.ko"
	run <<-SCRIPT
		ls events =~ sched irq client_c enable header_page
		stat events/client_c type mode => dir 755
		ls events/client_c => queues_changed
		cat events/client_c/queues_changed/count => 0
		put client_c/control "add a"
		cat events/client_c/queues_changed/count => 1
		# The subsystem has none of the kernel's files.
		access events/client_c/enable => ENOENT
		access events/client_c/queues_changed/format => ENOENT
		# Changes next to it have no effect on it.
		open count events/client_c/queues_changed/count r
		append kprobe_events "p:near/one $PROBED\n"
		ls events =~ near client_c sched
		append kprobe_events "-:near/one\n"
		access events/near => ENOENT
		read count 10 => 1
		put events/sched/enable 1
		cat events/enable => X
		put events/sched/enable 0
		put events/enable 0
		# A probe in a group with the same name is hidden as long as the
		# subsystem exists.
		append kprobe_events "p:client_c/queues_changed $PROBED\n"
		cat kprobe_events =~ client_c/queues_changed
		ls events/client_c/queues_changed => count
		seek count 0 set => 0
		read count 10 => 1
		drop_caches
		ls events/client_c => queues_changed
		access events/client_c/queues_changed/enable => ENOENT
		rmmod eventfs_client_c
		read count 10 => ENODEV
		access events/client_c/queues_changed/enable
		access events/client_c/queues_changed/count => ENOENT
		ls events/client_c =~ enable filter queues_changed
		# The group was first, so the module cannot publish this name.
		# The kernel turns a module's EEXIST into EBUSY.
		insmod $MODULES/eventfs_client_c.ko => EBUSY
		access client_c => ENOENT
		access events/client_c/queues_changed/enable
		append kprobe_events "-:client_c/queues_changed\n"
		access events/client_c => ENOENT
		ls events !~ client_c
		insmod $MODULES/eventfs_client_c.ko
		access events/client_c/queues_changed/count
		rmmod eventfs_client_c
	SCRIPT
done

# A removed group does not keep its name, whether it was looked up before or
# not, and without a look-up since.
for look in "access events/client_c/one/enable" "ls events" "access events/sched"; do
	run <<-SCRIPT
		append kprobe_events "p:client_c/one $PROBED\n"
		$look
		append $TRACEFS/kprobe_events "-:client_c/one\n"
		insmod $MODULES/eventfs_client_c.ko
		ls events/client_c => queues_changed
		rmmod eventfs_client_c
	SCRIPT
done
