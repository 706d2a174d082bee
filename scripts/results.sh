# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Counts results: prints each on a line, and the totals on a closing line.  Uses no
# other file, so that it works before the set-up.  Sourced, not run.

passed=0
failed=0
skipped=0

# result STATUS TEXT: prints and counts one result; status 0 is a success.
result() {
	if [ "$1" -eq 0 ]; then
		echo "ok - $2"
		passed=$((passed + 1))
	else
		echo "not ok - $2"
		failed=$((failed + 1))
	fi
}

# add_results FILE: adds the closing line of another run, whose output is in
# FILE.  Sets FAILURES to that run's failures.  Fails if there is no such line.
add_results() {
	local counts p f s
	counts=$(grep -a -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1 | tr -cd '0-9 ')
	[ -n "$counts" ] || return
	read -r p f s <<<"$counts"
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + ${s:-0}))
	# shellcheck disable=SC2034 # For the script that sources this.
	FAILURES=$f
}

# summary: prints the closing line.  Fails if anything failed.
summary() {
	local text="$passed passed, $failed failed"
	[ "$skipped" -eq 0 ] || text="$text, $skipped skipped"
	echo "$text"
	[ "$failed" -eq 0 ]
}
