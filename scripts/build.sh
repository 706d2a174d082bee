#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make`: builds rust_eventfs.ko and nothing else.  Against the tree $KDIR if
# that is set, else against our own kernel, which is made first if need be.

top=$(dirname "$0")/..
# shellcheck source=qemu/parts.sh
. "$top/qemu/parts.sh"

if [ -n "${KDIR:-}" ]; then
	[ -d "$KDIR" ] || die "KDIR=$KDIR is not a folder"
	KDIR=$(realpath "$KDIR")
	tools_of "$KDIR"
	# Each tree has a folder of its own, so that none disturbs another's.
	name=kdir-$(printf '%s' "$KDIR" | sha256sum | cut -c 1-8)
	module "$KDIR" "$name"
else
	with_lock "$CACHE/setup.lock" setup build
	name=${KERNEL:-normal}
	kernel "$name"
	module "$KERNEL_DIR" "$name"
fi
ln -sfn "build/$name/rust_eventfs.ko" "$ROOT/rust_eventfs.ko"
say "rust_eventfs.ko is built (it is build/$name/rust_eventfs.ko)"
