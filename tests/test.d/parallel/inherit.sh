#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A look-up of a directory during its creation finds it with its owner, or not at all
# upstream: U15 U29
# only: eventfs
# requires: eventfs_client_c.ko
# timeout: 120

insmod "$MODULES/eventfs_client_c.ko"
run <<'SCRIPT'
chown client_c/queues 1000 1001
SCRIPT
look() {
	run <<-'SCRIPT'
		repeat 300
		stat client_c/queues/a uid gid =| "1000 1001" ENOENT
		end
	SCRIPT
}
start_tasks look look
run <<SCRIPT
repeat $(scale 15000 300)
put client_c/control "add a"
put client_c/control "remove a"
end
SCRIPT
end_tasks
