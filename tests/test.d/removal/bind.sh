#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Directories that are bind-mounted elsewhere, or mounted on, can be removed
# upstream: U25
# only: eventfs

mkdir bound other
: >file
run <<SCRIPT
append kprobe_events "p:mounted/from $PROBED\np:mounted/onto $PROBED\n"
bind events/mounted/from $TMP/bound
bind events/mounted/from/enable $TMP/file
bind $TMP/other events/mounted/onto
cat $TMP/file => 0
ls events/mounted/onto => -
append kprobe_events "-:mounted/from\n"
access events/mounted/from => ENOENT
access $TMP/bound/enable => ENOENT
cat $TMP/file =| ENODEV EOF ENOENT
cat /proc/mounts =~ "$MNT/events/mounted/onto"
append kprobe_events "-:mounted/onto\n"
# The removal has an effect before any path walk.
cat /proc/mounts !~ "$MNT/events/mounted/onto"
access events/mounted/onto => ENOENT
access events/mounted => ENOENT
ls events !~ mounted
SCRIPT
# The removal detached the mount on the directory. The bind mounts of it remain.
lacks "mounts" "$MNT/events" "$(cat /proc/mounts)"
umount "$TMP/bound" || true
umount "$TMP/file" || true
lacks "mounts" "$TMP/bound" "$(cat /proc/mounts)"

# As the root of a bind mount in use.
run <<SCRIPT
append kprobe_events "p:mounted/from $PROBED\n"
bind events/mounted $TMP/bound
chdir $TMP/bound/from
append $MNT/kprobe_events "-:mounted/from\n"
access enable => ENOENT
access $MNT/events/mounted => ENOENT
access $TMP/bound/from => ENOENT
chdir /
SCRIPT
umount "$TMP/bound" || true
