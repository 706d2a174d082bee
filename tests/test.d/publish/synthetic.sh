#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The same synthetic tree looks the same in eventfs, debugfs and sysfs
# only: eventfs
# requires: eventfs_synthetic.ko /sys/kernel/debug
# timeout: 180

insmod "$MODULES/eventfs_synthetic.ko"
place() { # kind
	case $1 in
	eventfs) echo "$MNT" ;;
	debugfs) echo /sys/kernel/debug ;;
	sysfs) echo /sys/kernel ;;
	esac
}
# Names, types, modes and contents of a tree.
describe() { # kind
	(
		cd "$(place "$1")/synth" || exit
		find . | sort
		find . -exec stat -c '%n %F %a' {} + | sed 's/regular empty file/regular file/' | sort
		find . -type f -exec grep -H . {} + | sort
	)
}
control() { # command
	echo "$1" >"$MNT/synthetic/control"
}
for shape in "0 7 3" "3 5 6" "2 3 64" "2 0 1" "0 0 0" "1 2 0" "$(scale '10 30 8' '4 10 8')"; do
	# shellcheck disable=SC2086 # Three words.
	set -- $shape
	systems=$1 events=$2 files=$3
	all=$(((systems > 0 ? systems : 1) * events))
	for kind in eventfs debugfs sysfs; do
		control "create $kind synth $shape"
		equal "status" "command: create $kind synth $shape
error: 0
directories: $((1 + systems + all))
files: $((all * files))" "$(head -n 4 "$MNT/synthetic/status")"
		describe "$kind" >"tree.$kind"
		equal "$kind: directories" $((1 + systems + all)) \
			"$(find "$(place "$kind")/synth" -type d | wc -l)"
		equal "$kind: files" $((all * files)) \
			"$(find "$(place "$kind")/synth" -type f | wc -l)"
	done
	diff tree.eventfs tree.debugfs || fail "eventfs and debugfs differ"
	diff tree.eventfs tree.sysfs || fail "eventfs and sysfs differ"
	if [ "$systems" = 3 ]; then
		# Each event has its own value.
		for kind in eventfs debugfs sysfs; do
			evt run -C "$(place "$kind")/synth" <<-'SCRIPT'
				put sys_001/event_000003/enable 1
				put sys_002/event_000004/enable "1\n"
				put sys_000/event_000000/enable yes
				put sys_000/event_000001/enable x => EINVAL
				put sys_002/event_000004/enable 0
				cat sys_001/event_000003/enable => 1
				cat sys_002/event_000004/enable => 0
				cat sys_000/event_000000/enable => 1
				cat sys_000/event_000001/enable => 0
				cat sys_001/event_000003/filter => "filter 8\n"
				cat sys_002/event_000004/trigger => "trigger 14\n"
			SCRIPT
			describe "$kind" >"tree.$kind"
		done
		diff tree.eventfs tree.debugfs || fail "eventfs and debugfs differ afterwards"
		diff tree.eventfs tree.sysfs || fail "eventfs and sysfs differ afterwards"
	fi
	for kind in eventfs debugfs sysfs; do
		control "remove $kind synth"
		[ ! -e "$(place "$kind")/synth" ]
	done
done

# The directories are removed one by one, and the top of the tree stays.
for kind in eventfs debugfs sysfs; do
	control "create $kind synth 0 7 3"
	exec 3<"$(place "$kind")/synth/event_000003/filter"
	control "empty $kind synth"
	equal "$kind: status" "command: empty $kind synth
error: 0
directories: 7
files: 21" "$(head -n 4 "$MNT/synthetic/status")"
	equal "$kind: rest" "" "$(ls "$(place "$kind")/synth")"
	fails cat <&3
	exec 3<&-
	control "empty $kind synth"
	control "remove $kind synth"
	[ ! -e "$(place "$kind")/synth" ]
done

run <<'SCRIPT'
put synthetic/control "create eventfs one 1 1 1"
put synthetic/control "create eventfs one 1 1 1" => EEXIST
cat synthetic/status =~ "error: -17"
put synthetic/control "create debugfs one 1 1 1"
put synthetic/control "create sysfs one 1 1 1"
put synthetic/control "remove eventfs two" => ENOENT
put synthetic/control "remove eventfs one two" => EINVAL
put synthetic/control "remove eventfs" => EINVAL
put synthetic/control "\n" => EINVAL
put synthetic/control "create" => EINVAL
put synthetic/control "create eventfs two" => EINVAL
put synthetic/control "create eventfs two 1 1" => EINVAL
put synthetic/control "create eventfs two 1 1 1 1" => EINVAL
put synthetic/control "create eventfs two -1 1 1" => EINVAL
put synthetic/control "create eventfs two 1 1 x" => EINVAL
put synthetic/control "create ramfs two 1 1 1" => EINVAL
put synthetic/control "destroy eventfs one" => EINVAL
put synthetic/control "empty eventfs one" => EINVAL
put synthetic/control "empty eventfs two" => ENOENT
put synthetic/control "empty eventfs" => EINVAL
put synthetic/control "create eventfs a/b 1 1 1" => EINVAL
put synthetic/control "create sysfs .. 1 1 1" => EINVAL
put synthetic/control "create eventfs events 1 1 1" => EEXIST
put synthetic/control "create eventfs synthetic 1 1 1" => EEXIST
put synthetic/control "create eventfs two 1 1 65" => E2BIG
put synthetic/control "create eventfs two 1001 1000 1" => E2BIG
put synthetic/control "create eventfs two 65536 65536 1" => E2BIG
put synthetic/control "create eventfs two 0 1000001 1" => E2BIG
put synthetic/control "create eventfs two 1000001 0 1" => E2BIG
open control synthetic/control w
writemany control x 256 => E2BIG
close control
access two => ENOENT
# Open files in all three, while the module is unloaded.
open a one/sys_000/event_000000/enable rw
open b /sys/kernel/debug/one/sys_000/event_000000/enable r
open c /sys/kernel/one/sys_000/event_000000/enable r
read a 10 => 0
# Only a file of debugfs pins the module.
rmmod eventfs_synthetic => EAGAIN
put synthetic/control "remove debugfs one"
read b 10 => EIO
close b
rmmod eventfs_synthetic
read a 10 => ENODEV
write a 1 => ENODEV
read c 10 => ENODEV
access one => ENOENT
access /sys/kernel/debug/one => ENOENT
access /sys/kernel/one => ENOENT
SCRIPT

# A creation that is killed, or whose module is unloaded, leaves nothing behind.
insmod "$MODULES/eventfs_synthetic.ko"
started() { # kind
	[ -e "$(place "$1")/big/sys_000" ]
}
for kind in eventfs debugfs; do
	control "create $kind big 1000 1000 1" &
	creator=$!
	eventually started "$kind" || fail "$kind: nothing is being made"
	kill -9 "$creator"
	status=0
	wait "$creator" || status=$?
	equal "$kind: exit status of the writer" 137 "$status"
	[ ! -e "$(place "$kind")/big" ]
	contains "status" "error: -4" "$(cat "$MNT/synthetic/status")"
done
control "create eventfs big 1000 1000 1" 2>errors &
creator=$!
eventually started eventfs || fail "nothing is being made"
rmmod eventfs_synthetic
fails wait "$creator"
[ ! -e "$MNT/big" ]
