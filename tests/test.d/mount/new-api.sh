#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: fsopen, fsconfig, fsmount and fspick work as on tracefs
# mount: no

loaded || [ "$TYPE" = tracefs ] || insmod "$MODULE"
mkdir one two
evt run -v <<SCRIPT
fsopen c $TYPE
fsset c uid 1000
fsset c gid 1001
fsset c mode 0750
fsset c foo 1 => EINVAL
fsset c uid x => EINVAL
fsflag c mode => EINVAL
fsmount m c => EINVAL
fscreate c
fscreate c => EBUSY
fsset c uid 1 => EBUSY
fsmount m c
movemount m $TMP/one
close c
close m
stat $TMP/one uid gid mode => 1000 1001 750
access $TMP/one/events/sched/sched_switch/format
stat $TMP/one/events/sched uid gid => 1000 1001

# Only the given options change.
fspick p $TMP/one
fsset p mode 711
fsreconf p
stat $TMP/one uid gid mode => 1000 1001 711
fsset p gid 7
fsset p bar 1 => EINVAL
fsreconf p
stat $TMP/one uid gid mode => 1000 7 711
stat $TMP/one/events/sched uid gid => 1000 7
close p

# All mounts share one tree, so an exclusive one is refused.
fsopen c $TYPE
fsexcl c => EBUSY
close c

# An unused context has no effect.
fsopen c $TYPE
fsset c uid 5
close c
stat $TMP/one uid => 1000
umount $TMP/one
SCRIPT
