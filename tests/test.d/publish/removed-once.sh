#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Of several tasks that remove one name at the same time exactly one succeeds, after the removal
# only: eventfs
# requires: eventfs_client_c.ko
# timeout: 120

insmod "$MODULES/eventfs_client_c.ko"
change() {
	run <<-'SCRIPT'
		repeat 100
		put client_c/control "add a" =| 5 EEXIST
		put client_c/control "remove a" =| 8 ENOENT
		end
	SCRIPT
}
start_tasks change change change
sleep "$(scale 4 10)"
end_tasks
run <<'SCRIPT'
put client_c/control "remove a" =| 8 ENOENT
ls client_c/queues => -
SCRIPT
counters=/sys/module/eventfs_client_c/parameters
made=$(cat $counters/created)
at_least "queues made" 100 "$made"
equal "released queues" "$made" "$(cat $counters/released)"
# The module counts each successful addition and removal of a queue.
equal "changes" $((made * 2)) "$(cat "$MNT/events/client_c/queues_changed/count")"
