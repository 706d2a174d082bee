#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The tree of a client in Rust is in every mount, earlier or later
# only: eventfs
# requires: eventfs_client_rust.ko
# mount: no

loaded || insmod "$MODULE"
client=$MODULES/eventfs_client_rust.ko

# Loaded and changed before the first mount.
insmod "$client"
fails rmmod rust_eventfs
mount_at "$MNT"
run <<'SCRIPT'
cat client_rust/settings/nice => 0
put client_rust/control "add one"
put client_rust/queues/one/depth 9
SCRIPT
umount "$MNT"
mount_at "$MNT"
mount_at "$TMP/second"
evt run -C "$TMP/second" <<'SCRIPT'
cat client_rust/queues/one/depth => 9
put client_rust/control "add two"
SCRIPT
run <<'SCRIPT'
ls client_rust/queues => one two
put client_rust/control "remove one"
SCRIPT
evt run -C "$TMP/second" <<'SCRIPT'
ls client_rust/queues => two
SCRIPT
umount "$TMP/second"

# Unloaded without a mount.
umount "$MNT"
rmmod eventfs_client_rust
mount_at "$MNT"
run <<'SCRIPT'
access client_rust => ENOENT
SCRIPT

# Loaded and unloaded with a mount.
insmod "$client"
run <<'SCRIPT'
ls . =~ events client_rust
cat client_rust/stats/reads => 1
SCRIPT
rmmod eventfs_client_rust
run <<'SCRIPT'
ls . !~ client_rust
access client_rust => ENOENT
SCRIPT
umount "$MNT"
rmmod rust_eventfs
