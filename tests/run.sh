#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs the tests in the guest and prints their results as KTAP.
#
# usage: run.sh [-d] [-l] [PATTERN...]
#
#   -d  print the whole log of each test
#   -l  list the tests and their descriptions, and run none
#
# A PATTERN is a part of a test's name (as in mount/remount).  Environment:
# EVENTFS_TYPE=tracefs runs the tests on the kernel's own file system, to show
# that the tests are right.
set -eu
export LC_ALL=C

TESTS=$(cd "$(dirname "$0")" && pwd)
TYPE=${EVENTFS_TYPE:-eventfs}
TRACEFS=/sys/kernel/tracing
MODULES=${TESTS%/*}/modules
MODULE=${TESTS%/*}/rust_eventfs.ko
BASE=/tmp/eventfs-tests
MNT=$BASE/mnt
TMP=$BASE/tmp
KERNEL=normal
if [ -r "${TESTS%/*}/kernel" ]; then
	read -r KERNEL <"${TESTS%/*}/kernel"
fi
export TESTS TYPE TRACEFS MODULES MODULE MNT TMP KERNEL

# Reads the tags in the comments that a test begins with.
read_tags() { # file
	description='' upstream='' requires='' only='' order='' limit=60 mounts=yes listings=
	while read -r mark key value; do
		case $mark in
		'#!'*) continue ;;
		'#') ;;
		*) break ;;
		esac
		case $key in
		description:) description=$value ;;
		upstream:) upstream=$value ;;
		requires:) requires=$value ;;
		only:) only=$value ;;
		order:) order=$value ;;
		timeout:) limit=$value ;;
		mount:) mounts=$value ;;
		listings:) listings=$value ;;
		esac
	done <"$1"
}

# Lists the tests whose name contains one of the patterns: those that must be
# first, those without an order, those that must be last.
select_tests() { # pattern...
	for wanted in first '' last; do
		find "$TESTS/test.d" -mindepth 2 -maxdepth 2 -name '*.sh' | sort |
			while read -r file; do
				name=${file#"$TESTS"/test.d/}
				name=${name%.sh}
				[ $# -gt 0 ] || set -- ''
				chosen=
				for pattern; do
					case $name in
					*"$pattern"*) chosen=yes ;;
					esac
				done
				[ -n "$chosen" ] || continue
				read_tags "$file"
				[ "$order" = "$wanted" ] || continue
				echo "$name"
				if [ "$listings" = both ] && [ "$TYPE" = eventfs ]; then
					echo "$name,readdir=metadata"
				fi
			done
	done
}

# Prefixes lines as KTAP's diagnostics.
diagnostics() {
	sed 's/^/# /'
}

# Prints the time since the boot in hundredths of a second.
now() {
	read -r uptime _ </proc/uptime
	whole=${uptime%.*} part=${uptime#*.}
	echo $((whole * 100 + ${part#0}))
}

# Prints what changes when the kernel reports trouble: its taint, without the bits
# that loading our module sets, and the state of lockdep.
health() {
	# cat, because read reads byte by byte, and this file returns its text only once.
	taint=$(cat /proc/sys/kernel/tainted)
	# 4096: a module from out of tree; 8192: one without a signature;
	# 262144: a test of the kernel ran.
	taint=$((taint & ~(4096 | 8192 | 262144)))
	lockdep=
	if [ -r /proc/lockdep_stats ]; then
		lockdep=$(grep debug_locks: /proc/lockdep_stats || true)
	fi
	echo "$taint $lockdep"
}

# Unmounts all that tests mounted, in reverse order.
unmount_all() {
	left=
	while read -r _ where type _; do
		case $type:$where in
		eventfs:* | *:"$BASE"/*) left="$where $left" ;;
		esac
	done </proc/mounts
	for where in $left; do
		umount "$where" || umount -l "$where" || true
	done
}

# Unloads the modules that were not loaded before the test.
unload_all() {
	# A copy: unloading changes the list.
	modules=$(cat /proc/modules)
	while read -r module _; do
		case $module in
		rust_eventfs | '') ;;
		*)
			case $modules_before in
			*" $module "*) ;;
			*) rmmod "$module" || return 1 ;;
			esac
			;;
		esac
	done <<-MODULES
		$modules
	MODULES
}

# Succeeds if the module's statistics count nothing that was opened, mounted or
# removed.  (A kernel that is locked down does not show them.)
nothing_left() {
	figures=$(cat /sys/kernel/debug/eventfs/stats 2>/dev/null) || return 0
	for figure in nodes_removed nodes_pending dentries inodes open_dirs open_client_files; do
		case "
$figures
" in
		*"
$figure 0
"*) ;;
		*) return 1 ;;
		esac
	done
}

# Restores the state in which a test begins, and prints what cannot be restored.
clean_up() {
	cd /
	unmount_all
	problem=
	if [ "$TYPE" = tracefs ]; then
		evt run <<-SCRIPT || problem="the kernel's own mount cannot be reset"
			remount $TRACEFS "uid=0,gid=0,mode=700"
		SCRIPT
	fi
	# A kernel that is locked down allows no reset, and needs none.
	if ! grep -q '\[confidentiality\]' /sys/kernel/security/lockdown 2>/dev/null; then
		evt reset "$TRACEFS" "$BASE/settings" || problem="tracing cannot be reset"
	fi
	unload_all || problem="a module cannot be removed"
	if [ -e /sys/module/rust_eventfs/refcnt ]; then
		# The last fput() may be delayed.
		tries=0
		read -r references </sys/module/rust_eventfs/refcnt
		while [ "$references" -ne 0 ] && [ "$tries" -lt 100 ]; do
			usleep 50000
			tries=$((tries + 1))
			read -r references </sys/module/rust_eventfs/refcnt
		done
		[ "$references" -eq 0 ] || problem="$references references to the module are left"
		# Nodes are freed after grace periods.
		tries=0
		until nothing_left || [ "$tries" -ge 200 ]; do
			usleep 50000
			tries=$((tries + 1))
		done
		nothing_left || problem="the module keeps something: $(echo "$figures" | paste -sd' ')"
	fi
	rm -rf "$TMP"
	mkdir -p "$TMP" "$MNT"
	[ -z "$problem" ] || echo "$problem"
	[ -z "$problem" ]
}

# Succeeds if the test can run here; else prints why it cannot.
possible() {
	if [ -n "$only" ] && [ "$only" != "$TYPE" ]; then
		echo "only for $only"
		return 1
	fi
	for need in $requires; do
		case $need in
		debug | kcsan | normal)
			[ "$KERNEL" = "$need" ] || {
				echo "only on the $need kernel"
				return 1
			}
			;;
		*.ko)
			[ -e "$MODULES/$need" ] || {
				echo "no module $need"
				return 1
			}
			;;
		/*)
			[ -e "$need" ] || {
				echo "no $need"
				return 1
			}
			;;
		*)
			[ -e "$TRACEFS/$need" ] || {
				echo "the kernel has no $need"
				return 1
			}
			;;
		esac
	done
}

# Loads the module and mounts it, unless the test does that itself.
prepare() {
	[ "$mounts" != no ] || return 0
	if [ "$TYPE" = eventfs ] && [ ! -d /sys/module/rust_eventfs ]; then
		insmod "$MODULE" || return 1
	fi
	mount -t "$TYPE" ${LISTING:+-o "$LISTING"} nodev "$MNT"
}

# Runs one test.
run_test() { # name[,option]
	label=$1
	NAME=${1%%,*}
	LISTING=${1#"$NAME"}
	LISTING=${LISTING#,}
	export NAME LISTING
	file=$TESTS/test.d/$NAME.sh
	read_tags "$file"
	if ! reason=$(possible); then
		skipped=$((skipped + 1))
		echo "ok $number $label # SKIP $reason"
		return
	fi
	[ "$KERNEL" = normal ] || limit=$((limit * 6))
	echo "eventfs test begins: ${NAME##*/}" >/dev/kmsg
	modules_before=' '
	while read -r module _; do
		modules_before="$modules_before$module "
	done </proc/modules
	healthy=$(health)
	began=$(now)
	status=0
	{
		if prepare; then
			# shellcheck disable=SC2016 # The inner shell expands these.
			evt contain "$limit" /bin/sh -eux -c \
				'. "$TESTS/functions"; cd "$TMP"; . "$TESTS/test.d/$NAME.sh"' sh || status=$?
		else
			echo "the file system under test cannot be mounted"
			status=1
		fi
	} >"$BASE/log" 2>&1 </dev/null
	reason=
	[ "$status" -ne 4 ] || read -r reason <"$TMP/skipped" || true
	clean=yes
	clean_up >>"$BASE/log" 2>&1 || clean=no status=1
	if [ "$(health)" != "$healthy" ]; then
		echo "the kernel reported trouble: $healthy before, $(health) after" >>"$BASE/log"
		status=1
	fi
	took=$(($(now) - began))
	took=$((took / 100)).$((took / 10 % 10))
	case $status in
	0)
		passed=$((passed + 1))
		echo "ok $number $label # $took s"
		;;
	4)
		skipped=$((skipped + 1))
		echo "ok $number $label # SKIP $reason"
		;;
	*)
		failed=$((failed + 1))
		echo "not ok $number $label # $took s"
		echo "# $description"
		;;
	esac
	if [ -n "$debug" ]; then
		diagnostics <"$BASE/log"
	elif [ "$status" -ne 0 ] && [ "$status" -ne 4 ]; then
		tail -n 40 "$BASE/log" | diagnostics
	fi
	if [ "$clean" = no ]; then
		dirty=$((dirty + 1))
		if [ "$status" -eq 125 ] || [ "$dirty" -ge 5 ]; then
			echo "Bail out! The guest is unusable."
			number=$total
		fi
	fi
}

