#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A kprobe is added, is hit, is filtered and is removed, all on one mount

cd "$MNT" || exit
echo "p:probes/mask $PROBED mask=+0x70(%di):u32" >kprobe_events
[ -d events/probes/mask ]
equal "listing" "p:probes/mask $PROBED mask=+0x70(%di):u32" "$(cat kprobe_events)"
contains "available_events" "probes:mask" "$(grep probes available_events)"
contains "format" "field:u32 mask;" "$(cat events/probes/mask/format)"
echo 1 >events/probes/mask/enable
equal "set_event" "probes:mask" "$(cat set_event)"
umask 026
grep -q 'mask: (__x64_sys_umask.*) mask=22' trace
echo >trace
echo 'mask == 19' >events/probes/mask/filter
umask 022
umask 023
equal "filtered" "mask=19" "$(grep -o 'mask=[0-9]*' trace | sort -u)"
# An enabled probe cannot be removed.
fails sh -c 'echo -:probes/mask >>kprobe_events'
[ -d events/probes/mask ]
echo 0 >events/probes/mask/enable
echo -:probes/mask >>kprobe_events
[ ! -e events/probes/mask ]
[ ! -e events/probes ]
equal "listing" "" "$(cat kprobe_events)"
lacks "events" probes "$(ls events)"
