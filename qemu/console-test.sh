#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests console.sh: it finds reports of every kind, whatever stands before them
# on the line, and takes no other line for one.  Each line of console.samples
# says whether it is trouble.

# shellcheck source=qemu/console.sh
. "$(dirname "$0")/console.sh"

samples=$(dirname "$0")/console.samples
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

# wrong TEXT: one of the tests fails.
wrong() {
	echo "$*"
	failed=1
}

# is_trouble NAME, is_fine NAME: what the log is to be.  NAME says what it holds.
is_trouble() {
	! check "$log" >/dev/null || wrong "this passes: $1"
}

is_fine() {
	check "$log" >/dev/null || wrong "this is reported: $1"
}

# console LINE...: makes the log of these lines.
console() {
	printf '[    1.0] %s\n' "$@" >"$log"
}

# and LINE: adds a line to the log.
and() {
	printf '[    2.0] %s\n' "$1" >>"$log"
}

# each_pattern_has_a_sample: a pattern that no sample shows is good for nothing.
each_pattern_has_a_sample() {
	local pattern
	while read -r pattern; do
		grep -q -P "^trouble .*($pattern)" "$samples" ||
			wrong "no sample shows this pattern: $pattern"
	done < <(each_pattern)
}

# samples_are_recognised: with whatever a kernel puts before a line.
samples_are_recognised() {
	local kind text prefix
	while read -r kind text; do
		for prefix in '' '[    3.141592] ' '[   12.000001][  T123] ' '<4>[  700.000000] ' \
			'[  700.000000][    C1] '; do
			printf '[    0.000000] Linux version 7.3.4\r\n%s%s\r\n[    9.000000] end\r\n' \
				"$prefix" "$text" >"$log"
			case $kind in
			trouble) is_trouble "$prefix$text" ;;
			fine) is_fine "$prefix$text" ;;
			esac
		done
	done <"$samples"
}

# failure TEST [REPORT]: an allocation fails while this test runs.
failure() {
	console "eventfs test begins: $1" ${2:+"$2"} \
		'percpu: allocation failed, size=4 align=4 atomic=0, failed to populate' \
		'Call Trace:' ' dump_stack+0x10/0x12' ' </TASK>'
}

failed_allocations() {
	local line
	failure failed-allocations
	is_fine "an allocation that fails on purpose"
	failure reader
	is_trouble "an allocation that fails on no purpose"
	failure failed-allocations 'WARNING: another'
	is_trouble "another report among allocations that fail on purpose"
	for line in 'eventfs test begins: reader' 'eventfs-guest: the end'; do
		failure failed-allocations
		and "$line"
		and 'Call Trace:'
		is_trouble "a stack after the test of failing allocations: $line"
	done
}

# list_report PLACE FUNCTION: lockdep reports a list that FUNCTION walks.
list_report() {
	console 'WARNING: suspicious RCU usage' '7.3.4 #1 Tainted: G  O' \
		"$1 RCU-list traversed in non-reader section!!" 'Call Trace:' \
		' lockdep_rcu_suspicious+0x20f/0x2a0' " $2+0x3d6/0x410" ' </TASK>'
}

known_report() {
	list_report kernel/trace/trace_events.c:1786 t_show_triggers
	is_fine "the known report"
	and 'WARNING: another'
	is_trouble "another report after the known one"
	list_report kernel/trace/trace_events.c:1786 s_show
	is_trouble "the known report with another function"
	list_report fs/dcache.c:1 t_show_triggers
	is_trouble "the known report with another list"
}

# race FUNCTION: KCSAN reports a race with FUNCTION in its second stack.
race() {
	console 'BUG: KCSAN: data-race in d_lru_add / fast_dput' '' \
		'write to 0xffff888003a0b0c0 of 4 bytes by task 71 on cpu 1:' \
		' d_lru_add+0x20f/0x2a0' '' \
		'read to 0xffff888003a0b0c0 of 4 bytes by task 70 on cpu 0:' \
		' fast_dput+0x3d6/0x410' " $1" '' 'value changed: 0x1 -> 0x2' \
		"$(printf '=%.0s' {1..66})"
}

races() {
	race '_RNvNtNtC_12rust_eventfs3vfs6dentry+0x3d6/0x410 [rust_eventfs]'
	is_trouble "a race of ours"
	race 'lookup_fast+0x3d6/0x410'
	is_fine "a race of others"
	and 'WARNING: another'
	is_trouble "another report after a race of others"
}

# stop BYTE REPORT: an exception stops the kernel, after this byte of code.
stop() {
	console 'Linux version 7.3.4' "$2" 'CPU: 1 PID: 0 Comm: swapper/1' \
		"Code: 8b 3e 48 89 de $1 <50> 09 fe ff" 'Kernel panic - not syncing'
}

# not_stale NAME: the log shows no stale code.
not_stale() {
	! stale_code "$log" || wrong "this passes for stale code: $1"
}

stale_code_of_qemu() {
	stop e8 'Oops: int3: 0000 [#1] SMP KASAN'
	stale_code "$log" || wrong "stale code is not recognised"
	is_trouble "stale code"
	stop cc 'Oops: int3: 0000 [#1] SMP KASAN'
	not_stale "a breakpoint that is in memory"
	stop e8 'Oops: general protection fault: 0000 [#1] SMP KASAN'
	not_stale "another exception"
	stop e8 'WARNING: another'
	and 'Oops: int3: 0000 [#1] SMP KASAN'
	not_stale "a breakpoint after another report"
}

each_pattern_has_a_sample
samples_are_recognised
failed_allocations
known_report
races
stale_code_of_qemu
: >"$log"
is_trouble "an empty log"
exit $failed
