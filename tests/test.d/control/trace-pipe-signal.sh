#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A reader that waits in trace_pipe can be killed

cat "$MNT/trace_pipe" >got &
reader=$!
echo hello >"$MNT/trace_marker"
eventually grep -q hello got
# It waits again.
usleep 200000
kill -0 "$reader"
kill "$reader"
fails wait "$reader"
fails kill -0 "$reader"
