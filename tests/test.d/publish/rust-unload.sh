#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A client in Rust is unloaded with files and directories open: ENODEV, and all data is dropped once
# only: eventfs
# requires: eventfs_client_rust.ko

client=$MODULES/eventfs_client_rust.ko
insmod "$client"
run <<SCRIPT
put client_rust/control "add one"
put client_rust/control "add two"
open f client_rust/queues/one/depth rw
open g client_rust/queues/one/info r
open h client_rust/control rw
open r client_rust/settings/registers rw
open s client_rust/stats/reads r
open never client_rust/queues/two/info r
open d client_rust r,dir
open e client_rust/queues/one r,dir
open p client_rust/queues/two r,dir,path
read f 10 => "64\n"
read g 3 => dep
getdents e 64 ??
rmmod eventfs_client_rust

access client_rust => ENOENT
ls . !~ client_rust
read f 10 => ENODEV
pread f 10 0 => ENODEV
write f 5 => ENODEV
read g 10 => ENODEV
write h "add three" => ENODEV
pread r 10 0 => ENODEV
pwrite r x 0 => ENODEV
read s 10 => ENODEV
read never 10 => ENODEV
openat x d control r =| ENOENT ENODEV
openat x e depth r =| ENOENT ENODEV
openat x p depth r =| ENOENT ENODEV

# Again, with the descriptors of the first time still open.
insmod $client
cat client_rust/stats/reads => 1
read s 10 => ENODEV
put client_rust/control "add one"
cat client_rust/queues/one/depth => 64
read f 10 => ENODEV
openat x d control r =| ENOENT ENODEV
close f
close g
close h
cat client_rust/queues/one/depth => 64
rmmod eventfs_client_rust
close s
close d
SCRIPT

# The data of the top directory, of the settings, and of the queues of each
# time.
equal "data" 'made 4, dropped 4
made 3, dropped 3' "$(kernel_log | sed -n 's/.*eventfs_client_rust: \(made\)/\1/p')"
