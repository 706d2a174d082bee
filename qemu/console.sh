#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Looks for the kernel's reports of trouble in the log of a console.
#
#   console.sh LOG         shows each with its context; fails if there is one
#   console.sh --stale LOG whether the first is QEMU's: see stale_code
#
# console-test.sh shows that this finds what it should, and nothing else.

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

# The self-test sources this file.
[ "${BASH_SOURCE[0]}" = "$0" ] || return 0
case ${1:?which log?} in
--stale) stale_code "${2:?which log?}" ;;
*) check "$1" ;;
esac
