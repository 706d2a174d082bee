#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A user who loses a directory by a remount cannot change it from then on
# upstream: U31
# timeout: 120

run <<'SCRIPT'
chmod . 755
chmod events 755
SCRIPT
change() {
	run <<-'SCRIPT'
		user 1000 1000
		repeat 200
		chown events/sched - 1000 =| ok EPERM
		end
	SCRIPT
}
start_tasks change change
run <<SCRIPT
repeat $(scale 300 60)
remount . "uid=1000,gid=55"
sleep 4
remount . "uid=0,gid=0"
stat events/sched uid gid => 0 0
sleep 4
stat events/sched uid gid => 0 0
end
SCRIPT
end_tasks
