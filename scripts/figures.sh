#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make figures`: draws the charts in bench/figures/ from summary.csv there.
# If bench/out/ has the results of `make bench`, its summary.csv and table.txt
# replace those in bench/figures/ first.

top=$(dirname "$0")/..
# shellcheck source=qemu/lib.sh
. "$top/qemu/lib.sh"
# shellcheck source=qemu/setup.sh
. "$top/qemu/setup.sh"

OUT=$ROOT/bench/out
FIGURES=$ROOT/bench/figures

draw() {
	cd "$ROOT/bench/guest" || return
	"$CARGO" run --release --locked --target-dir "$BUILD/bench" -- figures "$FIGURES"
}

find_rust || die "there is no rustc $RUST_MIN or newer" "make setup installs one"
mkdir -p "$FIGURES"
if [ -e "$OUT/summary.csv" ] && [ -e "$OUT/table.txt" ]; then
	! head -n 1 "$OUT/table.txt" | grep -q 'QUICK=1' ||
		die "$(pretty "$OUT") is of a run with QUICK=1" \
			"run make bench without it, or remove that folder to draw from the data that are kept"
	say "Data: $(pretty "$OUT")"
	cp "$OUT/summary.csv" "$OUT/table.txt" "$FIGURES/"
else
	say "Data: $(pretty "$FIGURES/summary.csv")"
fi
with_lock "$BUILD/bench.lock" step "draw the charts" figures draw
say "Charts: $(pretty "$FIGURES")"
