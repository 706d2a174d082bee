#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make mutants`: shows that the tests catch mistakes.  Each patch of
# tests/mutants makes one mistake in a copy of the sources.  It is caught if one of
# the tests that its header names fails, or the console shows a report.  M=PATTERN
# selects patches by name, KERNEL=FLAVOUR those for that kernel.

top=$(dirname "$0")/..
# parts.sh unsets M, which kbuild uses as well.
mutants=${M:-}
# shellcheck source=qemu/parts.sh
. "$top/qemu/parts.sh"
# shellcheck source=scripts/results.sh
. "$top/scripts/results.sh"

PATCHES=$ROOT/tests/mutants

# field PATCH NAME: prints a field of the patch's header.
field() {
	sed -n "/^diff /q; s/^$2: *//p" "$1"
}

# copy: copies the sources with their times, so that kbuild rebuilds the module only.
copy() {
	local folder=$BUILD/src
	rm -rf "$folder"
	mkdir -p "$folder"
	tar -C "$ROOT" --exclude='./.?*' --exclude=./build --exclude=./bench \
		--exclude=./tests/lib --exclude=./tests/stress -cf - . |
		tar -C "$folder" -xf - || return
	# The last build was of another patch.
	touch "$folder/rust_eventfs.rs"
}

# build FLAVOUR: builds the copy in a folder that no guest is packed from.
build() {
	ROOT=$BUILD/src module_make "$KERNEL_DIR" "$BUILD/next-$1" modules
}

# take FLAVOUR: packs the last build into the next guest.
take() {
	local module
	rm -rf "${BUILD:?}/$1"
	mkdir -p "$BUILD/$1"
	find "$BUILD/next-$1" -name '*.ko' | while read -r module; do
		cp "$module" "$BUILD/$1/" || return
	done
}

# prepare PATCH: copies the sources, applies the patch and builds.  The exit status
# is 1 if it does not apply, 2 if it does not build.
prepare() {
	copy || return
	patch -p1 -F0 -s -f --no-backup-if-mismatch -d "$BUILD/src" <"$1" || return 1
	build "$(field "$1" Kernel)" || return 2
}

# first_report: prints the first report on the console.
first_report() {
	bash "$ROOT/qemu/console.sh" "$RUN/console" | sed -n 's/^ *[0-9]*:\(\[[^]]*\] *\)*//p' | head -n 1
}

# run_tests FLAVOUR LIMIT LOG PATTERN...: runs these tests in a guest.
run_tests() {
	local flavour=$1 limit=$2 log=$3
	shift 3
	# One failure is enough, and after it the guest may never finish.  So it powers
	# off if a test has failed, on an oops (not on a warning: there are known ones),
	# if lockdep has reported something and is off, and if the module has waited for
	# a minute and a half to be unloaded.
	guest "$flavour" "$limit" "echo 1 >/proc/sys/kernel/panic_on_oops
going=0
while sleep 2; do
	going=\$((going + 1))
	grep -q '^rust_eventfs .* Unloading ' /proc/modules || going=0
	if [ \"\$going\" -ge 45 ] || grep -q '^ debug_locks: *0' /proc/lockdep_stats; then
		echo 'status 1' >/dev/ttyS2
		poweroff -f
	fi
done 2>/dev/null &
sh /eventfs/tests/run.sh ${*@Q} </dev/null >/dev/ttyS1 2>&1 || {
	echo 'status 1' >/dev/ttyS2
	poweroff -f
}" >"$log" 2>"$log.messages"
}

# try FLAVOUR NAME LIMIT PATTERN...: runs tests in a guest with the last build.  Sets
# CAUGHT to the tests that failed or to the first report, or to nothing.
try() {
	local flavour=$1 name=$2 limit=$3 log=$LOGS/guest-$2 tests line attempt
	shift 3
	CAUGHT=
	for attempt in first second; do
		run_tests "$flavour" "$limit" "$log" "$@"
		if [ "$attempt" = second ] || ! stale_code; then
			break
		fi
	done
	mv "$log" "$RUN/output"
	tests=$(tr -d '\r' <"$RUN/output" | sed -n 's/^not ok [0-9]* \([^ ]*\).*/\1/p' | paste -sd' ')
	line=$(first_report) || true
	if [ -n "$tests" ]; then
		CAUGHT=$tests
		[ -z "$line" ] || CAUGHT="$CAUGHT, and the console: $line"
	elif [ -n "$line" ]; then
		CAUGHT="the console: $line"
	elif [ "$GUEST_STATUS" != 0 ]; then
		CAUGHT="the guest, which did not finish ($GUEST_STATUS)"
	elif ! said DEBUG_KMEMLEAK 'kmemleak found nothing'; then
		CAUGHT="kmemleak, which reports no result"
	elif ! said PROVE_LOCKING 'lockdep is on'; then
		CAUGHT="lockdep, which is off"
	fi
}

# unchanged FLAVOUR PATTERN...: shows that these tests pass without a mutant.
unchanged() {
	local flavour=$1 counts
	shift
	copy || die "the sources cannot be copied"
	HINT="the sources must build without a mutant." \
		step "build the unchanged module ($flavour)" "unchanged-$flavour" build "$flavour"
	take "$flavour"
	say "running the mutants' tests on the unchanged module ($flavour)"
	try "$flavour" "unchanged-$flavour" "${LIMIT:-1500}" "$@"
	[ -z "$CAUGHT" ] || die "the tests fail without a mutant: $CAUGHT" \
		"look at $RUN, and at what \`make test\` says"
	counts=$(tr -d '\r' <"$RUN/output" | tail -n 1)
	say "$counts ($flavour, unchanged)"
	case $counts in
	*' passed, 0 failed, 0 skipped') ;;
	*) die "not all of the mutants' tests can run: $counts" "look at $RUN/output" ;;
	esac
}

