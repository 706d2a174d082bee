#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make lint`: rustfmt and clippy with the kernel's settings, checkpatch on files
# and commits, shellcheck, our own checks (checks/), whether mutants apply, and
# for the programs of the guest rustfmt, clippy and their unit tests.

top=$(dirname "$0")/..
# shellcheck source=qemu/parts.sh
. "$top/qemu/parts.sh"
# shellcheck source=scripts/results.sh
. "$top/scripts/results.sh"

cd "$ROOT"
with_lock "$CACHE/setup.lock" setup build lint
kernel normal

# check NAME COMMAND...: runs a check, and counts its result.
check() {
	local name=$1 status=0
	shift
	(step "lint: $name" "lint-${name// /-}" "$@") || status=1
	result $status "lint: $name"
}

# files PATTERN...: lists the project's files, those not yet added to git included.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" | sort -u |
		while read -r file; do
			[ ! -f "$file" ] || echo "$file"
		done
}

# all_of COMMAND...: runs COMMAND with the files that stdin lists as its last
# arguments.  Fails without files: such a check could not fail.
all_of() {
	local list
	mapfile -t list
	[ ${#list[@]} -gt 0 ] || {
		echo "there are no files to check"
		return 1
	}
	"$@" "${list[@]}"
}

rust_format() {
	files '*.rs' ':!tests/lib' ':!tests/stress' ':!bench/guest' |
		all_of "$RUSTFMT" --check --edition 2021 --config-path "$KERNEL_SRC_DIR/.rustfmt.toml"
}

rust_clippy() {
	module_make "$KERNEL_DIR" "$BUILD/clippy" CLIPPY=1 \
		KRUSTFLAGS=-Dwarnings
}

# Files for checkpatch: sources, and those that kbuild and make read.
sources=('*.rs' '*.c' '*.h' '*.S' Kbuild '*/Kbuild' Makefile '*/Makefile')

# checkpatch ARGUMENTS...: runs it without the types that are about the kernel's
# tree or about mails, and without those in $ignore.
checkpatch() {
	"$KERNEL_SRC_DIR/scripts/checkpatch.pl" --no-tree --strict --quiet --no-summary \
		--show-types --no-signoff --max-line-length=100 \
		--ignore "FILE_PATH_CHANGES,EMAIL_SUBJECT,EMBEDDED_FILENAME,$ignore" "$@"
}

checkpatch_files() {
	local ignore=NOT_UNIFIED_DIFF
	files "${sources[@]}" | all_of checkpatch --file
}

# checkpatch_commits: checks the commits that the branch is ahead of its upstream,
# or all commits if there are none.  The check on files covers the files' lines.
checkpatch_commits() {
	local range=HEAD commit status=0
	local ignore=NOT_UNIFIED_DIFF,LONG_LINE,LONG_LINE_COMMENT,LONG_LINE_STRING
	# A commit may need no body, and a line of one may begin with `#[attribute]`.
	ignore=$ignore,COMMIT_MESSAGE,COMMIT_COMMENT_SYMBOL,LINE_SPACING
	if [ -n "$(git rev-list '@{upstream}..HEAD' 2>/dev/null)" ]; then
		range='@{upstream}..HEAD'
	fi
	for commit in $(git rev-list --reverse --no-merges "$range"); do
		if ! {
			git log -1 --format=email "$commit"
			echo ---
			git diff-tree --root -p --no-commit-id "$commit" -- "${sources[@]}"
		} | checkpatch -; then
			git log -1 --format='in commit %h ("%s")' "$commit"
			status=1
		fi
	done
	return $status
}

# scripts: lists the files whose first line names a shell.
scripts() {
	files | while read -r file; do
		case $(head -n 1 "$file" 2>/dev/null | tr -d '\0') in
		'#!'*sh) echo "$file" ;;
		'# shellcheck shell='*) echo "$file" ;;
		esac
	done
}

shell_scripts() {
	scripts | all_of shellcheck -x
}

# rule NAME: runs one of checks/, after its self-test.
rule() {
	perl "scripts/checks/$1.pl" --self-test && perl "scripts/checks/$1.pl"
}

# one_by_one PATCH...: succeeds if each applies to the sources.
one_by_one() {
	local patch status=0
	for patch; do
		patch -p1 -F0 -s -f --dry-run <"$patch" || {
			echo "$patch does not apply"
			status=1
		}
	done
	return $status
}

mutants_apply() {
	files 'tests/mutants/*.patch' | all_of one_by_one
}

lower_fops() {
	bash scripts/lower-fops.sh --self-test && bash scripts/lower-fops.sh "$KERNEL_SRC_DIR"
}

# in_folder FOLDER COMMAND...: runs COMMAND in FOLDER.
in_folder() (
	cd "$1" || return
	shift
	"$@"
)

programs_format() {
	files 'tests/lib/*.rs' 'tests/stress/*.rs' 'bench/guest/*.rs' |
		all_of "$RUSTFMT" --check --edition 2021
}

# cargo COMMAND ARGUMENTS...: runs it on the programs in the current folder.
cargo() {
	PATH=$(dirname "$CARGO"):$PATH "$CARGO" "$1" --release --locked \
		--target-dir "$BUILD/programs-lint" "${@:2}"
}

programs_clippy() {
	in_folder tests/lib cargo clippy --all-targets -- -D warnings &&
		in_folder bench/guest cargo clippy --all-targets -- -D warnings
}

# programs_tests: among them, that the charts in bench/figures agree with their data.
programs_tests() {
	in_folder tests/lib cargo test &&
		in_folder bench/guest cargo test
}

check 'rustfmt' rust_format
check 'clippy' rust_clippy
check 'checkpatch on files' checkpatch_files
check 'checkpatch on commits' checkpatch_commits
check 'shellcheck' shell_scripts
check 'quotes in documents' rule quotes
check 'links in documents' rule links
check 'layers' rule layers
check 'room sizes' rule rooms
check 'unsafe' rule unsafe
check 'marks' rule marks
check 'tics' rule tics
check 'placeholders' rule placeholders
check 'lower file operations' lower_fops
check 'mutants apply' mutants_apply
check 'programs rustfmt' programs_format
check 'programs clippy' programs_clippy
check 'programs tests' programs_tests

summary
