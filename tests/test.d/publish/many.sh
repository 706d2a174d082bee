#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: 100,000 directories are created, listed, looked up and removed
# listings: both
# only: eventfs
# requires: eventfs_synthetic.ko
# timeout: 300

count=$(scale 100000 4000)
last=$(printf 'event_%06d' $((count - 1)))
middle=$(printf 'event_%06d' $((count / 2)))
next=$(printf 'event_%06d' "$count")
insmod "$MODULES/eventfs_synthetic.ko"
count_cached

look() {
	run <<-SCRIPT
		stat many/event_000000 type mode nlink => dir 755 1
		cat many/event_000000/id => "id 0\n"
		cat many/$middle/format => "format $((count / 2))\n"
		cat many/$last/trigger => "trigger $((count - 1))\n"
		ls many/$last => enable filter format hist id trigger
		access many/$next => ENOENT
		access many/event_00000 => ENOENT
		access many/$last/nothing => ENOENT
		put many/$middle/enable 1
		cat many/$middle/enable => 1
		cat many/$last/enable => 0
		put many/$middle/enable 0
	SCRIPT
}
for round in 1 2; do
	echo "create eventfs many 0 $count 6" >"$MNT/synthetic/control"
	status=$(cat "$MNT/synthetic/status")
	contains "status" "directories: $((count + 1))" "$status"
	contains "status" "files: $((count * 6))" "$status"
	look
	run <<-SCRIPT
		count many => $((count + 2))
		drop_caches
	SCRIPT
	look
	# In order, each name once.
	find "$MNT/many" -mindepth 1 -maxdepth 1 >names
	equal "the first name" "$MNT/many/event_000000" "$(head -n 1 names)"
	equal "the last name" "$MNT/many/$last" "$(tail -n 1 names)"
	sort -u names | cmp - names || fail "round $round: not each name once, in order"
	equal "number of names" "$count" "$(wc -l <names)"
	# Half of the directories were listed, and one is open.
	run <<-SCRIPT
		open one many/$middle/id r
		open dir many/$last r,dir
		put synthetic/control "remove eventfs many"
		read one 10 => ENODEV
		access many => ENOENT
		openat f dir id r => ENOENT
	SCRIPT
	status=$(cat "$MNT/synthetic/status")
	contains "status" "directories: $((count + 1))" "$status"
done
nothing_leaked 40

# With systems, and removed by the module's exit.
echo "create eventfs many 100 $((count / 100)) 6" >"$MNT/synthetic/control"
last=$(printf 'event_%06d' $((count / 100 - 1)))
run <<SCRIPT
cat many/sys_000/event_000000/id => "id 0\n"
cat many/sys_099/$last/id => "id $((count - 1))\n"
count many => 102
count many/sys_050 => $((count / 100 + 2))
open id many/sys_099/$last/id r
rmmod eventfs_synthetic
read id 10 => ENODEV
access many => ENOENT
access synthetic => ENOENT
SCRIPT
nothing_leaked 40
