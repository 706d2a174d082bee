#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Only root of the initial user namespace can mount the file system
# mount: no

loaded || [ "$TYPE" = tracefs ] || insmod "$MODULE"
# Root of a user namespace.
fails unshare -U -r -m mount -t "$TYPE" nodev "$MNT"
lacks "mounts" " $MNT " "$(cat /proc/mounts)"
