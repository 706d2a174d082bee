#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A reader that waits in a module's file is woken by its event and by signals
# only: eventfs
# requires: eventfs_client_c.ko

insmod "$MODULES/eventfs_client_c.ko"
run <<'SCRIPT'
open wait client_c/wait r,nonblock
read wait 10 => EAGAIN
poll wait in 0 => timeout
put client_c/control "add a"
poll wait in 0 => in
read wait 10 => "1\n"
poll wait in 0 => timeout
read wait 10 => EAGAIN
seek wait 0 set => ESPIPE
setflags wait r
start reader read wait 10
finish reader 50 => timeout
put client_c/control "add a" => EEXIST
finish reader 50 => timeout
put client_c/control "remove a"
finish reader 5000 => "2\n"
start poller poll wait in 20000
finish poller 50 => timeout
put client_c/control "add a"
finish poller 5000 => in
read wait 10 => "3\n"
# The removal of a queue does not wake readers of another file.
start reader read wait 10
put client_c/control "remove a"
finish reader 5000 => "4\n"
SCRIPT
cat "$MNT/client_c/wait" &
reader=$!
asleep() {
	read -r _ _ state _ <"/proc/$reader/stat"
	[ "$state" = S ]
}
eventually asleep
kill "$reader"
status=0
wait "$reader" || status=$?
equal "exit status of the reader" 143 "$status"
