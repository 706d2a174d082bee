#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A module can be unloaded while its files are open: calls on them return ENODEV
# only: eventfs
# requires: eventfs_client_c.ko
# timeout: 120

round() { # what comes before the unloading
	insmod "$MODULES/eventfs_client_c.ko"
	run <<-SCRIPT
		put client_c/control "add a"
		put client_c/control "add b"
		put client_c/queues/a/push x
		open now client_c/clocks/boot/now r
		open fresh client_c/clocks/boot/now r
		open count events/client_c/queues_changed/count r
		open length client_c/queues/a/length r
		open limit client_c/queues/b/limit rw
		open push client_c/queues/b/push w
		open control client_c/control w
		open wait client_c/wait r,nonblock
		open path client_c/queues/a/length r,path
		dup copy length
		read now 100
		read length 1 => 1
		write limit 7
		poll wait in 0 => timeout
		$1
		# Open files do not pin the module.
		rmmod eventfs_client_c
		access $MNT/client_c => ENOENT
		access $MNT/events/client_c => ENOENT
		read now 100 => ENODEV
		read fresh 100 => ENODEV
		read fresh 0 =| ENODEV EOF
		pread count 10 0 => ENODEV
		read length 10 => ENODEV
		read copy 10 => ENODEV
		readv length 10 => ENODEV
		seek length 0 set => ENODEV
		read limit 10 => ENODEV
		write limit 5 => ENODEV
		writev limit 5 5 => ENODEV
		write push x => ENODEV
		write control "add c" => ENODEV
		read wait 10 => ENODEV
		fsync limit =| ENODEV EINVAL
		poll wait in 1000 =~ err hup
		poll limit out 1000
		fstat length type mode => file 444
		fstat path type => file
		reopen f path r =| ENODEV ENOENT ESTALE
		reopen f length r =| ENODEV ENOENT ESTALE
		drop_caches
		read length 10 => ENODEV
		close length
		read copy 10 => ENODEV
		close copy
		close now
		close wait
		close control
	SCRIPT
	equal "last message of the module" "2 queues were made, 2 released" \
		"$(module_said eventfs_client_c)"
	fails grep -q '^eventfs_client_c ' /proc/modules
}
round ""
# With the mount detached, the open files have no path.
mount_at "$TMP/second"
umount "$TMP/second"
round "detach $MNT"
mount_at "$MNT"
round "drop_caches"
# A module that is loaded again does not revive files that are open.
insmod "$MODULES/eventfs_client_c.ko"
run <<SCRIPT
open count events/client_c/queues_changed/count r
open control client_c/control w
write control "add a"
rmmod eventfs_client_c
insmod $MODULES/eventfs_client_c.ko
read count 10 => ENODEV
write control "add a" => ENODEV
ls client_c/queues => -
cat events/client_c/queues_changed/count => 0
put client_c/control "add a"
cat client_c/queues/a/length => 0
read count 10 => ENODEV
SCRIPT
umount "$MNT"
rmmod eventfs_client_c
equal "references" 0 "$(references)"
