#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: With the same seed, each thread of the stress test repeats the same operations
# only: eventfs
# timeout: 120

replay() { # directory seed
	stress run "$MNT" --seed "$2" --operations 150 --seconds 1000 --threads 3 \
		--scratch "$TMP/mounts" --modules "$MODULES" --log "$TMP/$1" --patience "$(scale 60 300)"
}
replay once 7
replay again 7
replay other 8
for thread in 0 1 2; do
	at_least "lines of thread $thread" 150 "$(wc -l <"once/thread$thread")"
	cmp "once/thread$thread" "again/thread$thread"
	fails cmp -s "once/thread$thread" "other/thread$thread"
done
