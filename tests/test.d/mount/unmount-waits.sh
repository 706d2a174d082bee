#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: An unmount waits for a removal that uses dentries of the mount
# only: eventfs
# requires: eventfs_synthetic.ko
# mount: no
# timeout: 120

unloads() {
	grep -q '^eventfs_synthetic .* Unloading ' /proc/modules || [ ! -e /sys/module/eventfs_synthetic ]
}

loaded || insmod "$MODULE"
for _ in $(seq "$(scale 4 2)"); do
	mount_at "$MNT"
	insmod "$MODULES/eventfs_synthetic.ko"
	echo "create eventfs many 0 $(scale 10000 1000) 6" >"$MNT/synthetic/control"
	# A listing instantiates all entries. The removal invalidates them one by one.
	find "$MNT/many" >/dev/null
	rmmod eventfs_synthetic &
	until unloads; do
		:
	done
	umount "$MNT"
	wait "$!"
done
