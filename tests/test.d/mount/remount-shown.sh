#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: /proc/mounts shows the options in force, also after a remount
# only: eventfs

# tracefs itself forgets the options of the previous remount here.
evt run <<SCRIPT
remount $MNT "mode=755"
SCRIPT
equal "after mode=" mode=755 "$(mount_options "$MNT")"
evt run <<SCRIPT
remount $MNT "uid=1000"
SCRIPT
equal "after uid=" uid=1000,mode=755 "$(mount_options "$MNT")"
evt run <<SCRIPT
remount $MNT ""
SCRIPT
equal "after nothing" uid=1000,mode=755 "$(mount_options "$MNT")"
evt run <<SCRIPT
remount $MNT "uid=3,foo" => EINVAL
SCRIPT
equal "after an error" uid=1000,mode=755 "$(mount_options "$MNT")"
evt run <<SCRIPT
remount $MNT "uid=0,mode=700"
SCRIPT
equal "after the defaults" "" "$(mount_options "$MNT")"

# The option that tracefs does not have.
evt run <<SCRIPT
remount $MNT "readdir=metadata"
remount $MNT "readdir=files" => EINVAL
remount $MNT "readdir=" => EINVAL
remount $MNT "readdir" => EINVAL
SCRIPT
equal "after readdir=" readdir=metadata "$(mount_options "$MNT")"
evt run <<SCRIPT
remount $MNT "readdir=dentries"
SCRIPT
equal "after readdir's default" "" "$(mount_options "$MNT")"
