#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make soak`: runs stress and fuzzer in the guest for MINUTES (default 60), in
# rounds whose seeds count up from SEED (default: the clock).  KERNEL is the flavour
# (default normal).  Fails if a program fails or the console shows a report.

top=$(dirname "$0")/..
# shellcheck source=qemu/parts.sh
. "$top/qemu/parts.sh"

minutes=${MINUTES:-60}
seed=${SEED:-$(date +%s)}
flavour=${KERNEL:-normal}
case $minutes$seed in
*[!0-9]*) die "MINUTES and SEED are numbers" ;;
esac
# A leading zero would make them octal in the guest's shell.
minutes=$((10#$minutes)) seed=$((10#$seed))

with_lock "$CACHE/setup.lock" setup build guest
kernel "$flavour"
module "$KERNEL_DIR" "$flavour"
programs

echo "# $flavour kernel, $minutes minutes, seeds from $seed on"
output=$(mktemp "$BUILD/log/soak-$flavour.XXXXXX")
# The limit leaves time for the last round and the checks after it.
guest "$flavour" $((minutes * 60 + 1800)) "exec </dev/null >/dev/ttyS1 2>&1
MINUTES=$minutes SEED=$seed
$(<"$ROOT/qemu/guest/soak.sh")" > >(tee "$output")
wait $!
mv "$output" "$RUN/output"

failed=0
if [ "$GUEST_STATUS" != 0 ]; then
	say "error: soaking failed ($GUEST_STATUS); its output: $(pretty "$RUN/output")"
	failed=1
fi
console_is_clean || {
	say "error: the console is not clean: $(pretty "$RUN/console")"
	failed=1
}
[ $failed -ne 0 ] || echo "soaked for $minutes minutes without a failure"
exit $failed
