#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A snapshot is taken and read through the mount
# requires: snapshot

run <<'SCRIPT'
put trace_marker "before"
put snapshot 1
put trace_marker "after"
cat snapshot =~ "before"
cat snapshot !~ "after"
cat trace =~ "after"
cat trace !~ "before"
put snapshot 2
cat snapshot !~ "before"
put snapshot 0
cat snapshot =~ "Snapshot is freed"
SCRIPT
