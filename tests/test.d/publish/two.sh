#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Modules have no effect on each other's trees or on the kernel's events
# listings: both
# only: eventfs
# requires: eventfs_client_c.ko eventfs_synthetic.ko eventfs_careless.ko

insmod "$MODULES/eventfs_client_c.ko"
insmod "$MODULES/eventfs_synthetic.ko"
insmod "$MODULES/eventfs_careless.ko" forget=1
run <<SCRIPT
ls . =~ client_c synthetic careless events tracing_on
ls events =~ client_c careless sched
put client_c/control "add a"
put synthetic/control "create eventfs tree 2 3 5"
append kprobe_events "p:mine/one $PROBED\n"
access events/mine/one/enable
# Names in use by others.
put synthetic/control "create eventfs client_c 1 1 1" => EEXIST
put synthetic/control "create eventfs careless 1 1 1" => EEXIST
put synthetic/control "create eventfs tracing_on 1 1 1" => EEXIST
put synthetic/control "remove eventfs careless" => ENOENT
access careless/outer/fine
open a client_c/queues/a/length r
open b tree/sys_001/event_000002/id r
open c careless/outer/fine r
open d events/mine/one/enable r
rmmod eventfs_careless
read c 10 => ENODEV
read a 10 => 0
read b 10 => "id 5\n"
read d 10 => 0
ls . =~ client_c synthetic tree events
ls . !~ careless
ls events !~ careless
rmmod eventfs_client_c
read a 10 => ENODEV
seek b 0 set => 0
read b 10 => "id 5\n"
ls . =~ synthetic tree events
ls . !~ client_c
append kprobe_events "-:mine/one\n"
access events/mine => ENOENT
insmod $MODULES/eventfs_client_c.ko
access client_c/queues/a => ENOENT
put client_c/control "add a"
cat client_c/queues/a/length => 0
rmmod eventfs_synthetic
read b 10 => ENODEV
cat client_c/queues/a/length => 0
access tree => ENOENT
SCRIPT
evt compare -o -s "$(step)" "$TRACEFS/events/sched" "$MNT/events/sched"
