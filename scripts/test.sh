#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make test`: runs the tests in a guest of each kernel flavour, checks its console,
# and prints the totals.  T=PATTERN selects tests by name, KERNEL=FLAVOUR the
# kernel, and SEED=N the random operations of some tests.

top=$(dirname "$0")/..
# shellcheck source=qemu/parts.sh
. "$top/qemu/parts.sh"
# shellcheck source=scripts/results.sh
. "$top/scripts/results.sh"

# T may hold several patterns.
read -ra patterns <<<"${T:-}"

# host_result STATUS TEXT: counts the result of a test on the host.
host_result() {
	result "$1" "host: $2"
}

# build_outside FLAVOUR FOLDER: builds the modules of tests/kmod/outside in FOLDER,
# which is not in our tree.  The flavour's guest gets them, too.
build_outside() {
	local flavour=$1 folder=$2
	mkdir -p "$folder/tests/kmod" "$BUILD/$flavour/outside"
	cp -r "$ROOT/include" "$folder/" || return
	cp -r "$ROOT/tests/kmod/outside" "$folder/tests/kmod/" || return
	make -C "$KERNEL_DIR" M="$folder/tests/kmod/outside" ${V:+V="$V"} \
		${LLVM:+LLVM="$LLVM"} RUSTC="$RUSTC" EVENTFS_INCLUDE="$folder/include" \
		KBUILD_EXTRA_SYMBOLS="$BUILD/$flavour/Module.symvers" modules || return
	cp "$folder/tests/kmod/outside/"*.ko "$BUILD/$flavour/outside/"
}

# outside FLAVOUR: tests that modules outside of our tree build with our symbols.
outside() {
	local flavour=$1 folder status=0
	rm -rf "$BUILD/$flavour/outside"
	folder=$(mktemp -d)
	(step "build modules outside of the tree ($flavour)" "outside-$flavour" \
		build_outside "$flavour" "$folder") || status=1
	rm -rf "$folder"
	host_result $status "$flavour: modules outside of the tree build with our symbols"
}

# test_on FLAVOUR: runs the selected tests in one guest.
test_on() {
	local flavour=$1 attempt output status limit=1800
	kernel "$flavour"
	[ "$flavour" = normal ] || limit=3600
	echo "# $flavour kernel"
	output=$(mktemp "$BUILD/log/test-$flavour.XXXXXX")
	for attempt in first second; do
		guest "$flavour" "${LIMIT:-$limit}" \
			"${SEED:+SEED=${SEED@Q} }sh /eventfs/tests/run.sh ${patterns[*]@Q} \
				</dev/null >/dev/ttyS1 2>&1" \
			> >(tee "$output")
		wait $!
		if [ "$attempt" = second ] || [ "$GUEST_STATUS" != died ] || ! stale_code; then
			break
		fi
		say "QEMU ran code that the kernel had patched ($(pretty "$RUN/console"))." \
			"That is no defect of the module: all tests on this kernel run once more."
	done
	mv "$output" "$RUN/output"
	output=$RUN/output
	status=1
	if add_results "$output" && { [ "$GUEST_STATUS" = 0 ] || [ "$FAILURES" -gt 0 ]; }; then
		status=0
	fi
	host_result $status "$flavour: the tests finished ($GUEST_STATUS)"
	status=0
	console_is_clean || status=1
	host_result $status "$flavour: the console is clean ($(pretty "$RUN/console"))"
}

with_lock "$CACHE/setup.lock" setup build guest
status=0
bash "$ROOT/qemu/console-test.sh" || status=1
host_result $status "console.sh finds reports of every kind"
# Builds everything before the first test runs.
for flavour in ${KERNEL:-normal debug}; do
	kernel "$flavour"
	module "$KERNEL_DIR" "$flavour"
	outside "$flavour"
done
programs
for flavour in ${KERNEL:-normal debug}; do
	test_on "$flavour"
done

summary
