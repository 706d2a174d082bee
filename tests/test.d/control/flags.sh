#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Flags that are changed after the open take effect

run <<'SCRIPT'
open p trace_pipe r
setflags p nonblock
getflags p nonblock => 1
read p 100 => EAGAIN
setflags p r
start reader read p 200
finish reader 100 => timeout
put trace_marker "blocks again"
finish reader 10000 =~ "blocks again"
# The flags belong to the open file, not to the descriptor.
dup q p
setflags q nonblock
read p 100 => EAGAIN
close p
read q 100 => EAGAIN
pipe r w
splice q w 100 => EAGAIN
close q
# Only the last close releases the file.
open p trace_pipe r,nonblock
close p
SCRIPT
same <<'SCRIPT'
open f tracing_on rw,append
getflags f append
write f 1
seek f 0 set
read f 10
setflags f rw
getflags f append
write f 1
open f events/sched/sched_switch/enable rw,append
write f 0
pread f 10 0
setflags f nonblock
read f 10
open f trace_marker w,append
write f x
setflags f w
write f y
SCRIPT
