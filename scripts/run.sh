#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make run` and `make shell`: boots the guest, shows the guided tour (not for
# `shell`), and on a terminal starts a shell in the guest.
#
#   run.sh tour|shell

top=$(dirname "$0")/..
# shellcheck source=qemu/parts.sh
. "$top/qemu/parts.sh"

what=$1
flavour=${KERNEL:-normal}
mode=
if [ -t 0 ] && [ -t 1 ]; then
	mode=interactive
elif [ "$what" = shell ]; then
	die "a shell needs a terminal" "\`make run\` and \`make test\` need none"
fi

with_lock "$CACHE/setup.lock" setup build guest
kernel "$flavour"
module "$KERNEL_DIR" "$flavour"
programs

script=
if [ "$what" = tour ]; then
	script='sh /eventfs/tour.sh >/dev/ttyS1 2>&1; status=$?'
fi
if [ "$mode" = interactive ]; then
	size=$(stty size)
	script="$script
export TERM='${TERM:-vt100}' ROWS='${size% *}' COLUMNS='${size#* }' ENV=/etc/profile
setsid -c sh /eventfs/shell.sh </dev/ttyS1 >/dev/ttyS1 2>&1"
	say "Booting. Leave the guest with \`exit\`; Ctrl-A x kills it."
	settings=$(stty -g)
	trap 'stty "$settings"' EXIT
fi
guest "$flavour" "${LIMIT:-600}" "$script
exit \${status:-0}" "$mode"

status=0
bash "$ROOT/qemu/console.sh" "$RUN/console" >&2 || status=1
if [ "$GUEST_STATUS" != 0 ]; then
	say "error: the guest's exit status is $GUEST_STATUS; its console: $RUN/console"
	status=1
fi
exit $status
