#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: All regular files of tracefs's root exist, with the same modes

evt compare -f "$TRACEFS" "$MNT"
run <<'SCRIPT'
ls . =~ events kprobe_events dynamic_events uprobe_events synthetic_events
ls . =~ trace trace_pipe tracing_on trace_marker set_event available_events
SCRIPT
