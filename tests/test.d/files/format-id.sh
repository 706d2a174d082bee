#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: format and id are read as on tracefs, in parts of any size, and cannot be written

same <<'SCRIPT'
cat events/sched/sched_switch/format =~ "name: sched_switch" "print fmt"
cat events/sched/sched_switch/id
open f events/sched/sched_switch/format r
read f 0
read f 1
read f 7
read f 300
seek f 0 cur
seek f 6 set
read f 12
seek f -4 cur
read f 10
pread f 10 100
seek f 0 end
seek f -1 set => EINVAL
seek f 100000 set
read f 10
readv f 10
write f x => EBADF
close f
open f events/sched/sched_switch/id r
read f 1
read f 1
read f 100
read f 100
seek f 0 set
readall f
seek f 1 set
read f 100
seek f 0 end
pread f 100 1
close f
# Root may open them for writing, but a write fails.
open f events/sched/sched_switch/format rw
write f x => EINVAL
writev f x y => EINVAL
close f
put events/sched/sched_switch/id 5 => EINVAL
put events/header_page x => EINVAL
put events/header_event x => EINVAL
cat events/header_page
cat events/header_event
open f events/header_page r
read f 10
read f 10
seek f 2 set
read f 10
SCRIPT
