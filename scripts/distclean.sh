#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make distclean`: removes the cache, and says what was in it.

top=$(dirname "$0")/..
# shellcheck source=qemu/lib.sh
. "$top/qemu/lib.sh"

if [ -d "$CACHE" ]; then
	say "Removing $CACHE: kernel sources and builds, downloads, tools;" \
		"$(du -sh "$CACHE" | cut -f1)"
	rm -rf "$CACHE"
else
	say "There is no cache in $CACHE"
fi
say "Installed Debian packages stay."
