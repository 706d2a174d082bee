#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Invalid options are refused as on tracefs
# only: eventfs
# mount: no

insmod "$MODULE" || loaded
mkdir ours theirs

attempts() { # type directory
	for option in foo foo=1 mode mode=9 mode=abc mode=-1 mode= uid uid=abc \
		uid=-1 uid=4294967295 uid=4294967296 uid= gid=abc gid=4294967295 \
		source=x mode=755,foo foo,mode=755 uid=1,uid=x "," ro=1; do
		echo "mount nodev $TMP/$2 $1 \"$option\" ??"
		# Unmounts if the options were accepted.
		echo "umount $TMP/$2 ??"
	done >script
	evt run -v <script | sed "s|$TMP/$2 $1|DIR|; s|$TMP/$2|DIR|"
}

attempts tracefs theirs >expected
evt run <<SCRIPT
remount $TRACEFS "uid=0,gid=0,mode=700"
SCRIPT
attempts eventfs ours >got
cat got
diff expected got
[ "$(grep -c 'EINVAL' got)" -ge 15 ] || fail "fewer than 15 options were refused"
[ "$(references)" = 0 ] || fail "a refused mount left a reference"
