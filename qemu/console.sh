#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Finds the kernel's reports of trouble in the log of a console.
#
#   console.sh LOG          shows reports with their context; fails if there are any
#   console.sh --stale LOG  succeeds if the first report is QEMU's: see stale_code
#
# console-test.sh tests it.

set -euo pipefail
export LC_ALL=C

# Patterns of trouble.  None is tied to the start of a line: depending on the
# configuration, times, levels and callers precede a report.
patterns='
# Reports that say what they are.
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

# each_pattern: prints the patterns, one a line.
each_pattern() {
	printf '%s\n' "$patterns" | grep -v -E '^(#|$)'
}

expression=$(each_pattern | paste -sd'|')

# clean: removes what terminals and serial lines add, and renames the stacks of
# allocations that fail on purpose.  Fault injection announces most of them.
# While the tests failed-allocations run, percpu, vmalloc and kmem_cache_create()
# also report some with a stack and no pattern of trouble; how many depends on the
# kernel's reserves.  A report of anything else matches a pattern there as well.
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

# without_known: removes one report that is about the kernel itself.  In Linux 7.3
# t_show_triggers() (a read of show_event_triggers while there is a trigger) walks
# a list under event_mutex, but does not pass that to the iterator, so
# PROVE_RCU_LIST reports it once a boot.  A report of another list, or of another
# function, stays.
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

# without_others: removes KCSAN's reports of races that do not involve our modules:
# the kernel has many known ones.  A report stays if one of its two stacks has a
# function of our modules.
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

# trouble LOG: prints the log without the reports that do not count.
trouble() {
	clean <"$1" | without_known | without_others
}

# stale_code LOG: succeeds if the first report is of a breakpoint (int3) that is not
# in memory.  The kernel patches its code by way of breakpoints, for example when
# tracing is enabled.  QEMU, emulating several processors, sometimes runs code that
# it translated before the patch.  Then the byte before the one marked in `Code:`,
# which is read from memory, is not 0xcc.
stale_code() {
	local report
	report=$(trouble "$1" | grep -a -P -A 20 -m 1 "$expression") || return
	grep -q 'Oops: int3:' <<<"${report%%$'\n'*}" &&
		grep -m 1 ' Code: ' <<<"$report" | grep -q -E ' [0-9a-f]{2} <' &&
		! grep -m 1 ' Code: ' <<<"$report" | grep -q ' cc <'
}

# check LOG: shows the first reports with their context, and then, at the end of the
# output where it is read first, the line that each begins with.
check() {
	local text count shown=120
	[ -s "$1" ] || {
		echo "error: there is no console log in $1"
		return 1
	}
	text=$(trouble "$1")
	# grep's status 1 means that the count is 0; a higher one is an error.
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
