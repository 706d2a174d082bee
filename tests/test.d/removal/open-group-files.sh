#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Files of a removed group return ENODEV or end of file
# upstream: U12
# only: eventfs

for by in "$MNT" "$TRACEFS"; do
	run <<-SCRIPT
		append kprobe_events "p:open/files $PROBED\n"
		open enable events/open/enable rw
		open filter events/open/filter rw
		open top events/enable r
		append $by/kprobe_events "-:open/files\n"
		read enable 10 =| ENODEV EOF
		write enable 1 => ENODEV
		seek enable 0 set =| 0 ENODEV
		read filter 100 =| ENODEV EOF
		write filter 0 => ENODEV
		poll enable in,out 1000
		read top 10 => "0\n"
	SCRIPT
done
