#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make bench`: measures the module beside the kernel's own eventfs, debugfs and
# sysfs in a guest of the normal kernel.  Prints a table, and leaves samples,
# table and figures in bench/out/.  bench/README.md describes the method.
#
#   QUICK=1         fewer and smaller measurements
#   REPEAT=N        the number of repetitions
#   CLOCK=time      uses the guest's clock also under emulation
#   PROFILE=1       instead shows in which functions cold look-ups spend their
#                   instructions

top=$(dirname "$0")/..
# shellcheck source=qemu/parts.sh
. "$top/qemu/parts.sh"
# shellcheck source=bench/profile.sh
. "$top/bench/profile.sh"

OUT=$ROOT/bench/out
PROGRAM=$BUILD/bench/$GUEST_TARGET/release/eventfs-bench

# samples: reads the guest's output on stdin, adds its samples to those of before,
# and shows its progress.
samples() {
	local line
	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		'#bytes '*) printf '%s\n' "${line#\#bytes }" >>"$OUT/bytes.txt" ;;
		'#'*) say "[$(elapsed "$SECONDS")] ${line#\# }" ;;
		*) printf '%s\n' "$line" >>"$OUT/raw.csv" ;;
		esac
	done
}

# measure COMMAND: runs a command of the bench program in a guest.
measure() {
	local command=$1 process
	exec 8> >(samples)
	process=$!
	guest normal "${LIMIT:-1800}" \
		"eventfs-bench $command ${options[*]} </dev/null >/dev/ttyS1 2>&1" >&8
	exec 8>&-
	wait "$process"
	bash "$ROOT/qemu/console.sh" "$RUN/console" >&2 ||
		die "the kernel reported trouble during the measurement"
	[ "$GUEST_STATUS" = 0 ] ||
		die "the guest's exit status is $GUEST_STATUS" "its console: $RUN/console"
}

# about CLOCK: prints the lines above the table: versions, date, clock.
about() {
	echo "rust_eventfs $VERSION${QUICK:+, less of everything (QUICK=1)}"
	echo "$(date -u '+%Y-%m-%d %H:%M') UTC, in$(elapsed "$SECONDS") minutes"
	echo "Linux $(cat "$KERNEL_DIR/include/config/kernel.release"), $("$QEMU" --version | head -n 1)"
	if [ "$1" = instructions ]; then
		echo "TCG; the clock counts the guest's instructions, except in the rows of two CPUs"
	else
		echo "${ACCEL[1]}, by the guest's clock"
	fi
	echo
}

# The version of the sources that the module is built from.
VERSION=$(git -C "$ROOT" describe --always --dirty 2>/dev/null) || VERSION='(no git)'

with_lock "$CACHE/setup.lock" setup build guest
kernel normal
module "$KERNEL_DIR" normal
with_lock "$BUILD/bench.lock" step "build the bench program" bench \
	cargo_static bench/guest bench
# The guest gets this program instead of the tests' programs.
# shellcheck disable=SC2034
PROGRAMS=("$PROGRAM")

options=()
[ -z "${QUICK:-}" ] || options+=(--quick)
[ -z "${REPEAT:-}" ] || options+=(--repeat "$REPEAT")
export GUEST_MEMORY=2G
if [ -n "${PROFILE:-}" ]; then
	mkdir -p "$OUT"
	profile
	exit
fi
rm -rf "$OUT"
mkdir -p "$OUT"
SECONDS=0

# Under emulation the guest's clock depends on the host's other work.  With
# -icount each instruction takes a nanosecond of the guest's time instead, which
# QEMU supports for one processor only.
accelerator "$KERNEL_DIR/arch/x86/boot/bzImage"
clock='time'
if [[ ${ACCEL[*]} = *tcg* ]] && [ "${CLOCK:-}" != time ]; then
	clock=instructions
fi
printf '%s\n' 'row,who,size,repetition,value' "clock,$clock,0,0,1" >"$OUT/raw.csv"
if [ $clock = instructions ]; then
	GUEST_CPUS=1 GUEST_OPTIONS="-accel tcg,thread=single -icount shift=0,sleep=off ${ACCEL[*]:2}" \
		measure measure
else
	measure measure
fi
measure parallel

{
	about "$clock"
	"$PROGRAM" report "$OUT"
} | tee "$OUT/table.txt"
echo "Samples, table and figures: $(pretty "$OUT")"
