#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Open files of a removed event answer as those of tracefs do
# upstream: U12

# The number of an event is in the file itself, so that it can still be read. tracefs
# opens format once more through a descriptor, where only the read fails.
reopened='=| ENODEV ENOENT ESTALE'
[ "$TYPE" = eventfs ] || reopened='??'
for by in "$MNT" "$TRACEFS"; do
	echo "p:open/files $PROBED" >>"$by/kprobe_events"
	number=$(cat "$MNT/events/open/files/id")
	run <<-SCRIPT
		open enable events/open/files/enable rw
		open filter events/open/files/filter rw
		open format events/open/files/format r
		open id events/open/files/id r
		open trigger events/open/files/trigger rw
		open hist events/open/files/hist r
		open inject events/open/files/inject w
		open path events/open/files/enable r,path
		# One read is in progress.
		open half events/open/files/format r
		read half 10
		append $by/kprobe_events "-:open/files\n"

		read enable 10 =| ENODEV EOF
		write enable 1 => ENODEV
		pread enable 10 0 =| ENODEV EOF
		seek enable 0 set =| 0 ENODEV
		read filter 100 =| ENODEV EOF
		write filter 0 => ENODEV
		read format 100 =| ENODEV EOF
		seek format 0 set =| 0 ENODEV
		read format 100 =| ENODEV EOF
		read half 100 ??
		seek half 0 set ??
		read half 100 =| ENODEV EOF
		pread id 100 0 => "$number\n"
		read trigger 100 =| ENODEV EOF
		write trigger traceoff => ENODEV
		read hist 100 =| ENODEV EOF
		write inject "common_pid=1" => ENODEV
		# poll returns at once.
		poll enable in,out 1000
		poll filter in,out 1000
		poll hist in 1000
		# Calls that do not involve the event still work.
		fstat enable type => file
		fstat path type => file
		openat f path "" r =| ENOTDIR ENOENT
		# The file cannot be opened again through its descriptor.
		reopen f path r =| ENODEV ENOENT ESTALE
		reopen f enable rw =| ENODEV ENOENT ESTALE
		reopen f format r $reopened
		# Again after eviction.
		drop_caches
		read enable 10 =| ENODEV EOF
		write filter 0 => ENODEV
		read format 100 =| ENODEV EOF
		close enable
		close format
		close filter
		close path
		drop_caches
		read trigger 100 =| ENODEV EOF
		close half
		close id
		close trigger
		close hist
		close inject
	SCRIPT
done
