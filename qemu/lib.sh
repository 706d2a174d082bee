# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What all host scripts share: where things are, how a long step shows its
# progress, and how a script gives up.  Sourced, not run.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-${HOME:?}/.cache}/rust_eventfs
BUILD=$ROOT/build
LOGS=$BUILD/log

# Messages of tools are read, paths are made: neither may depend on the user.
export LC_ALL=C
umask 022
# The flags of an outer make are not those of the makes that are run here.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS
# What a distribution's kernel build environment may have set.
unset ARCH CROSS_COMPILE O KBUILD_OUTPUT KBUILD_EXTMOD M MO INSTALL_MOD_PATH

case $ROOT$CACHE in
*[[:space:]:]*)
	echo "error: the kernel's build cannot cope with spaces or colons in these paths:" >&2
	printf '  %s\n' "$ROOT" "$CACHE" >&2
	exit 1
	;;
esac

# say TEXT...: tells the user.  On stderr: stdout is for results.
say() {
	printf '%s\n' "$*" >&2
}

# die TEXT [WHAT-TO-DO...]: gives up.
die() {
	say "error: $1"
	shift
	[ $# -eq 0 ] || printf '  %s\n' "$@" >&2
	exit 1
}

# elapsed SECONDS: as minutes and seconds.
elapsed() {
	printf '%2d:%02d' $(($1 / 60)) $(($1 % 60))
}

# pretty PATH: shorter where that is possible.
pretty() {
	case $1 in
	"$PWD"/*) printf '%s' "${1#"$PWD"/}" ;;
	"$ROOT"/*) printf '%s' "${1#"$ROOT"/}" ;;
	*) printf '%s' "$1" ;;
	esac
}

# step NAME LOG COMMAND...: runs COMMAND, which may be a function, and shows
# that it runs, for how long, and where its output goes.  When it fails, the
# script ends with the end of that output and with the advice in $HINT.
step() {
	local name=$1 log=$LOGS/$2.log start=$SECONDS next=1 status=0 shown=-1
	local pid now line width=80
	shift 2
	[ ! -t 2 ] || width=$(stty size <&2 | cut -d' ' -f2)
	mkdir -p "$LOGS"
	# A process group of its own, so that an interrupt can stop all of it.
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	trap 'kill -- -'"$pid"' 2>/dev/null; wait; exit 130' INT TERM HUP
	while kill -0 "$pid" 2>/dev/null; do
		now=$((SECONDS - start))
		line="[$(elapsed "$now")] $name (log: $(pretty "$log"))"
		if [ -t 2 ]; then
			if [ "$now" -ne "$shown" ]; then
				printf '\r\033[K%s' "${line:0:width - 1}" >&2
				shown=$now
			fi
		elif [ "$now" -ge "$next" ]; then
			say "$line"
			next=$((now / 30 * 30 + 30))
		fi
		sleep 0.2
	done
	wait "$pid" || status=$?
	trap - INT TERM HUP
	[ ! -t 2 ] || printf '\r\033[K' >&2
	now=$(elapsed $((SECONDS - start)))
	if [ "$status" -eq 0 ]; then
		say "[$now] $name: done"
		return
	fi
	say "[$now] $name: FAILED (exit status $status). The end of its log:"
	tail -n 40 "$log" | cut -c 1-300 | sed 's/^/    /' >&2
	say "The whole log: $log"
	say "What to do: ${HINT:-look for the first error; what is finished is kept for the next try.}"
	exit 1
}

# with_lock FILE COMMAND...: runs COMMAND while nobody else holds FILE.
with_lock() {
	local file=$1 fd
	shift
	mkdir -p "$(dirname "$file")"
	exec {fd}>"$file"
	if ! flock -n "$fd"; then
		say "Waiting for another run that holds $(pretty "$file")"
		flock "$fd"
	fi
	"$@"
	exec {fd}>&-
}

# at_least HAVE WANT: whether version HAVE is WANT or newer.
at_least() {
	[ -n "$1" ] && printf '%s\n%s\n' "$2" "$1" | sort -V -C
}
