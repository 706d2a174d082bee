#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: No path permits a user anything that the same path of tracefs refuses
# timeout: 180

# The trees are compared for other users, for the owner and for the group.
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
