# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The part of `make soak` in the guest: rounds of stress and of the fuzzer for
# MINUTES, with seeds from SEED on, each on a newly loaded module.

tracefs=/sys/kernel/tracing
mnt=/mnt
results=/tmp/soak
read -r kernel </eventfs/kernel
patience=120
# The fuzzer enables tracing at random.  On the debug kernel a single call then took
# up to ten minutes, and more on a busy host.
[ "$kernel" = normal ] || patience=1800

# Prints the seconds since the boot.
seconds() {
	read -r uptime _ </proc/uptime
	echo "${uptime%.*}"
}

# Reports a failure, and ends.
give_up() { # what
	echo "FAILED: $*"
	dmesg | tail -n 40
	totals
	exit 1
}

# Prints the number of operations until now, by kind.
totals() {
	# Lines of results begin with a name and a number.
	grep -a '^[a-z][a-z ]* [0-9]*:\(  .*\)*$' $results |
		sed 's/^\([a-z][a-z ]*[a-z]\) \([0-9]*\):.*/\2 \1/' | awk '
		{ count = $1; sub(/^[0-9]+ /, ""); sum[$0] += count; all += count }
		END {
			for (name in sum) printf "# %10d %s\n", sum[name], name | "sort -k 3"
			close("sort -k 3")
			printf "# %10d operations in all\n", all
		}'
}

# Prints where in the kernel the threads of a program are: without privileges it
# cannot print that itself.
places() { # program
	for task in /proc/[0-9]*/task/[0-9]*; do
		[ "$(readlink "$task/exe")" = "/bin/$1" ] || continue
		echo "$task, $(cat "$task/syscall" 2>/dev/null):"
		cat "$task/stack" 2>/dev/null
	done
	# Prints the stacks of running tasks on the console.
	echo l >/proc/sysrq-trigger
}

# Runs a program for a time, and keeps its output for the totals.
attempt() { # seconds program...
	limit=$1
	shift
	# Kills it if it does not end by itself, and prints where it was.
	evt contain $((limit + patience * 2)) "$@" >$results.pipe 2>&1 &
	program=$!
	# Counts are summed up at the end; other lines are printed as they come.
	while read -r line; do
		echo "$line" >>$results
		case $line in
		*[a-z]' '[0-9]*:'  '* | *[a-z]' '[0-9]*: | before:* | after:*) ;;
		*' makes no progress '*)
			echo "$line"
			places "$1"
			;;
		*) echo "$line" ;;
		esac
	done <$results.pipe
	wait $program
	status=$?
	[ $status -eq 0 ] || give_up "exit status $status, seed $seed: $*"
}

# Resets tracing to its initial state.
reset_tracing() {
	evt reset $tracefs $results.settings || give_up 'tracing cannot be reset'
}

# Fails if the kernel is tainted.
check_health() {
	# 4096: a module from out of tree; 8192: one without a signature.
	[ $(($(cat /proc/sys/kernel/tainted) & ~(4096 | 8192))) -eq 0 ] ||
		give_up "the kernel is tainted: $(cat /proc/sys/kernel/tainted)"
}

# Mounts, does something, unmounts, and unloads.
with_module() { # command...
	insmod /eventfs/rust_eventfs.ko || give_up 'the module cannot be loaded'
	mount -t eventfs nodev $mnt || give_up 'it cannot be mounted'
	"$@"
	reset_tracing
	umount $mnt || give_up 'it cannot be unmounted'
	tries=0
	while [ "$(cat /sys/module/rust_eventfs/refcnt)" != 0 ]; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || give_up 'references to the module are left'
		usleep 50000
	done
	rmmod rust_eventfs || give_up 'the module cannot be unloaded'
	check_health
}

# Runs stress, which prints a line each minute.
stress_round() { # seconds
	attempt "$1" stress run $mnt --seed "$seed" --seconds "$1" --progress 60 \
		--threads 6 --patience $patience
}

# The modules that publish trees, for the fuzzer; stress loads them itself.
clients='client_c client_rust synthetic'

# Loads them, and makes them publish more, which the fuzzer then tries as well.
publish() {
	for client in $clients; do
		insmod "/eventfs/modules/eventfs_$client.ko" || give_up "$client cannot be loaded"
	done
	echo add queue_one >$mnt/client_c/control
	echo add queue_one >$mnt/client_rust/control
	echo create eventfs queue_tree 2 9 3 >$mnt/synthetic/control
}

# Unloads them with all that they publish.
unpublish() {
	for client in $clients; do
		rmmod "eventfs_$client" || give_up "$client cannot be unloaded"
	done
}

# Runs the fuzzer as root, as a user, and as root of a user name space.
fuzz_round() { # seconds
	publish
	for who in root user namespace; do
		attempt "$1" stress fuzz $mnt --as $who --seed "$seed" --seconds "$1" \
			--patience $patience \
			--step 10
		reset_tracing
		mount -o remount,uid=1000,gid=1000,mode=755 $mnt
	done
	unpublish
}

: >$results
mkfifo $results.pipe
evt reset -s $tracefs $results.settings
began=$(seconds)
end=$((began + MINUTES * 60))
# shellcheck disable=SC2153 # The host sets it.
seed=$SEED
round=0
while [ "$(seconds)" -lt $end ]; do
	left=$((end - $(seconds)))
	# A minute is for the fuzzer.
	[ $left -lt 360 ] || left=360
	fuzz=$((left / 18 + 1))
	round=$((round + 1))
	echo "# $((($(seconds) - began) / 60)) min: round $round, seed $seed"
	with_module stress_round $((left - fuzz * 3))
	with_module fuzz_round $fuzz
	seed=$((seed + 1))
done
echo "# $round rounds, seeds $SEED to $((seed - 1)), $(($(seconds) - began)) s"
totals
