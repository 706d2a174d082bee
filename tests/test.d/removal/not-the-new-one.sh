#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A file of a removed event does not become one of a new event with the same name
# upstream: U12 U04

for by in "$MNT" "$TRACEFS"; do
	run <<-SCRIPT
		append kprobe_events "p:same/name $PROBED\n"
		open enable events/same/name/enable rw
		open filter events/same/name/filter rw
		open format events/same/name/format r
		open dir events/same/name r,dir
		open path events/same/name r,path
		append $by/kprobe_events "-:same/name\n"
		append $by/kprobe_events "r:same/name $PROBED ret=\$retval\n"
		access events/same/name/enable
		read enable 10 =| ENODEV EOF
		write enable 1 => ENODEV
		write filter 0 => ENODEV
		read format 1000 =| ENODEV EOF
		openat f path enable r => ENOENT
		openat f dir enable r => ENOENT
		cat events/same/name/enable => "0\n"
		cat events/same/name/format =~ "ret"
		put events/same/name/enable 1
		close enable
		close filter
		close format
		close dir
		close path
		cat events/same/name/enable => "1\n"
		put events/same/name/enable 0
		append kprobe_events "-:same/name\n"
		access events/same => ENOENT
	SCRIPT
done
