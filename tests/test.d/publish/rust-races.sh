#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A client in Rust is loaded and unloaded while its tree is in use; all data is dropped once
# only: eventfs
# requires: eventfs_client_rust.ko
# timeout: 120

client=$MODULES/eventfs_client_rust.ko
rounds=$(scale 10 5)
insmod "$client"

user() { # name
	while [ ! -e "$TMP/stop" ]; do
		run <<-SCRIPT
			repeat 20
			put client_rust/control "add $1" ??
			put client_rust/queues/$1/depth 5 ??
			cat client_rust/queues/$1/info ??
			cat client_rust/queues/other/info ??
			ls client_rust/queues ??
			put client_rust/control "remove $1" ??
			put client_rust/control "add other" ??
			put client_rust/control "remove other" ??
			cat client_rust/control ??
			end
		SCRIPT
	done
}
user one &
user two &

while [ "$rounds" -gt 0 ]; do
	rounds=$((rounds - 1))
	usleep 100000
	rmmod eventfs_client_rust
	run <<-'SCRIPT'
		access client_rust => ENOENT
	SCRIPT
	insmod "$client"
done
: >"$TMP/stop"
wait
rmmod eventfs_client_rust

unloaded=0
log=$(kernel_log | sed -n 's/.*eventfs_client_rust: made \([0-9]*\), dropped \([0-9]*\)$/\1 \2/p')
while read -r made dropped; do
	equal "dropped" "$made" "$dropped"
	unloaded=$((unloaded + 1))
done <<EOT
$log
EOT
equal "unloads" "$(($(scale 10 5) + 1))" "$unloaded"
