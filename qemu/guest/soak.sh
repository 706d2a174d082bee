# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What `make soak` does in the guest, for MINUTES, with seeds from SEED on:
# rounds of stress and of the fuzzer, each on a module that is loaded anew.

tracefs=/sys/kernel/tracing
mnt=/mnt
results=/tmp/soak
read -r kernel </eventfs/kernel
patience=120
# With what the fuzzer may have switched on in tracing, a single call was seen to
# take ten minutes on the debug kernel, and more on a busy host.
[ "$kernel" = normal ] || patience=1800

# The seconds since the boot.
seconds() {
	read -r uptime _ </proc/uptime
	echo "${uptime%.*}"
}

# Something was wrong.
give_up() { # what
	echo "FAILED: $*"
	dmesg | tail -n 40
	totals
	exit 1
}

# What was done until now, by kind.
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

# Where the threads of a program are: as a user it cannot tell that itself.
places() { # program
	for task in /proc/[0-9]*/task/[0-9]*; do
		[ "$(readlink "$task/exe")" = "/bin/$1" ] || continue
		echo "$task, $(cat "$task/syscall" 2>/dev/null):"
		cat "$task/stack" 2>/dev/null
	done
	# On the console: what runs, and so is not asleep in the kernel.
	echo l >/proc/sysrq-trigger
}

# Runs a program for a time, and keeps what it says.
attempt() { # seconds program...
	limit=$1
	shift
	# What does not end by itself is ended, and tells where it was.
	evt contain $((limit + patience * 2)) "$@" >$results.pipe 2>&1 &
	program=$!
	# What it counts is summed up at the end; the rest is told as it comes.
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

# Brings tracing back to what it was.
reset_tracing() {
	evt reset $tracefs $results.settings || give_up 'tracing cannot be reset'
}

# What the kernel has to say of itself.
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

# Stress, with a line each minute.
stress_round() { # seconds
	attempt "$1" stress run $mnt --seed "$seed" --seconds "$1" --progress 60 \
		--threads 6 --patience $patience
}

# The modules that publish something, for the fuzzer; stress has them anyway.
clients='client_c client_rust synthetic'

# Lets modules publish what the fuzzer then tries as well.
publish() {
	for client in $clients; do
		insmod "/eventfs/modules/eventfs_$client.ko" || give_up "$client cannot be loaded"
	done
	echo add queue_one >$mnt/client_c/control
	echo add queue_one >$mnt/client_rust/control
	echo create eventfs queue_tree 2 9 3 >$mnt/synthetic/control
}

# Unloads them, with whatever they publish by now.
unpublish() {
	for client in $clients; do
		rmmod "eventfs_$client" || give_up "$client cannot be unloaded"
	done
}

# The fuzzer, as everybody.
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
