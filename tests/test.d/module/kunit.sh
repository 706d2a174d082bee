#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: The module's unit tests pass
# upstream: U05 U06 U26
# only: eventfs
# requires: /sys/kernel/debug/kunit

suites=0
for suite in /sys/kernel/debug/kunit/rust_eventfs_*; do
	echo 1 >"$suite/run"
	results=$(cat "$suite/results")
	echo "$results"
	contains "${suite##*/}" "ok 1 ${suite##*/}" "$results"
	lacks "${suite##*/}" "not ok" "$results"
	suites=$((suites + 1))
done
at_least "suites" 2 "$suites"
