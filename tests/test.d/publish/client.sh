#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A module's tree is in earlier and in later mounts, and is removed when the module is unloaded
# listings: both
# only: eventfs
# mount: no
# requires: eventfs_client_c.ko

expected() {
	cat <<-END
		client_c
		client_c/clocks
		client_c/clocks/boot
		client_c/clocks/boot/now
		client_c/clocks/boot/reads
		client_c/clocks/real
		client_c/clocks/real/now
		client_c/clocks/real/reads
		client_c/control
		client_c/queues
		client_c/wait
		events/client_c
		events/client_c/queues_changed
		events/client_c/queues_changed/count
	END
}
tree() { # mount
	(cd "$1" && find client_c events/client_c | sort)
}
absent() {
	run <<-'SCRIPT'
		access client_c => ENOENT
		access events/client_c => ENOENT
		access events/client_c/queues_changed/count => ENOENT
		ls . !~ client_c
		ls events !~ client_c
	SCRIPT
}

loaded || insmod "$MODULE"

# Loaded first, then mounted.
insmod "$MODULES/eventfs_client_c.ko"
mount_at "$MNT"
equal "the tree of a later mount" "$(expected)" "$(tree "$MNT")"
run <<'SCRIPT'
stat client_c type mode uid gid nlink => dir 755 0 0 1
stat client_c/queues type mode => dir 755
stat client_c/control type mode => file 200
stat client_c/wait type mode => file 444
stat events/client_c/queues_changed/count type mode => file 444
access client_c/nothing => ENOENT
access client_c/queues/nothing/length => ENOENT
SCRIPT
# Inode numbers and link counts are right, as everywhere.
evt tree -s "$(step)" "$MNT"
rmmod eventfs_client_c
absent

# Mounted first, in two places, then loaded.
mount_at "$TMP/second"
absent
insmod "$MODULES/eventfs_client_c.ko"
equal "the tree in an earlier mount" "$(expected)" "$(tree "$MNT")"
equal "the tree in the other mount" "$(expected)" "$(tree "$TMP/second")"
umount "$TMP/second"
umount "$MNT"
mount_at "$MNT"
equal "the tree after another mount" "$(expected)" "$(tree "$MNT")"
rmmod eventfs_client_c
absent
umount "$MNT"

# Loaded and unloaded without a mount.
insmod "$MODULES/eventfs_client_c.ko"
rmmod eventfs_client_c
equal "references" 0 "$(references)"
rmmod rust_eventfs
