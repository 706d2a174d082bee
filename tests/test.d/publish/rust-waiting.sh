#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A module in Rust is unloaded while readers wait in its files, and with a forgotten handle
# only: eventfs
# requires: eventfs_waiting.ko

waiting=$MODULES/eventfs_waiting.ko
for round in 1 2 3; do
	insmod "$waiting"
	run <<-SCRIPT
		open one waiting/wait r
		open two waiting/wait r
		start reader read one 10
		start other read two 10
		finish reader 50 => timeout
		put waiting/open 1
		finish reader 5000 => "open\n"
		finish other 5000 => "open\n"
		put waiting/open 0
		start reader pread one 10 0
		start second pread one 10 0
		start other pread two 10 0
		finish reader 50 => timeout
		finish other 0 => timeout
		rmmod eventfs_waiting
		finish reader 5000 => ENODEV
		finish second 5000 => ENODEV
		finish other 5000 => ENODEV
		access waiting => ENOENT
		read one 10 => ENODEV
	SCRIPT
	equal "drops in round $round" "$round" \
		"$(kernel_log | grep -c 'eventfs_waiting: dropped$')"
done

# Nothing wakes this reader: the forgotten directory is removed all the same,
# and the module stays until the reader ends.
insmod "$waiting" forget=1
exec 3<"$MNT/waiting/readers"
cat "$MNT/waiting/wait" >contents 2>error &
reader=$!
reads() {
	[ "$(cat "$MNT/waiting/readers")" = 1 ]
}
eventually reads
rmmod eventfs_waiting &
removal=$!
removed() {
	[ ! -e "$MNT/waiting" ]
}
eventually removed
usleep 200000
contains "the module" Unloading "$(grep '^eventfs_waiting ' /proc/modules)"
fails cat <&3
equal "drops before the reader ends" 3 \
	"$(kernel_log | grep -c 'eventfs_waiting: dropped$')"
kill "$reader"
wait "$removal"
exec 3<&-
fails grep -q '^eventfs_waiting ' /proc/modules
equal "drops" 4 "$(kernel_log | grep -c 'eventfs_waiting: dropped$')"
wait "$reader" || true
equal "data of the reader" "" "$(cat contents)"
