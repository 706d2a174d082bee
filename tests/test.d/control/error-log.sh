#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: error_log shows the errors of commands, and can be cleared

run <<'SCRIPT'
cat error_log => EOF
put kprobe_events "p:wrong/one no_such_function\n" => EINVAL
cat error_log =~ "trace_kprobe: error:" "no_such_function" "^"
put events/sched/sched_switch/filter "nowhere == 1" => EINVAL
open e error_log r
read e 10
seek e 0 set
readall e =~ "no_such_function" "nowhere"
close e
truncate error_log
cat error_log => EOF
SCRIPT

# The mark is under the wrong word.
marked() { # command with ^ before the wrong word
	before=${1%%^*}
	command=$before${1#*^}
	fails evt run <<-SCRIPT
		truncate $MNT/error_log
		put $MNT/kprobe_events "$command\n"
	SCRIPT
	line=$(tail -n 1 "$MNT/error_log")
	spaces=${line%^}
	# The line begins with "  Command: ".
	equal "position of the mark for '$command'" $((11 + ${#before})) "${#spaces}"
}
marked 'p:wrong/one ^no_such_function'
marked "p:wrong/one $PROBED ^=%di"
marked "p:wrong/one $PROBED a=^%nosuch"
marked "p:wrong/one $PROBED a=%di:^nosuchtype"
