#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Modules that publish need rust_eventfs, and keep it loaded
# only: eventfs
# requires: eventfs_client_c.ko eventfs_synthetic.ko
# mount: no

! loaded || rmmod rust_eventfs
evt run <<SCRIPT
insmod $MODULES/eventfs_client_c.ko => ENOENT
insmod $MODULES/eventfs_synthetic.ko => ENOENT
insmod $MODULE
rmmod rust_eventfs
insmod $MODULES/eventfs_client_c.ko => ENOENT
insmod $MODULE
insmod $MODULES/eventfs_client_c.ko
rmmod rust_eventfs => EAGAIN
insmod $MODULES/eventfs_synthetic.ko
rmmod rust_eventfs => EAGAIN
rmmod eventfs_client_c
rmmod rust_eventfs => EAGAIN
mount nodev $MNT eventfs ""
rmmod eventfs_synthetic
rmmod rust_eventfs =| EBUSY EAGAIN
umount $MNT
rmmod rust_eventfs
SCRIPT
contains "kernel log" "Unknown symbol eventfs_" "$(kernel_log)"
# modprobe loads the modules in the right order.
modprobe eventfs_client_c
loaded || fail "the client was loaded without rust_eventfs"
modprobe -r eventfs_client_c
! loaded || rmmod rust_eventfs
