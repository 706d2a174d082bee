#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The file system is mounted by the owner of the machine alone
# mount: no

loaded || [ "$TYPE" = tracefs ] || insmod "$MODULE"
# Root in a user namespace of his own.
fails unshare -U -r -m mount -t "$TYPE" nodev "$MNT"
lacks "mounts" " $MNT " "$(cat /proc/mounts)"
