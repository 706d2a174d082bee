#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: chmod and chown are permitted to the owner and to root only
# upstream: U31

# Root permits the way and gives away one file, one event and one group.
run <<SCRIPT
chmod . 755
append kprobe_events "p:given/away $PROBED\np:kept/here $PROBED\n"
chown tracing_on 1000 1000
chown events/sched/sched_switch/enable 1000 1000
chown events/given 1000 1000
chown events/given/away 1000 1000
SCRIPT
attempt() { # uid gid
	cat <<-SCRIPT
		user $1 $2
		chmod tracing_on 644 => $3
		chmod events/sched/sched_switch/enable 600 => $3
		chmod events/given 700 => $3
		chmod events/given/away 711 => $3
		chown tracing_on - 1000 => $3
		chown events/sched/sched_switch/enable - 1000 => $3
		chown events/given - 1000 => $3
		utimes events/given 5 => $3
		# Not owned by the user.
		chmod events/kept 700 => EPERM
		chmod events/kept/here/enable 600 => EPERM
		chmod events 700 => EPERM
		chmod . 700 => EPERM
		chown events/kept 1000 - => EPERM
		# Only root may change the owner, or set a group that the user
		# is not in.
		chown tracing_on 0 - => EPERM
		chown tracing_on 1001 - => EPERM
		chown tracing_on - 55 => EPERM
		chown events/given - 55 => EPERM
	SCRIPT
}
attempt 1000 1000 ok | run
run <<'SCRIPT'
stat tracing_on mode uid gid => 644 1000 1000
stat events/sched/sched_switch/enable mode uid gid => 600 1000 1000
stat events/given mode uid gid => 700 1000 1000
stat events/given/away mode uid gid => 711 1000 1000
chmod events/given 755
SCRIPT
attempt 1001 1000 EPERM | run
run <<'SCRIPT'
stat tracing_on mode uid gid => 644 1000 1000
stat events/sched/sched_switch/enable mode uid gid => 600 1000 1000
stat events/given mode uid gid => 755 1000 1000
# Root may do all of that, and takes the files back.
chown tracing_on 0 0
chmod tracing_on 640
chown events/sched/sched_switch/enable 0 0
chmod events/sched/sched_switch/enable 640
chown events/given 0 0
user 1000 1000
chmod tracing_on 644 => EPERM
chmod events/sched/sched_switch/enable 644 => EPERM
chmod events/given 700 => EPERM
SCRIPT
# A remount with a new owner takes everything back as well.
run <<'SCRIPT'
chown events/sched/sched_switch/enable 1000 1000
remount . "uid=0,gid=0"
user 1000 1000
chmod events/sched/sched_switch/enable 644 => EPERM
chmod events/given/away 700 => EPERM
open f events/sched/sched_switch/enable w => EACCES
SCRIPT
