#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: A directory that was listed before shows what has come and gone since
# listings: both
# upstream: U19

# Changed through the kernel's own file, which tells us nothing. What is listed
# often is compared with little of tracefs's listing, so as many come as go.
run <<SCRIPT
append $TRACEFS/kprobe_events "p:often/a $PROBED\np:often/b $PROBED\np:often/c $PROBED\n"
repeat 4
ls events/often => filter enable a b c
end
append $TRACEFS/kprobe_events "-:often/b\np:often/d $PROBED\n"
repeat 4
ls events/often => filter enable a c d
end
# The newest, by its name.
append $TRACEFS/kprobe_events "-:often/d\np:often/d $PROBED\n"
repeat 4
ls events/often => filter enable a c d
end
access events/often/d/enable
append $TRACEFS/kprobe_events "-:often/a\np:often/a $PROBED\n"
repeat 4
ls events/often => filter enable c d a
end
# The newest is known before those that are older.
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
