#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A shell continues to work after its working directory was removed
# upstream: U25
# only: eventfs

echo "p:cwd/here $PROBED" >"$MNT/kprobe_events"
cd "$MNT/events/cwd/here" || exit
grep -q here format
echo -:cwd/here >>../../../kprobe_events
fails cat enable
fails ls "$PWD"
fails cat ../enable
equal "output of ls" "" "$(ls 2>/dev/null || true)"
fails /bin/busybox readlink -f .
cd "$MNT" || exit
[ ! -e events/cwd ]
cd /
umount "$MNT"
