# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Shared by all scripts of the host: paths, messages, the progress of a long
# step, locks.  Sourced, not run.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-${HOME:?}/.cache}/rust_eventfs
BUILD=$ROOT/build
LOGS=$BUILD/log

# Scripts parse the messages of tools and create files: neither may depend on the
# user's locale or umask.
export LC_ALL=C
umask 022
# The flags of an outer make do not hold for the makes that scripts run.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS
# An environment for building a distribution's kernel may set these.
unset ARCH CROSS_COMPILE O KBUILD_OUTPUT KBUILD_EXTMOD M MO INSTALL_MOD_PATH

case $ROOT$CACHE in
*[[:space:]:]*)
	echo "error: the kernel's build cannot cope with spaces or colons in these paths:" >&2
	printf '  %s\n' "$ROOT" "$CACHE" >&2
	exit 1
	;;
esac

# say TEXT...: prints a message on stderr.  stdout is for results.
say() {
	printf '%s\n' "$*" >&2
}

# die TEXT [ADVICE...]: prints an error and exits.
die() {
	say "error: $1"
	shift
	[ $# -eq 0 ] || printf '  %s\n' "$@" >&2
	exit 1
}

# elapsed SECONDS: prints minutes and seconds.
elapsed() {
	printf '%2d:%02d' $(($1 / 60)) $(($1 % 60))
}

# pretty PATH: prints it relative to the current folder or the project, if below.
pretty() {
	case $1 in
	"$PWD"/*) printf '%s' "${1#"$PWD"/}" ;;
	"$ROOT"/*) printf '%s' "${1#"$ROOT"/}" ;;
	*) printf '%s' "$1" ;;
	esac
}

# step NAME LOG COMMAND...: runs COMMAND, which may be a function, with its output
# in the log, and shows the time that it takes and the log's path.  If COMMAND
# fails, the script exits with the end of the log and the advice in $HINT.
step() {
	local name=$1 log=$LOGS/$2.log start=$SECONDS next=1 status=0 shown=-1
	local pid now line width=80
	shift 2
	[ ! -t 2 ] || width=$(stty size <&2 | cut -d' ' -f2)
	mkdir -p "$LOGS"
	# A process group of its own: an interrupt stops all processes of the step.
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
	say "What to do: ${HINT:-look for the first error; the next try keeps what is finished.}"
	exit 1
}

# with_lock FILE COMMAND...: runs COMMAND with an exclusive lock on FILE.
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

# at_least HAVE WANT: succeeds if version HAVE is WANT or newer.
at_least() {
	[ -n "$1" ] && printf '%s\n%s\n' "$2" "$1" | sort -V -C
}
