#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A module whose operations another one's file has is kept while such a file is open, and left alone then
# upstream: U12 U22
# only: eventfs
# requires: eventfs_lender.ko eventfs_borrower.ko

insmod "$MODULES/eventfs_lender.ko"
insmod "$MODULES/eventfs_borrower.ko"
run <<'SCRIPT'
cat borrower/file => "lent\n"
# The queue that is polled stays when the files are closed.
repeat 20
open closed borrower/file r
poll closed in 0 => timeout
close closed
drop_caches
end
open f borrower/file r
read f 10 => "lent\n"
# The borrower uses a symbol of it, too.
cat /sys/module/eventfs_lender/refcnt => "2\n"
start poller poll f in 30000
finish poller 50 => timeout
rmmod eventfs_borrower
# Nobody else tells.
finish poller 5000 =~ err hup
read f 10 => ENODEV
cat /sys/module/eventfs_lender/refcnt => "0\n"
rmmod eventfs_lender
read f 10 => ENODEV
close f
SCRIPT
