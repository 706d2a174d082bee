#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make setup`: installs the tools of all commands.

top=$(dirname "$0")/..
# shellcheck source=qemu/lib.sh
. "$top/qemu/lib.sh"
# shellcheck source=qemu/setup.sh
. "$top/qemu/setup.sh"

with_lock "$CACHE/setup.lock" setup build guest mutants root lint
say "All tools are installed:"
for tool in "$RUSTC" "$BINDGEN" "$(command -v "$(llvm_tool clang)")" \
	"$(command -v qemu-system-x86_64)"; do
	say "  $tool: $("$tool" --version | head -n 1)"
done
say "  $BUSYBOX: $("$BUSYBOX" 2>&1 | head -n 1)"
