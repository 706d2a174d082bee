#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A directory that was listed before shows the events added and removed since then
# listings: both
# upstream: U19

# The changes go through the kernel's own file, which does not notify the
# module. A directory that was verified often is compared only with a part of
# tracefs's listing, so the number of entries stays the same.
run <<SCRIPT
append $TRACEFS/kprobe_events "p:often/a $PROBED\np:often/b $PROBED\np:often/c $PROBED\n"
repeat 4
ls events/often => filter enable a b c
end
append $TRACEFS/kprobe_events "-:often/b\np:often/d $PROBED\n"
repeat 4
ls events/often => filter enable a c d
end
# The newest event is replaced under the same name.
append $TRACEFS/kprobe_events "-:often/d\np:often/d $PROBED\n"
repeat 4
ls events/often => filter enable a c d
end
access events/often/d/enable
append $TRACEFS/kprobe_events "-:often/a\np:often/a $PROBED\n"
repeat 4
ls events/often => filter enable c d a
end
# The newest event gets its node before the older one.
append $TRACEFS/kprobe_events "p:often/e $PROBED\np:often/f $PROBED\n"
access events/often/f
append $TRACEFS/kprobe_events "-:often/c\n"
ls events/often =~ d a e f
append $TRACEFS/kprobe_events "-:often/d\n"
ls events/often =~ a e f
append $TRACEFS/kprobe_events "-:often/e\n-:often/f\np:often/e $PROBED\n"
access events/often/c => ENOENT
access events/often/e
ls events/often => filter enable a e
append $TRACEFS/kprobe_events "-:often/a\n-:often/e\np:often/g $PROBED\n"
repeat 4
ls events/often => filter enable g
end
append $TRACEFS/kprobe_events "-:often/g\n"
ls events/often => ENOENT
SCRIPT
