#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make`: builds rust_eventfs.ko against the tree $KDIR, or if that is not set
# against our own kernel, which is built first unless it is up to date.

top=$(dirname "$0")/..
# shellcheck source=qemu/parts.sh
. "$top/qemu/parts.sh"

if [ -n "${KDIR:-}" ]; then
	[ -d "$KDIR" ] || die "KDIR=$KDIR is not a folder"
	KDIR=$(realpath "$KDIR")
	tools_of "$KDIR"
	# Each tree has a build folder of its own.
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
