#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Modes and owners in a module's tree survive eviction, and end with their file
# upstream: U13
# only: eventfs
# requires: eventfs_client_c.ko

insmod "$MODULES/eventfs_client_c.ko"
echo "add a" >"$MNT/client_c/control"
echo "add b" >"$MNT/client_c/control"
for path in client_c client_c/queues client_c/queues/a client_c/queues/a/limit \
	client_c/clocks/boot/now client_c/wait events/client_c/queues_changed \
	events/client_c/queues_changed/count; do
	attributes_survive "$path"
done
run <<'SCRIPT'
chmod client_c/queues/a/limit 600
chown client_c/queues 7 8
drop_caches
# The attributes of its neighbours are unchanged.
stat client_c/queues/b/limit mode => 644
stat client_c/queues/a/length mode => 444
# A new directory inherits the owner of its parent.
put client_c/control "add c"
stat client_c/queues/c uid gid mode => 7 8 755
stat client_c/queues/c/length uid gid => 7 8
stat client_c/queues/b uid gid => 0 0
# A new directory of the same name has no attributes of the old one.
put client_c/control "remove a"
put client_c/control "add a"
stat client_c/queues/a/limit mode => 644
SCRIPT
# Each mount has its own attributes.
mount_at "$TMP/second" uid=5,gid=6
run <<SCRIPT
chmod client_c/queues/b/limit 640
drop_caches
stat client_c/queues/b/limit mode => 640
stat $TMP/second/client_c/queues/b/limit ??
SCRIPT
