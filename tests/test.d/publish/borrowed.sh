#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: An open file pins the module that owns its operations, until the publisher is unloaded
# upstream: U12 U22
# only: eventfs
# requires: eventfs_lender.ko eventfs_borrower.ko

insmod "$MODULES/eventfs_lender.ko"
insmod "$MODULES/eventfs_borrower.ko"
run <<'SCRIPT'
cat borrower/file => "lent\n"
# Closing the files leaves no poller on the module's wait queue, which lives on.
repeat 20
open closed borrower/file r
poll closed in 0 => timeout
close closed
drop_caches
end
open f borrower/file r
read f 10 => "lent\n"
# One reference is of the borrower, which uses a symbol of the lender.
cat /sys/module/eventfs_lender/refcnt => "2\n"
start poller poll f in 30000
finish poller 50 => timeout
rmmod eventfs_borrower
# No other wake-up comes.
finish poller 5000 =~ err hup
read f 10 => ENODEV
cat /sys/module/eventfs_lender/refcnt => "0\n"
rmmod eventfs_lender
read f 10 => ENODEV
close f
SCRIPT
