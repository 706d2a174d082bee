#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Nobody may do more with any file than with the same file of tracefs
# timeout: 180

# The trees are compared as they are for others, for the owner and for a group.
for options in uid=0,gid=0,mode=700 uid=0,gid=0,mode=755 uid=0,gid=1000,mode=755 \
	uid=1000,gid=0,mode=755; do
	evt run <<-SCRIPT
		remount $TRACEFS "$options"
		remount $MNT "$options"
	SCRIPT
	for who in user namespace; do
		stress access "$MNT" "$TRACEFS" --as "$who" --step "$(scale 4 40)"
	done
done
evt run <<SCRIPT
remount $TRACEFS "uid=0,gid=0,mode=700"
SCRIPT
stress access "$MNT" "$TRACEFS" --as root --step "$(scale 4 40)"
