#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Directories do not act as files, and files do not act as directories
# listings: both

same <<'SCRIPT'
open d events r,dir
read d 10 => EISDIR
pread d 10 0
write d x => EBADF
mmap d 4096
ioctl d 0x5401
ftruncate d 0
fsync d
poll d in,out 0
open w events w => EISDIR
open w events/sched rw => EISDIR
open f events/sched/enable r,dir => ENOTDIR
open f tracing_on r,dir => ENOTDIR
open p events r,path
getdents p 4096 => EBADF
read p 10 => EBADF
fstat p type mode => dir 755
openat f p sched/enable r
read f 10
open p events/sched/enable r,path
read p 10 => EBADF
fstat p type mode => file 640
getdents f 4096 => ENOTDIR
listxattr events
setxattr events user.x y
utimes events 5
stat events mtime
SCRIPT
run <<'SCRIPT'
open d events r,dir
seek d -1 set => EINVAL
seek d -1 cur => EINVAL
seek d 0 cur => 0
getdents d 10 => EINVAL
getdents d 16 => EINVAL
getdents d 24 => .
SCRIPT
