#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A signal kills a reader that waits in trace_pipe

cat "$MNT/trace_pipe" >got &
reader=$!
echo hello >"$MNT/trace_marker"
eventually grep -q hello got
# The reader waits again.
usleep 200000
kill -0 "$reader"
kill "$reader"
fails wait "$reader"
fails kill -0 "$reader"
