#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A name that was not found is found as soon as it exists
# upstream: U11

for by in "$MNT" "$TRACEFS"; do
	run <<-SCRIPT
		repeat 20
		access events/missed => ENOENT
		access events/missed/one => ENOENT
		access events/missed/one/enable => ENOENT
		append $by/kprobe_events "p:missed/one $PROBED\n"
		access events/missed/one/enable
		access events/missed/two => ENOENT
		access events/missed/two/enable => ENOENT
		access events/missed/one/nothing => ENOENT
		append $by/kprobe_events "p:missed/two $PROBED\n"
		access events/missed/two
		access events/missed/two/enable
		append $by/kprobe_events "-:missed/two\n"
		access events/missed/two => ENOENT
		append $by/kprobe_events "p:missed/two $PROBED\n"
		access events/missed/two/enable
		append $by/kprobe_events "-:missed/one\n-:missed/two\n"
		access events/missed => ENOENT
		end
	SCRIPT
done
