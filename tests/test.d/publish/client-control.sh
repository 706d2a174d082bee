#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A control file of a module adds and removes directories; a command with an error changes nothing
# only: eventfs
# requires: eventfs_client_c.ko
# timeout: 120

insmod "$MODULES/eventfs_client_c.ko"
name=$(printf '%255s' '' | tr ' ' n)
mount_at "$TMP/second"
# New directories are visible at once, also to processes that did not find them
# before.
run <<SCRIPT
repeat $(scale 200 50)
access client_c/queues/a => ENOENT
access client_c/queues/a/length => ENOENT
put client_c/control "add a"
cat client_c/queues/a/length => 0
cat $TMP/second/client_c/queues/a/length => 0
ls client_c/queues => a
put client_c/control "add b"
ls client_c/queues => a b
ls $TMP/second/client_c/queues => a b
put client_c/control "remove a"
access client_c/queues/a => ENOENT
access client_c/queues/a/length => ENOENT
access $TMP/second/client_c/queues/a/length => ENOENT
ls client_c/queues => b
put client_c/queues/b/push x
put client_c/control "remove b\n"
# A new directory with an old name.
put client_c/control "add b\n"
cat client_c/queues/b/length => 0
put client_c/control "remove b"
ls client_c/queues => -
end
SCRIPT
run <<SCRIPT
put client_c/control "add a"
put client_c/queues/a/push x
put client_c/control "add a" => EEXIST
put client_c/control "remove c" => ENOENT
put client_c/control "remove length" => ENOENT
put client_c/control "" ??
put client_c/control "\n" => EINVAL
put client_c/control " " => EINVAL
put client_c/control add => EINVAL
put client_c/control "add " => EINVAL
put client_c/control remove => EINVAL
put client_c/control "rename a" => EINVAL
put client_c/control "ADD a" => EINVAL
put client_c/control "add ." => EINVAL
put client_c/control "add .." => EINVAL
put client_c/control "add a/b" => EINVAL
put client_c/control "remove a/length" => EINVAL
put client_c/control "add ${name}n" => ENAMETOOLONG
put client_c/control "remove ${name}n" => ENAMETOOLONG
open control client_c/control w
writemany control a 301 => E2BIG
writemany control a 100000 => E2BIG
close control
# None of these commands has changed anything.
ls client_c/queues => a
cat client_c/queues/a/length => 1
cat events/client_c/queues_changed/count => $(($(scale 200 50) * 6 + 1))
put client_c/control "add $name"
cat client_c/queues/$name/length => 0
put client_c/control "remove $name"
ls client_c/queues => a
SCRIPT

# Open files and directories of a removed queue.
run <<'SCRIPT'
open length client_c/queues/a/length r
open limit client_c/queues/a/limit rw
open push client_c/queues/a/push w
open half client_c/queues/a/length r
read half 1 => 1
open dir client_c/queues/a r,dir
open path client_c/queues/a/length r,path
chdir client_c/queues/a
put ../../control "remove a"
read length 10 => ENODEV
pread length 10 0 => ENODEV
read half 10 => ENODEV
read limit 10 => ENODEV
write limit 5 => ENODEV
write push x => ENODEV
# poll returns at once, with events or without.
poll length in 1000
openat f dir length r => ENOENT
reopen f path r =| ENODEV ENOENT ESTALE
access length => ENOENT
fstat length type => file
SCRIPT
run <<'SCRIPT'
put client_c/control "add a"
cat client_c/queues/a/length => 0
SCRIPT
umount "$TMP/second"
umount "$MNT"
rmmod eventfs_client_c
count=$(($(scale 200 50) * 3 + 3))
equal "last message of the module" "$count queues were made, $count released" \
	"$(module_said eventfs_client_c)"
