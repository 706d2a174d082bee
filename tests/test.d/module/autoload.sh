#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: mount loads the module by its alias
# only: eventfs
# mount: no
# requires: /lib/modules /proc/sys/kernel/modprobe

! loaded || rmmod rust_eventfs
mount -t eventfs nodev "$MNT"
loaded || fail "mounted without the module"
[ -e "$MNT/events/sched" ]
umount "$MNT"
rmmod rust_eventfs
modprobe rust_eventfs
loaded
modprobe -r rust_eventfs
fails loaded
