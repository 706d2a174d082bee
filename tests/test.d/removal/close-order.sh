#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Files and directories of a removed group are closed in every order
# listings: both
# upstream: U05

count_cached
orders() {
	for a in event group efile gfile; do
		for b in event group efile gfile; do
			for c in event group efile gfile; do
				for d in event group efile gfile; do
					case "$a $b $c $d" in
					*event*event* | *group*group* | *efile*efile* | *gfile*gfile*) ;;
					*) echo "$a $b $c $d" ;;
					esac
				done
			done
		done
	done
}
equal "number of orders" 24 "$(orders | wc -l)"
orders | while read -r order; do
	cat <<-SCRIPT
		append kprobe_events "p:order/one $PROBED\n"
		open event events/order/one r,dir
		open group events/order r,dir
		open efile events/order/one/enable rw
		open gfile events/order/enable rw
		append kprobe_events "-:order/one\n"
		access events/order => ENOENT
	SCRIPT
	for name in $order; do
		echo "close $name"
		echo drop_caches
	done
done >script
run <script
nothing_leaked 20
