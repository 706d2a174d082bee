#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Repeated loading, mounting, use, unmounting and unloading leaves nothing behind
# upstream: U27
# only: eventfs
# mount: no
# timeout: 120

round() {
	evt run <<-SCRIPT
		insmod $MODULE
		mount nodev $MNT eventfs ""
		chdir $MNT
		ls events =~ sched
		count events/$(scale syscalls irq)
		append kprobe_events "p:loop/one $PROBED\n"
		ls events/loop/one =~ enable
		put events/loop/one/enable 1
		hit 1
		put events/loop/one/enable 0
		chmod events/loop/one/filter 600
		open f events/loop/one/format r
		append kprobe_events "-:loop/one\n"
		access events/loop => ENOENT
		read f 100 =| ENODEV EOF
		close f
		chdir /
		umount $MNT
		rmmod rust_eventfs
	SCRIPT
	! grep -q '^eventfs_inode_cache ' /proc/slabinfo || fail "the slab cache still exists"
}
! loaded || rmmod rust_eventfs
round
round
count_cached
free() {
	sed -n 's/^\(SUnreclaim\|Percpu\): *\([0-9]*\) kB/\2/p' /proc/meminfo | {
		read -r slab
		read -r percpu
		echo $((slab + percpu))
	}
}
memory=$(free)
rounds=$(scale 25 6)
for _ in $(seq "$rounds"); do
	round
done
nothing_leaked 20
at_most "kB of slabs and per-CPU memory after $rounds rounds" $((memory + 1500)) "$(free)"
[ ! -e /sys/module/rust_eventfs ]
