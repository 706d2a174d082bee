#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Programs register their own events through user_events_data
# requires: user_events_data

run <<'SCRIPT'
open u user_events_data rw
write u "xxxx" => ENOENT
ioctl u 0x5401 => ENOTTY
access events/user_events => ENOENT
user_reg u "eventfs_test u32 number" => 0
ls events/user_events =~ eventfs_test
cat events/user_events/eventfs_test/format =~ "name: eventfs_test" "u32 number"
cat user_events_status =~ "eventfs_test"
put events/user_events/eventfs_test/enable 1
write u "\0\0\0\0abcd" => 8
# As in the kernel's documentation of user events.
writev u "\0\0\0\0" efgh => 8
writev u "\0\0" "\0\0ijkl" => 8
write u "\0\0\0\0" => EINVAL
writev u "\0\0\0\0" "" => EINVAL
cat trace =~ "number=0x64636261" "number=0x68676665" "number=0x6c6b6a69"
put events/user_events/eventfs_test/enable 0
seek u 0 set => ESPIPE
close u
SCRIPT