debug=
list=
while getopts dl option; do
	case $option in
	d) debug=yes ;;
	l) list=yes ;;
	*)
		echo "usage: run.sh [-d] [-l] [PATTERN...]" >&2
		exit 2
		;;
	esac
done
shift $((OPTIND - 1))

tests=$(select_tests "$@")
if [ -z "$tests" ]; then
	echo "run.sh: no test's name contains: $*" >&2
	exit 2
fi
if [ -n "$list" ]; then
	for name in $tests; do
		read_tags "$TESTS/test.d/${name%%,*}.sh"
		echo "$name: $description${upstream:+ ($upstream)}"
	done
	exit 0
fi

mkdir -p "$BASE"
if [ ! -e "$TRACEFS/events" ]; then
	mount -t tracefs nodev "$TRACEFS"
fi
evt reset -s "$TRACEFS" "$BASE/settings"
clean_up
started=$(now)
passed=0 failed=0 skipped=0 number=0 dirty=0
total=$(echo "$tests" | wc -l)
echo "KTAP version 1"
echo "1..$total"
for name in $tests; do
	[ "$number" -lt "$total" ] || break
	number=$((number + 1))
	run_test "$name"
done
echo "# $(($(now) - started))0 ms on the $KERNEL kernel, $TYPE"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
