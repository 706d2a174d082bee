#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A callback decides whether a file exists, and its properties; an invalid answer creates no file
# listings: both
# only: eventfs
# requires: eventfs_careless.ko

insmod "$MODULES/eventfs_careless.ko"
run <<'SCRIPT'
repeat 3
ls careless/outer => fine data inner
access careless/outer/absent => ENOENT
access careless/outer/negative => ENOENT
access careless/outer/nothing => ENOENT
access careless/outer/mmap => ENOENT
access careless/outer/directory => ENOENT
stat careless/outer/fine type mode => file 444
stat careless/outer/data type mode => file 640
# Private data of the callback, and of the directory.
cat careless/outer/data => data
cat careless/outer/inner/data => data
cat careless/outer/fine => outer
cat careless/outer/inner/fine => inner
drop_caches
end
SCRIPT
