#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: find walks the tree without a complaint
# upstream: U17

find "$MNT/events" -name format >formats 2>complaints
[ ! -s complaints ] || fail "find complains: $(head -n 3 complaints)"
count=$(wc -l <formats)
at_least "format files" 100 "$count"
equal "format files as on tracefs" "$(find "$TRACEFS/events" -name format | wc -l)" "$count"
equal "directories as on tracefs" "$(find "$TRACEFS/events" -type d | wc -l)" \
	"$(find "$MNT/events" -type d | wc -l)"
find "$MNT" -type l -o -type p -o -type s -o -type b -o -type c >strange
[ ! -s strange ] || fail "neither file nor directory: $(head -n 3 strange)"
# du tells a loop, if it sees one.
du -s "$MNT" 2>complaints
[ ! -s complaints ] || fail "du complains: $(head -n 3 complaints)"
