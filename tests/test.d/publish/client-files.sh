#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Files of a module show live values, accept valid ones, and refuse invalid ones
# only: eventfs
# requires: eventfs_client_c.ko

insmod "$MODULES/eventfs_client_c.ko"
run <<'SCRIPT'
# The clock runs, and its reads are counted.
cat client_c/clocks/boot/reads => 0
let first cat client_c/clocks/boot/now
cat client_c/clocks/boot/now !~ %{first}
cat client_c/clocks/boot/reads => 2
cat client_c/clocks/real/reads => 0
# The same through one open file.
open now client_c/clocks/boot/now r
let first read now 100
seek now 0 set => 0
read now 100 !~ %{first}
cat client_c/clocks/boot/reads => 4
read now 100 => EOF
pread now 100 0
close now
open w client_c/clocks/boot/now w
write w 1 =| EINVAL EBADF EIO
close w

put client_c/control "add one"
ls client_c/queues/one => length limit push
stat client_c/queues/one/limit type mode => file 644
stat client_c/queues/one/push type mode => file 200
cat client_c/queues/one/length => "0\n"
cat client_c/queues/one/limit => "4\n"
open length client_c/queues/one/length r
read length 10 => "0\n"
put client_c/queues/one/push x
seek length 0 set => 0
read length 10 => "1\n"
put client_c/queues/one/push x
cat client_c/queues/one/length => "2\n"
put client_c/queues/one/limit "1\n" => EBUSY
put client_c/queues/one/limit 4294967296 => ERANGE
put client_c/queues/one/limit none => EINVAL
cat client_c/queues/one/limit => "4\n"
put client_c/queues/one/limit "0x3\n"
cat client_c/queues/one/limit => "3\n"
put client_c/queues/one/push x
# A file that exists only from now on, also for processes that did not find it
# before.
access client_c/queues/one/overruns => ENOENT
put client_c/queues/one/push x => ENOSPC
cat client_c/queues/one/overruns => "1\n"
ls client_c/queues/one => length limit push overruns
put client_c/queues/one/push x => ENOSPC
cat client_c/queues/one/overruns => "2\n"
put client_c/control "add two"
access client_c/queues/two/overruns => ENOENT
cat client_c/queues/two/length => "0\n"
# Reads or writes of files without them, opens in the wrong mode, and calls that
# are never forwarded.
open p client_c/queues/one/push w
read p 10 => EBADF
mmap p 4096 =| ENODEV EACCES
close p
open l client_c/queues/one/length r
mmap l 4096 => ENODEV
close l
SCRIPT
# Another user has the rights of the modes.
run <<SCRIPT
chmod . 755
user 1000 1000
cat client_c/queues/one/length => 3
put client_c/queues/one/limit 9 => EACCES
put client_c/control "add three" => EACCES
access client_c/queues/three => ENOENT
SCRIPT
# No user can change names, as everywhere in eventfs.
run <<'SCRIPT'
mkdir client_c/queues/mine => EPERM
rmdir client_c/queues/one => EPERM
unlink client_c/queues/one/length => EPERM
rename client_c/queues/one client_c/queues/three => EPERM
SCRIPT
