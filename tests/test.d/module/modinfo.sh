#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The module has its modinfo fields
# only: eventfs
# mount: no

# busybox modinfo misses the first field, so this test reads them itself.
field() { # name
	# The first field has no NUL before it, so there is no ^ here.
	strings "$MODULE" | sed -n "s/.*\<$1=//p"
}
equal "licence" GPL "$(field license)"
contains "alias" fs-eventfs "$(field alias)"
[ -n "$(field description)" ] || fail "no description"
[ -n "$(field author)" ] || fail "no author"
equal "parameters" "" "$(field parm)"
modinfo "$MODULE" | grep -q '^alias: *fs-eventfs$'