# mutant PATCH STATUS: runs the tests of a patch, unless prepare failed with STATUS,
# and counts the result.
mutant() {
	local patch=$1 status=$2 name flavour patterns log limit=180 start=$SECONDS
	name=$(basename "$patch" .patch)
	log=$(pretty "$LOGS/mutant-$name.log")
	case $status in
	0) ;;
	1) result 1 "$name: does not apply (log: $log)" ;;
	*) result 1 "$name: does not build (log: $log)" ;;
	esac
	[ "$status" -eq 0 ] || return 0
	flavour=$(field "$patch" Kernel)
	[ "$flavour" != debug ] || limit=900
	read -ra patterns <<<"$(field "$patch" Caught-by)"
	try "$flavour" "$name" "$limit" "${patterns[@]}"
	if [ -n "$CAUGHT" ]; then
		result 0 "$name: caught by $CAUGHT [$(elapsed $((SECONDS - start)))]"
	else
		result 1 "$name: SURVIVED: $(field "$patch" Subject) ($(pretty "$RUN"))"
	fi
}

# begin PATCH: prepares it in the background, and sets BUILDER to the process.  PATCH
# may be empty.
begin() {
	BUILDER=
	[ -n "$1" ] || return 0
	prepare "$1" >"$LOGS/mutant-$(basename "$1" .patch).log" 2>&1 </dev/null &
	BUILDER=$!
}

# all_of FLAVOUR PATCH...: runs the patches one after the other.  While one is in the
# guest, the next one is built.
all_of() {
	local flavour=$1 patch status
	shift
	begin "$1"
	while [ $# -gt 0 ]; do
		patch=$1
		shift
		status=0
		wait "$BUILDER" || status=$?
		[ "$status" -ne 0 ] || take "$flavour"
		begin "${1:-}"
		mutant "$patch" "$status"
	done
}

# check PATCH: exits if the header lacks something.
check() {
	local name pattern
	for name in Subject Rows Kernel Caught-by; do
		[ -n "$(field "$1" "$name")" ] || die "$1 has no line $name:"
	done
	case $(field "$1" Kernel) in
	normal | debug) ;;
	*) die "$1 names an unknown kernel" ;;
	esac
	for pattern in $(field "$1" Caught-by); do
		find "$ROOT/tests/test.d" -path "*/test.d/*$pattern*.sh" | grep -q . ||
			die "$1: no test's name contains $pattern"
	done
}

# chosen FLAVOUR: prints the selected patches for a kernel.
chosen() {
	local patch
	for patch in "$PATCHES"/*"$mutants"*.patch; do
		[ ! -e "$patch" ] || [ "$(field "$patch" Kernel)" != "$1" ] || echo "$patch"
	done
}

for patch in "$PATCHES"/*"$mutants"*.patch; do
	[ -e "$patch" ] || die "no mutant's name contains $mutants" "see $(pretty "$PATCHES")"
	check "$patch"
done

trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
with_lock "$CACHE/setup.lock" setup build guest mutants
programs
BUILD=$BUILD/mutants
LOGS=$BUILD/log
mkdir -p "$BUILD" "$LOGS"
exec {lock}>"$BUILD/lock"
flock -n "$lock" || die "another \`make mutants\` runs in this folder"
for flavour in ${KERNEL:-normal debug}; do
	mapfile -t patches < <(chosen "$flavour")
	[ ${#patches[@]} -gt 0 ] || continue
	kernel "$flavour"
	say "${#patches[@]} mutants for the $flavour kernel"
	read -ra tests <<<"$(for patch in "${patches[@]}"; do
		field "$patch" Caught-by | tr ' ' '\n'
	done | sort -u | paste -sd' ')"
	unchanged "$flavour" "${tests[@]}"
	all_of "$flavour" "${patches[@]}"
done

[ $((passed + failed)) -gt 0 ] ||
	die "none of the selected mutants is for the ${KERNEL:-normal or debug} kernel"
summary
