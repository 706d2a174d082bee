#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# bench/compare.sh OLD/summary.csv NEW/summary.csv: compares two runs of
# `make bench`, row by row, and marks each row whose median is worse by more
# than 3 percent (PERCENT=N: by more than N):
#
#   WORSE    and all samples of NEW are worse than all of OLD
#   worse?   but the samples of the two runs overlap
#
# Exit status: 0, 1 if a row is WORSE, 2 if the runs cannot be compared.

set -eu

[ $# -eq 2 ] || {
	sed -n 's/^# \{0,1\}//; 4,10p' "$0" >&2
	exit 2
}

exec awk -F, -v percent="${PERCENT:-3}" -v old="$1" -v new="$2" '
	function fail(text) {
		print "error: " text >"/dev/stderr"
		failed = 1
		exit 2
	}
	# read(FILE, RUN): the rows of a file, as of run "old" or "new".
	function read(file, run, line, fields, key, status) {
		while ((status = (getline line <file)) > 0) {
			if (split(line, fields, ",") != 7)
				fail("malformed line in " file ": " line)
			if (fields[1] == "row")
				continue
			if (fields[1] == "clock") {
				clock[run] = fields[2]
				continue
			}
			if (fields[1] == "repetitions")
				continue
			key = fields[1] "," fields[2] "," fields[3]
			if (!(key in seen)) {
				seen[key]
				keys[++count] = key
			}
			median[run, key] = fields[4] + 0
			# An empty bound is not known.
			min[run, key] = fields[5] == "" ? fields[4] + 0 : fields[5] + 0
			max[run, key] = fields[6] == "" ? fields[4] + 0 : fields[6] + 0
		}
		if (status < 0)
			fail("cannot read " file)
		close(file)
	}
	# whole(KEY): the row that a remainder is a part of, else KEY itself.
	function whole(key, parts) {
		split(key, parts, ",")
		if (!sub(/-dropped$/, "-slab", parts[1]) && !sub(/-left$/, "", parts[1]))
			return key
		return parts[1] "," parts[2] "," parts[3]
	}
	BEGIN {
		read(old, "old")
		read(new, "new")
		if (clock["old"] != clock["new"])
			fail("the clocks differ: " clock["old"] ", " clock["new"])
		printf "%-18s %-16s %7s %14s %14s %8s\n", "row", "peer", "size", "old", "new", "new/old"
		for (i = 1; i <= count; i++) {
			key = keys[i]
			split(key, parts, ",")
			printf "%-18s %-16s %7s", parts[1], parts[2], parts[3]
			if (!(("old", key) in median) || !(("new", key) in median)) {
				run = (("old", key) in median) ? "old" : "new"
				printf "  only in %s: %.2f\n", run, median[run, key]
				continue
			}
			before = median["old", key]
			after = median["new", key]
			# The rest is near zero: its growth counts relative
			# to what it is left of.
			base = median["old", whole(key)]
			remainder = whole(key) != key
			ratio = before > 0 && !remainder ? sprintf("%.3f", after / before) : "-"
			printf " %14.2f %14.2f %8s", before, after, ratio
			compared++
			if (parts[1] ~ /-entries$/) {
				print after == before ? "" : "  another tree"
				continue
			}
			# Throughput of two CPUs: more is better.
			more = parts[1] ~ /^parallel/ && parts[1] !~ /-one$/
			loss = more ? before - after : after - before
			if (base < 0)
				base = -base
			if (loss * 100 <= percent * base) {
				print ""
				continue
			}
			apart = more ? max["new", key] < min["old", key] : \
				min["new", key] > max["old", key]
			print apart ? "  WORSE" : "  worse?"
			apart ? worse++ : maybe++
		}
		printf "%d rows compared: %d worse by more than %s %%, %d perhaps\n", \
			compared, worse, percent, maybe
		exit worse > 0
	}
	END {
		if (failed)
			exit 2
	}' </dev/null
