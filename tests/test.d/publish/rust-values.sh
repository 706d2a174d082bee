#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The files of a client in Rust show live values, accept valid ones, and refuse all others
# only: eventfs
# requires: eventfs_client_rust.ko

insmod "$MODULES/eventfs_client_rust.ko"

run <<'SCRIPT'
ls client_rust =~ control uptime_ns stats settings queues
ls client_rust/stats => reads made dropped version
stat client_rust mode type => 755 dir
stat client_rust/control mode type => 644 file
stat client_rust/stats/reads mode => 444
stat client_rust/stats/version mode => 400
stat client_rust/settings/registers mode => 600

# Each read from the start gets a new value, which stays the same up to its end.
open f client_rust/stats/reads r
read f 1 => "1"
read f 20 => "\n"
read f 20 => EOF
seek f 0 set => 0
read f 20 => "2\n"
pread f 20 0 => "3\n"
close f
cat client_rust/stats/reads => "4\n"
cat client_rust/stats/version => "1.0\n"

# A file without a write operation: even root, who may open it, cannot write it.
open f client_rust/stats/reads rw
write f 1 => EINVAL
close f

# A number.
cat client_rust/settings/nice => "0\n"
put client_rust/settings/nice -20
cat client_rust/settings/nice => "-20\n"
put client_rust/settings/nice 0x10
cat client_rust/settings/nice => "16\n"
put client_rust/settings/nice " 5 \n"
cat client_rust/settings/nice => "5\n"
put client_rust/settings/nice 20 => ERANGE
put client_rust/settings/nice -21 => ERANGE
put client_rust/settings/nice 99999999999999999999 => ERANGE
put client_rust/settings/nice five => EINVAL
put client_rust/settings/nice 5five => EINVAL
put client_rust/settings/nice "\n" => EINVAL
open f client_rust/settings/nice rw
write f "" => 0
write f 7 => 1
writehex f 38 00 => 2
writehex f 39 00 39 => EINVAL
writemany f 1 4096 => ERANGE
writemany f 1 4097 => E2BIG
pwrite f 5 0 => ESPIPE
# The write has not moved the position.
read f 10 => "8\n"
close f

# Bytes at offsets.
open f client_rust/settings/registers rw
write f abcd => 4
read f 0 => EOF
pread f 4 0 => abcd
pread f 2 2 => cd
seek f 14 set => 14
write f xyz => 2
write f z => ENOSPC
read f 4 => EOF
pread f 4 14 => xy
pwrite f z 16 => ENOSPC
pread f 4 99 => EOF
seek f -1 set => EINVAL
close f
SCRIPT

one=$(cat "$MNT/client_rust/uptime_ns")
two=$(cat "$MNT/client_rust/uptime_ns")
[ "$two" -gt "$one" ] || fail "uptime: $one, then $two"

echo 'add q0' >"$MNT/client_rust/control"
evt run -C "$MNT/client_rust/queues/q0" <<'SCRIPT'
ls . =~ depth enabled label info
cat depth => "64\n"
put depth 1024
cat depth => "1024\n"
put depth 1025 => ERANGE
put depth -1 => EINVAL
put depth 18446744073709551616 => ERANGE
cat depth => "1024\n"

cat enabled => "0\n"
access used => ENOENT
put enabled on
cat enabled => "1\n"
ls . =~ used
cat used => "0\n"
put enabled 2 => EINVAL
put enabled ""
cat enabled => "1\n"
put enabled n
cat enabled => "0\n"
# The kernel asks for the existence of a file at its look-up only.
drop_caches
access used => ENOENT
ls . !~ used

cat label => "q0\n"
put label "two words\n"
cat label => "two words\n"
open f label w
writemany f x 65 => E2BIG
writehex f ff => EINVAL
writehex f 61 00 62 => EINVAL
writemany f x 64 => 64
close f
put label last
cat info => "depth 1024\nenabled false\nlabel last\n"
SCRIPT
