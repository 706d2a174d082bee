#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The module tells what it is
# only: eventfs
# mount: no

# busybox modinfo overlooks the first field, so this looks for itself.
field() { # name
	# The first field of all does not stand behind a NUL: no ^ here.
	strings "$MODULE" | sed -n "s/.*\<$1=//p"
}
equal "licence" GPL "$(field license)"
contains "alias" fs-eventfs "$(field alias)"
[ -n "$(field description)" ] || fail "no description"
[ -n "$(field author)" ] || fail "no author"
equal "parameters" "" "$(field parm)"
modinfo "$MODULE" | grep -q '^alias: *fs-eventfs$'
