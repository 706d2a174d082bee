#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A mount after the last unmount has no options of an earlier one
# upstream: U14 U31
# only: eventfs
# mount: no

stats=/sys/kernel/debug/eventfs/stats
loaded || insmod "$MODULE"

# A reader of the statistics uses the super block meanwhile.
(while :; do cat "$stats" >/dev/null; done) &
for round in $(seq "$(scale 60 15)"); do
	mount_at "$MNT" uid=1000,gid=1001,mode=751
	equal "options of the first mount, round $round" uid=1000,gid=1001,mode=751 \
		"$(mount_options "$MNT")"
	chmod 755 "$MNT/tracing_on"
	ls "$MNT/events" >/dev/null
	umount "$MNT"
	mount_at "$MNT" ''
	equal "options of the next mount, round $round" '' "$(mount_options "$MNT")"
	run <<-SCRIPT
		stat . uid gid mode => 0 0 700
		stat tracing_on uid gid mode => 0 0 640
	SCRIPT
	umount "$MNT"
done
