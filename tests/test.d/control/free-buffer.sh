#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A close of free_buffer frees the ring buffer at once

run <<'SCRIPT'
put trace_options disable_on_free
put buffer_size_kb 256
cat buffer_size_kb =~ 25
open f free_buffer w
write f anything => 8
cat tracing_on => 1
close f
cat tracing_on => 0
cat buffer_size_kb !~ 25
SCRIPT
