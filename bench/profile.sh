#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make bench PROFILE=1`: the functions in which a cold look-up spends its
# instructions.  QEMU single-steps the guest and logs each instruction, so the
# profiled code is not instrumented.  Only under emulation.  Sourced by bench.sh.

# attend NOTES MONITOR SYMBOLS: reads the guest's output, and switches QEMU's
# log on and off when the guest asks for it.  Each peer has its own log,
# NOTES.PEER.  All other lines are symbols of modules, and go to SYMBOLS.
attend() {
	local notes=$1 monitor=$2 symbols=$3 line peer=
	exec 9>"$monitor"
	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		'# go '*)
			peer=${line#\# go }
			say "look-ups, $peer"
			# Newer versions of QEMU call singlestep one-insn-per-tb.
			printf '%s\n' "logfile $notes.$peer" 'singlestep on' 'one-insn-per-tb on' \
				'log exec,nochain' >&9
			;;
		'# stop')
			printf '%s\n' 'log none' 'singlestep off' 'one-insn-per-tb off' >&9
			;;
		'#'*) say "${line#\# }" ;;
		*) printf '%s\n' "$line" >>"$symbols" ;;
		esac
	done
	exec 9>&-
}

# functions SYMBOLS NOTES: prints the instructions per look-up in each function.
# A look-up lasts from the entry of the system call to its return.
functions() {
	sed -n 's/^Trace [^[]*\[[0-9a-f]*\/\([0-9a-f]\{16\}\)\/.*/\1/p' "$2" | awk -v symbols="$1" '
		BEGIN {
			returning = "^(common_interrupt_return|native_irq_return_iret)$"
			while ((getline line <symbols) > 0) {
				split(line, words, " ")
				if (words[2] !~ /^[tTwW]$/)
					continue
				address[++count] = words[1]
				name[count] = words[3] (words[4] ? " " words[4] : "")
			}
		}
		# All addresses have the same number of lower-case digits.
		function symbol(at, low, high, middle) {
			if (at in known)
				return known[at]
			low = 0
			high = count + 1
			while (high - low > 1) {
				middle = int((low + high) / 2)
				if (address[middle] "" <= at "")
					low = middle
				else
					high = middle
			}
			return known[at] = low ? name[low] : "?"
		}
		function finish(function_name) {
			# Skip calls that were preempted or ran softirqs.
			if (is_stat && !("__schedule" in now) && !("handle_softirqs" in now)) {
				calls++
				for (function_name in now)
					total[function_name] += now[function_name]
			}
			split("", now)
			is_stat = interrupted = 0
			before = ""
		}
		{
			in_kernel = substr($1, 1, 1) == "f"
			if (!in_kernel) {
				finish()
				next
			}
			function_name = symbol($1)
			# Clock interrupts are more frequent, because all is slower.
			if (function_name ~ /^asm_(sysvec_|common_interrupt$)/)
				interrupted = 1
			if (interrupted) {
				if (before ~ returning && function_name !~ returning)
					interrupted = 0
				before = function_name
			}
			if (interrupted)
				next
			if (function_name == "__x64_sys_newfstatat")
				is_stat = 1
			now[function_name]++
		}
		END {
			for (function_name in total)
				printf "%.1f %s\n", total[function_name] / calls, function_name
			printf "# %d\n", calls
		}'
}

# profile: prints the functions of each peer, also to OUT/profile.txt.
profile() {
	local folder symbols peer process
	folder=$(mktemp -d "$BUILD/profile.XXXXXX")
	symbols=$folder/symbols
	mkfifo "$folder/monitor.in" "$folder/monitor.out"
	cat "$folder/monitor.out" >"$folder/monitor.log" &
	: >"$symbols.modules"
	exec 8> >(attend "$folder/notes" "$folder/monitor.in" "$symbols.modules")
	process=$!
	GUEST_CPUS=1 GUEST_OPTIONS="-accel tcg,thread=single -cpu max,la57=off \
		-monitor pipe:$folder/monitor" guest normal 300 \
		"eventfs-bench profile </dev/null >/dev/ttyS1 2>&1" >&8
	exec 8>&-
	wait "$process"
	[ "$GUEST_STATUS" = 0 ] ||
		die "the guest's exit status is $GUEST_STATUS" "its console: $RUN/console"
	grep -h -i '^[0-9a-f]* [tw] ' "$KERNEL_DIR/System.map" "$symbols.modules" | sort >"$symbols"
	for peer in kernel mirror ours sysfs; do
		[ -s "$folder/notes.$peer" ] || continue
		functions "$symbols" "$folder/notes.$peer" | "$(llvm_tool llvm-cxxfilt)" >"$folder/$peer"
		echo
		echo "Cold look-up among 100 children, $peer: instructions per function"
		grep -v '^#' "$folder/$peer" | sort -rn | awk '
			{ sum += $1; if (NR <= 30) print "  " $0; else rest += $1 }
			/ \[rust_eventfs\]$/ { ours += $1 }
			END {
				printf "  %.1f (all others)\n  %.1f in all, ", rest, sum
				printf "%.1f of them in rust_eventfs\n", ours
			}'
		sed -n 's/^# /  look-ups: /p' "$folder/$peer"
	done | tee "$OUT/profile.txt"
	rm -rf "$folder"
}
