#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Unloading a module ends the reads that wait in its files, and wakes pollers
# only: eventfs
# requires: eventfs_client_c.ko
# timeout: 120

for round in 1 2 3; do
	insmod "$MODULES/eventfs_client_c.ko"
	run <<-SCRIPT
		open one client_c/wait r
		open two client_c/wait r
		open three client_c/wait r
		start reader read one 10
		start other read one 10
		start second read two 10
		start poller poll three in 60000
		start poller_too poll two in 60000
		finish reader 50 => timeout
		finish poller 50 => timeout
		rmmod eventfs_client_c
		finish reader 5000 => ENODEV
		finish other 5000 => ENODEV
		finish second 5000 => ENODEV
		finish poller 5000 =~ err hup
		finish poller_too 5000 =~ err hup
		access client_c => ENOENT
		read one 10 => ENODEV
		poll three in 60000 =~ err hup
		poll one out 60000 =~ err hup
	SCRIPT
	equal "last message in round $round" "0 queues were made, 0 released" \
		"$(module_said eventfs_client_c)"
done

# The waiting reader is the last user of the detached mount.
insmod "$MODULES/eventfs_client_c.ko"
run <<SCRIPT
open wait client_c/wait r
start reader read wait 10
chdir /
detach $MNT
rmmod eventfs_client_c
finish reader 5000 => ENODEV
SCRIPT
free() {
	[ "$(references)" = 0 ]
}
eventually free
