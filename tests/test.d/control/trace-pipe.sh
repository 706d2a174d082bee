#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: trace_pipe blocks, wakes up, consumes, and honours O_NONBLOCK

run <<'SCRIPT'
open p trace_pipe r,nonblock
read p 100 => EAGAIN
poll p in 0 => timeout
poll p in 50 => timeout
put trace_marker "one"
poll p in 1000 =~ in
read p 200 =~ "tracing_mark_write: one"
read p 200 => EAGAIN
seek p 0 set => ESPIPE
pread p 10 0 => ESPIPE
mmap p 4096 => ENODEV
close p

# An event wakes a blocked read.
open p trace_pipe r
start reader read p 200
finish reader 100 => timeout
put trace_marker "two"
finish reader 10000 =~ "tracing_mark_write: two"

# An event wakes a blocked poll.
start poller poll p in 20000
finish poller 100 => timeout
put trace_marker "three"
finish poller 10000 =~ in
read p 200 =~ "three"

# A read consumes its events.
cat trace !~ "three"

# Two readers that wait on one descriptor get one line each in the end.
start first read p 200
start second read p 200
finish first 100 => timeout
put trace_marker "for one"
sleep 50
put trace_marker "for the other"
finish first 10000 =~ "for "
finish second 10000 =~ "for "

# trace_pipe has one reader at a time.
open q trace_pipe r,nonblock => EBUSY
close p
open q trace_pipe r,nonblock
put trace_marker "four"
read q 200 =~ "four"
close q
SCRIPT
