#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A remount applies to files in use, whose dentries stay in the cache
# upstream: U14
# only: eventfs

run <<SCRIPT
open f events/sched/enable r
open d events/sched r,dir
open p events/irq/irq_handler_entry/format r,path
open c tracing_on r
chdir events/timer
remount $MNT "uid=1000,gid=1001"
fstat f uid gid mode => 1000 1001 640
fstat d uid gid mode => 1000 1001 755
fstat p uid gid mode => 1000 1001 440
fstat c uid gid mode => 1000 1001 640
stat . uid gid mode => 1000 1001 755
stat ../sched/enable uid gid mode => 1000 1001 640
remount $MNT "uid=0"
fstat f uid gid mode => 0 1001 640
fstat d uid gid mode => 0 1001 755
fstat c uid gid mode => 0 1001 640
stat . uid gid mode => 0 1001 755
SCRIPT
