#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Looks for the kernel's reports of trouble in the log of a console.
#
#   console.sh LOG         shows each with its context; fails if there is one
#   console.sh --stale LOG whether the first is QEMU's: see stale_code
#   console.sh --self-test shows that reports of every kind are found, whatever
#                          stands before them, and that other lines are not

set -euo pipefail
export LC_ALL=C

# What trouble looks like.  No pattern is tied to the start of a line: times,
# levels and callers stand there as the configuration has it.
patterns='
# Whatever says so itself.
\bWARNING\b
\bBUG\b
\bOops\b
\bINFO: (task|rcu|possible|trying|lockdep|suspicious|inconsistent|recursive)
\b(KASAN|KCSAN|KMSAN|KFENCE|UBSAN|ODEBUG):
Kernel panic|Attempted to kill (init|the idle)
panicked at
\[ cut here \]|---\[ end trace
Call Trace:
eventfs-guest: FAIL

# Exceptions.
general protection fault|double fault|divide error|invalid opcode
Unable to handle kernel|unable to handle page fault|NULL pointer dereference
segfault at|traps: .* trap
stack guard page|kernel stack overflow|[Cc]orrupted stack end|stack-protector:
scheduling while atomic|called from invalid context|Bad page (state|map)

# Locks, RCU, tasks that hang.
possible (circular|recursive|irq lock|unsafe)|inconsistent lock state
suspicious RCU usage|suspicious rcu_[a-z_]*\(\) usage
held lock freed|lock held when returning|still has locks held
bad unlock balance|bad contention|Invalid wait context|DEBUG_LOCKS_WARN_ON
nested lock was not taken|non-static key
MAX_LOCK[A-Z_]* too low|MAX_STACK_TRACE[A-Z_]* too low|turning off the locking correctness
rcu.*detected.* stalls?\b|rcu.*self-detected stall|kthread starved
blocked for more than|soft lockup|hard LOCKUP|workqueue lockup

# Memory and counters.
refcount_t:
(list_add|list_del|plist)[a-z_]* corruption
Objects remaining|Slab cache still has objects|Wrong slab cache
Redzone overwritten|Poison overwritten|Padding overwritten|Object already free|Freelist corrupt
unreferenced object|suspected memory leaks
kmemleak: (Memory pool empty|Cannot|Kernel memory leak detector disabled|Kmemleak disabled)
invoked oom-killer|Out of memory|page allocation failure
usercopy: Kernel memory (exposure|overwrite)

# File systems and objects.
VFS: Busy inodes|VFS_(BUG|WARN)_ON|still in use \(
kobject.* is not initialized|cannot create duplicate filename
'

# each_pattern: one a line.
each_pattern() {
	printf '%s\n' "$patterns" | grep -v -E '^(#|$)'
}

expression=$(each_pattern | paste -sd'|')

# clean: without what terminals and serial lines add.  The stack of a failure
# that was asked for is no trouble: fault injection announces it.  While the
# tests of that name let allocations fail, the kernel also tells of some in its
# own words, by a stack and no more (percpu, vmalloc, kmem_cache_create()): which
# of them depends on what it has in reserve.  A report of anything else has a
# line of another kind, and that counts there as everywhere.
clean() {
	tr -d '\r' | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g' | awk '
		/eventfs test begins: / { failing = /eventfs test begins: failed-allocations$/ }
		/eventfs-guest: / { failing = 0 }
		/FAULT_INJECTION: forcing a failure/ { asked = 60 }
		asked > 0 || failing { sub(/Call Trace:/, "Stack of the failure asked for:") }
		asked > 0 {
			asked--
			if (/<\/TASK>/) asked = 0
		}
		{ print }'
}

# without_known: without the one report that is the kernel's own, and not about
# us: t_show_triggers() of Linux 7.3 (a read of show_event_triggers while there
# is a trigger) walks a list under event_mutex with an iterator that wants to be
# told of it, which PROVE_RCU_LIST reports once a boot.  It must be that list,
# walked by that function, or it stays.
without_known() {
	awk '
		/WARNING: suspicious RCU usage/ && !held { held = 60 }
		held {
			block = block $0 "\n"
			held--
			if (/kernel\/trace\/trace_events\.c:[0-9]+ RCU-list traversed in non-reader/)
				list = 1
			if (before ~ /lockdep_rcu_suspicious\+/ && / t_show_triggers\+/) walker = 1
			if (/<\/TASK>/) held = 0
			before = $0
			if (!held) {
				if (!(list && walker)) printf "%s", block
				block = before = ""
				list = walker = 0
			}
			next
		}
		{ print }
		END { printf "%s", block }'
}

# without_others: without KCSAN's reports of races between others.  The kernel
# has many that its authors know of; those that are about us have a function of
# one of our modules in one of the two stacks.
without_others() {
	awk '
		/BUG: KCSAN: / && !held { held = 200; ours = 0 }
		held {
			block = block $0 "\n"
			held--
			if (/\[(rust_)?eventfs[a-z_]*\]/) ours = 1
			if (/====================/) held = 0
			if (!held) {
				if (ours) printf "%s", block
				block = ""
			}
			next
		}
		{ print }
		END { printf "%s", block }'
}

# trouble LOG: the log, without what is none.
trouble() {
	clean <"$1" | without_known | without_others
}

# stale_code LOG: whether the first report is of a breakpoint (int3) that was not
# there.  The kernel patches itself by way of breakpoints, as when tracing is
# switched on; now and then QEMU, emulating several processors, runs what it has
# translated before such a patch.  The byte before the one marked in `Code:`,
# read from memory, is then another one than 0xcc.
stale_code() {
	local report
	report=$(trouble "$1" | grep -a -P -A 20 -m 1 "$expression") || return
	grep -q 'Oops: int3:' <<<"${report%%$'\n'*}" &&
		grep -m 1 ' Code: ' <<<"$report" | grep -q -E ' [0-9a-f]{2} <' &&
		! grep -m 1 ' Code: ' <<<"$report" | grep -q ' cc <'
}

# check LOG: shows the first reports with what stands around them, and then,
# where it is seen first, what they begin with.
check() {
	local text count shown=120
	[ -s "$1" ] || {
		echo "error: there is no console log in $1"
		return 1
	}
	text=$(trouble "$1")
	# Only a count of nothing (status 1) is good news; an error is none.
	count=$(grep -a -c -P "$expression" <<<"$text") || [ $? -eq 1 ]
	[ "$count" -gt 0 ] || return 0
	grep -a -n -B 5 -A 40 -P "$expression" <<<"$text" | sed -n "1,${shown}s/^/    /p"
	echo "The console shows trouble: $count lines of reports in $1, the first of them:"
	grep -a -n -P "$expression" <<<"$text" | sed -n '1,20s/^/    /p'
	return 1
}

# self_test: each line of console.samples says whether it is trouble; each
# pattern has a line there that shows what it is good for.
self_test() {
	local kind text prefix file status failed=0
	local samples
	samples=$(dirname "$0")/console.samples
	file=$(mktemp)
	# shellcheck disable=SC2064
	trap "rm -f '$file'" EXIT
	while read -r text; do
		if ! grep -q -P "^trouble .*($text)" "$samples"; then
			echo "no sample shows this pattern: $text"
			failed=1
		fi
	done < <(each_pattern)
	while read -r kind text; do
		case $kind in
		trouble | fine) ;;
		*) continue ;;
		esac
		for prefix in '' '[    3.141592] ' '[   12.000001][  T123] ' '<4>[  700.000000] ' \
			'[  700.000000][    C1] '; do
			printf '[    0.000000] Linux version 7.3.4\r\n%s%s\r\n[    9.000000] end\r\n' \
				"$prefix" "$text" >"$file"
			status=0
			check "$file" >/dev/null || status=1
			if [ "$kind $status" != "trouble 1" ] && [ "$kind $status" != "fine 0" ]; then
				echo "not recognised as $kind: $prefix$text"
				failed=1
			fi
		done
	done <"$samples"
	# failure NAME [REPORT]: a stack while this test runs.
	failure() {
		printf '[    1.0] %s\n' "eventfs test begins: $1" ${2:+"$2"} \
			'percpu: allocation failed, size=4 align=4 atomic=0, failed to populate' \
			'Call Trace:' ' dump_stack+0x10/0x12' ' </TASK>' >"$file"
	}
	failure failed-allocations
	check "$file" >/dev/null || {
		echo "an allocation that failed on purpose is told"
		failed=1
	}
	failure reader
	! check "$file" >/dev/null || {
		echo "an allocation that failed on no purpose passes"
		failed=1
	}
	failure failed-allocations 'WARNING: another'
	! check "$file" >/dev/null || {
		echo "allocations that fail on purpose hide another report"
		failed=1
	}
	for text in 'eventfs test begins: reader' 'eventfs-guest: the end'; do
		failure failed-allocations
		printf '[    2.0] %s\n' "$text" 'Call Trace:' >>"$file"
		! check "$file" >/dev/null || {
			echo "a stack passes after the test of failing allocations: $text"
			failed=1
		}
	done
	# report PLACE FUNCTION: a report of lockdep about a list.
	report() {
		printf '[    1.0] %s\n' 'WARNING: suspicious RCU usage' '7.3.4 #1 Tainted: G  O' \
			"$1 RCU-list traversed in non-reader section!!" 'Call Trace:' \
			' lockdep_rcu_suspicious+0x20f/0x2a0' " $2+0x3d6/0x410" ' </TASK>' >"$file"
	}
	report kernel/trace/trace_events.c:1786 t_show_triggers
	check "$file" >/dev/null || {
		echo "the known report is not recognised"
		failed=1
	}
	echo '[    2.0] WARNING: another' >>"$file"
	! check "$file" >/dev/null || {
		echo "the known report hides another"
		failed=1
	}
	report kernel/trace/trace_events.c:1786 s_show
	! check "$file" >/dev/null || {
		echo "another function passes for the known one"
		failed=1
	}
	report fs/dcache.c:1 t_show_triggers
	! check "$file" >/dev/null || {
		echo "another list passes for the known one"
		failed=1
	}
	# race FUNCTION: a report of KCSAN with this function in its second stack.
	race() {
		printf '[    1.0] %s\n' 'BUG: KCSAN: data-race in d_lru_add / fast_dput' '' \
			'write to 0xffff888003a0b0c0 of 4 bytes by task 71 on cpu 1:' \
			' d_lru_add+0x20f/0x2a0' '' \
			'read to 0xffff888003a0b0c0 of 4 bytes by task 70 on cpu 0:' \
			' fast_dput+0x3d6/0x410' " $1" '' 'value changed: 0x1 -> 0x2' \
			"$(printf '=%.0s' {1..66})" >"$file"
	}
	race '_RNvNtNtC_12rust_eventfs3vfs6dentry+0x3d6/0x410 [rust_eventfs]'
	! check "$file" >/dev/null || {
		echo "a race of ours passes"
		failed=1
	}
	race 'lookup_fast+0x3d6/0x410'
	check "$file" >/dev/null || {
		echo "a race of others is told"
		failed=1
	}
	echo '[    2.0] WARNING: another' >>"$file"
	! check "$file" >/dev/null || {
		echo "a race of others hides what comes after it"
		failed=1
	}
	# stop BYTE REPORT: a kernel that was stopped by a breakpoint.
	stop() {
		printf '[    1.0] %s\n' 'Linux version 7.3.4' "$2" 'CPU: 1 PID: 0 Comm: swapper/1' \
			"Code: 8b 3e 48 89 de $1 <50> 09 fe ff" 'Kernel panic - not syncing' >"$file"
	}
	stop e8 'Oops: int3: 0000 [#1] SMP KASAN'
	stale_code "$file" || {
		echo "code that QEMU has kept too long is not recognised"
		failed=1
	}
	! check "$file" >/dev/null || {
		echo "code that QEMU has kept too long is no trouble"
		failed=1
	}
	stop cc 'Oops: int3: 0000 [#1] SMP KASAN'
	! stale_code "$file" || {
		echo "a breakpoint that is there is taken for code that QEMU has kept too long"
		failed=1
	}
	stop e8 'Oops: general protection fault: 0000 [#1] SMP KASAN'
	! stale_code "$file" || {
		echo "another fault is taken for code that QEMU has kept too long"
		failed=1
	}
	stop e8 'WARNING: another'
	echo '[    2.0] Oops: int3: 0000 [#1] SMP KASAN' >>"$file"
	! stale_code "$file" || {
		echo "what comes after another report is taken for its cause"
		failed=1
	}
	: >"$file"
	! check "$file" >/dev/null || {
		echo "an empty log passes"
		failed=1
	}
	return $failed
}

case ${1:?which log?} in
--self-test) self_test ;;
--stale) stale_code "${2:?which log?}" ;;
*) check "$1" ;;
esac
