#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Open files of a removed group answer as those of tracefs do
# upstream: U12

for by in "$MNT" "$TRACEFS"; do
	same <<-SCRIPT
		append kprobe_events "p:open/files $PROBED\n"
		open enable events/open/enable rw
		open filter events/open/filter rw
		open top events/enable r
		open path events/open/enable r,path
		append $by/kprobe_events "-:open/files\n"
		read enable 10
		write enable 1
		write enable nothing
		seek enable 0 set
		read filter 100
		write filter 0
		write filter common_pid==1
		poll enable in,out 1000
		access events/open
		read top 10
		close enable
		close filter
		drop_caches
		access events/open
	SCRIPT
	run <<-SCRIPT
		append kprobe_events "p:open/files $PROBED\n"
		open path events/open/enable r,path
		append $by/kprobe_events "-:open/files\n"
		# A file that was looked up before the removal cannot be opened after it, and
		# not either when another group has its name.
		reopen f path r =| ENODEV ENOENT ESTALE
		append kprobe_events "p:open/other $PROBED\n"
		reopen f path r =| ENODEV ENOENT ESTALE
		append kprobe_events "-:open/other\n"
	SCRIPT
done
