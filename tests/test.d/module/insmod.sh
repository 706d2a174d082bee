#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: insmod without parameters registers the file system type, and rmmod unregisters it
# only: eventfs
# mount: no

! loaded || rmmod rust_eventfs
type_known() {
	grep -q '^nodev	eventfs$' /proc/filesystems
}
fails type_known
insmod "$MODULE"
type_known
equal "references" 0 "$(references)"
# Loading mounts nothing.
lacks "mounts" " eventfs " "$(cat /proc/mounts)"
fails insmod "$MODULE"
mount -t eventfs nodev "$MNT"
contains "mounts" "nodev $MNT eventfs rw,relatime 0 0" "$(cat /proc/mounts)"
at_least "references" 1 "$(references)"
umount "$MNT"
equal "references" 0 "$(references)"
rmmod rust_eventfs
fails type_known
fails mount -t eventfs-nothing nodev "$MNT"
