#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Modules that are built outside of the tree, with the header and the symbols, work
# only: eventfs
# requires: eventfs_outside.ko eventfs_outside_rust.ko

for name in outside outside_rust; do
	insmod "$MODULES/eventfs_$name.ko"
	run <<-SCRIPT
		ls $name => answer
		cat $name/answer => 42
		open answer $name/answer r
		rmmod eventfs_$name
		read answer 10 => ENODEV
		access $name => ENOENT
	SCRIPT
done
