#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: One write can have several commands, comments and empty lines

same <<'SCRIPT'
append kprobe_events "p:several/a __x64_sys_umask\n# a comment\n\n   \np:several/b __x64_sys_umask # another\nr:several/c __x64_sys_umask\n"
ls events/several => filter enable a b c
cat kprobe_events
# Additions and removals in one write.
append kprobe_events "-:several/a\np:several/d __x64_sys_umask\n-:several/c"
ls events/several => filter enable b d
# The commands before an invalid one take effect.
append kprobe_events "p:several/e __x64_sys_umask\nnonsense\np:several/f __x64_sys_umask\n"
ls events/several
# The newline is optional if a write has one command only.
append kprobe_events "p:several/g __x64_sys_umask"
ls events/several
open k kprobe_events w
write k "p:several/h __x64_sys_umask\n"
write k "p:several/i __x64_sys_umask\n-:several/h\n"
writev k "p:several/j __x64_sys_umask\n" "p:several/k __x64_sys_umask\n"
pwrite k "p:several/l __x64_sys_umask\n" 1000
ls events/several
close k
append kprobe_events "-:several/b\n-:several/d\n-:several/no\n-:several/i\n"
ls events/several
truncate kprobe_events
SCRIPT

# A hundred probes in one write, which is more than a page.
commands=$(seq 1 100 | sed "s|.*|p:many/probe_& $PROBED|")
echo "$commands" >>"$MNT/kprobe_events"
equal "entries" 102 "$(find "$MNT/events/many" -mindepth 1 -maxdepth 1 | wc -l)"
equal "listed commands" "$commands" "$(grep many/ "$MNT/kprobe_events")"
echo "$commands" | sed 's|^p:\([^ ]*\).*|-:\1|' >>"$MNT/kprobe_events"
[ ! -e "$MNT/events/many" ]
