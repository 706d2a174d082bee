#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: find walks the tree without an error
# listings: both
# upstream: U17

# The whole tree, or some systems where that takes too long.
systems=$(scale . "sched irq ftrace timer")
cd "$MNT/events" || exit
# shellcheck disable=SC2086 # One word or several.
find $systems -name format >"$TMP/formats" 2>"$TMP/complaints"
cd "$TMP" || exit
[ ! -s complaints ] || fail "find reports: $(head -n 3 complaints)"
count=$(wc -l <formats)
at_least "format files" 40 "$count"
for what in "-name format" "-type d" "-type f"; do
	for root in "$TRACEFS" "$MNT"; do
		cd "$root/events" || exit
		# shellcheck disable=SC2086
		find $systems $what | wc -l
	done | uniq >"$TMP/counts"
	[ "$(wc -l <"$TMP/counts")" = 1 ] || fail "find $what: $(cat "$TMP/counts")"
done
cd "$MNT/events" || exit
# shellcheck disable=SC2086
find $systems ! -type d ! -type f >"$TMP/strange"
cd "$TMP" || exit
[ ! -s strange ] || fail "not a file and not a directory: $(head -n 3 strange)"
# du reports directory loops.
du -s "$MNT/events/sched" "$MNT/events/irq" 2>complaints
[ ! -s complaints ] || fail "du reports: $(head -n 3 complaints)"
