#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A shell for the user: loads the module and mounts the file system first.

dir=/mnt
stty sane rows "${ROWS:-24}" cols "${COLUMNS:-80}"
[ -d /sys/module/rust_eventfs ] || insmod /eventfs/rust_eventfs.ko
mount -t eventfs nodev $dir
cd $dir || exit
cat <<END

This is a shell in the guest. The module is loaded, and eventfs is mounted
here, on $dir. Some things to try:

    ls events/sched; cat events/sched/sched_wakeup/format
    echo 'p:my/open do_sys_openat2' > kprobe_events; ls -l events/my/open
    echo 1 > events/my/open/enable; cat trace_pipe
    /eventfs/tests/run.sh

\`exit\` or Ctrl-D leaves; Ctrl-A x kills the guest.

END
exec sh -i
