#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A client in Rust creates and drops directories at run time; their data is dropped with them, once
# listings: both
# only: eventfs
# requires: eventfs_client_rust.ko

insmod "$MODULES/eventfs_client_rust.ko"
long=$(printf '%256s' '' | tr ' ' n)

run <<SCRIPT
cat client_rust/control => EOF
ls client_rust/queues => -
put client_rust/control "add one\n"
put client_rust/control "add two"
cat client_rust/control => "one 64\ntwo 64\n"
ls client_rust/queues => one two

# Invalid commands change nothing.
put client_rust/control "add one" => EEXIST
put client_rust/control "add ." => EINVAL
put client_rust/control "add .." => EINVAL
put client_rust/control "add a/b" => EINVAL
put client_rust/control "add $long" => ENAMETOOLONG
put client_rust/control "add" => EINVAL
put client_rust/control "add a b" => EINVAL
put client_rust/control "sub one" => EINVAL
put client_rust/control "\n" => EINVAL
put client_rust/control "remove three" => ENOENT
put client_rust/control "add $long$long" => E2BIG
ls client_rust/queues => one two
SCRIPT

# The data of the client, the settings and two queues exists. The data of failed
# additions is dropped.
made=$(cat "$MNT/client_rust/stats/made")
dropped=$(cat "$MNT/client_rust/stats/dropped")
equal "existing data" 4 $((made - dropped))

# A queue is removed while its files and its directory are open.
run <<SCRIPT
open f client_rust/queues/one/depth rw
open g client_rust/queues/one/info r
open d client_rust/queues/one r,dir
read f 1 => 6
put client_rust/control "remove one"
cat client_rust/stats/dropped => $((dropped + 1))
access client_rust/queues/one => ENOENT
ls client_rust/queues => two
read f 1 => ENODEV
read g 1 => ENODEV
write f 5 => ENODEV
openat h d depth r =| ENOENT ENODEV
put client_rust/control "remove one" => ENOENT

# A new queue with the old name.
put client_rust/control "add one"
put client_rust/queues/one/depth 7
cat client_rust/queues/one/depth => "7\n"
read f 1 => ENODEV
close f
close g
close d
cat client_rust/queues/one/depth => "7\n"
cat client_rust/stats/dropped => $((dropped + 1))
cat client_rust/stats/made => $((made + 1))
SCRIPT

# Many queues.
run <<SCRIPT
repeat 500
put client_rust/control "add many%{i}"
end
count client_rust/queues => 504
cat client_rust/queues/many499/depth => 64
repeat 500
put client_rust/control "remove many%{i}"
end
ls client_rust/queues => two one
cat client_rust/stats/made => $((made + 501))
cat client_rust/stats/dropped => $((dropped + 501))
SCRIPT
