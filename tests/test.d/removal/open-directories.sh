#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Open directories of a removed group lead nowhere
# listings: both
# upstream: U05 U12 U25
# only: eventfs

for by in "$MNT" "$TRACEFS"; do
	run <<-SCRIPT
		append kprobe_events "p:gone/one $PROBED\np:gone/two $PROBED\n"
		open group events/gone r,dir
		open event events/gone/one r,dir
		open pgroup events/gone r,path
		open pevent events/gone/two r,path
		getdents event 24 => .
		append $by/kprobe_events "-:gone/one\n-:gone/two\n"
		access events/gone => ENOENT
		ls events !~ gone

		openat f group one/enable r =| ENOENT ENODEV
		openat f group enable r =| ENOENT ENODEV
		openat f event enable r =| ENOENT ENODEV
		openat f event . r,dir =| ENOENT ENODEV
		openat f pgroup one r =| ENOENT ENODEV
		openat f pevent enable r =| ENOENT ENODEV
		reopen f pevent r,dir =| ENOENT ENODEV ESTALE
		reopen f group r,dir =| ENOENT ENODEV ESTALE
		pathof event => "$MNT/events/gone/one (deleted)"
		pathof pgroup => "$MNT/events/gone (deleted)"
		listrest event 4096 =| ENOENT ENODEV -
		seek group 0 set =| 0 ENOENT ENODEV
		listrest group 4096 =| ENOENT ENODEV -
		fchmod group 700 =| ENODEV ENOENT EBADF
		fchmod event 700 =| ENODEV ENOENT
		fstat group type => dir
		fstat pevent type => dir
		openat f event ../.. r,dir ??
		openat f group .. r,dir ??

		fchdir event
		getcwd => ENOENT
		ls . =| ENOENT ENODEV -
		access enable => ENOENT
		access ./enable => ENOENT
		mkdir x =| ENOENT EPERM ENODEV
		chdir $MNT
		drop_caches
		fchdir pgroup
		access one => ENOENT
		chdir $MNT
		# Parents are closed first.
		close pgroup
		close group
		drop_caches
		close event
		close pevent
	SCRIPT
done
