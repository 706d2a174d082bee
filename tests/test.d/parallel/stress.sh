#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Random operations of many threads have the right results and leave nothing behind
# upstream: U01 U10 U19 U21 U28 U29 U30
# only: eventfs
# timeout: 120

# Two fixed seeds, and one from the clock, which is printed. SEED repeats one.
read -r clock _ </proc/uptime
clock=${clock%.*}${clock#*.}
for seed in ${SEED:-1 2 "$clock"}; do
	stress run "$MNT" --seed "$seed" --seconds "$(scale 5 15)" --threads "$(scale 6 4)" \
		--scratch "$TMP/mounts" --modules "$MODULES" --patience "$(scale 60 300)"
done
umount "$MNT"
unused() {
	[ "$(references)" = 0 ]
}
eventually unused || fail "$(references) references to the module are left"
rmmod rust_eventfs
