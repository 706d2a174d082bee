#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make lint`: rustfmt and clippy as the kernel has them, checkpatch on files
# and on commits, shellcheck, what documents quote, and cargo's own checks for
# the tests' helpers, their unit tests among them.

top=$(dirname "$0")/..
# shellcheck source=qemu/parts.sh
. "$top/qemu/parts.sh"
# shellcheck source=scripts/results.sh
. "$top/scripts/results.sh"

cd "$ROOT"
with_lock "$CACHE/setup.lock" setup build lint
kernel normal

# check NAME COMMAND...: runs one of the checks, and counts it.
check() {
	local name=$1 status=0
	shift
	(step "lint: $name" "lint-${name// /-}" "$@") || status=1
	result $status "lint: $name"
}

# files PATTERN...: of the project, those not yet added to git among them.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" | sort -u |
		while read -r file; do
			[ ! -f "$file" ] || echo "$file"
		done
}

# all_of COMMAND...: runs it with the files on stdin as its last arguments;
# no files at all would make a check that cannot fail.
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
	files '*.rs' ':!tests/lib' ':!tests/stress' ':!bench/guest' | all_of "$RUSTFMT" --check --edition 2021 \
		--config-path "$KERNEL_SRC_DIR/.rustfmt.toml"
}

rust_clippy() {
	module_make "$KERNEL_DIR" "$BUILD/clippy" CLIPPY=1 \
		KRUSTFLAGS=-Dwarnings
}

# What the kernel's build reads, and the sources: shellcheck is for the scripts.
sources=('*.rs' '*.c' '*.h' '*.S' Kbuild '*/Kbuild' Makefile '*/Makefile')

# checkpatch ARGUMENTS...: less what it expects of the kernel's tree and mails.
checkpatch() {
	"$KERNEL_SRC_DIR/scripts/checkpatch.pl" --no-tree --strict --quiet --no-summary \
		--show-types --no-signoff --max-line-length=100 \
		--ignore "FILE_PATH_CHANGES,EMAIL_SUBJECT,EMBEDDED_FILENAME,$ignore" "$@"
}

checkpatch_files() {
	local ignore=NOT_UNIFIED_DIFF
	files "${sources[@]}" | all_of checkpatch --file
}

# checkpatch_commits: those that the branch has over its upstream, if it has
# one; else all. How the files look is checked above, as they are by now.
checkpatch_commits() {
	local range=HEAD commit status=0
	local ignore=NOT_UNIFIED_DIFF,LONG_LINE,LONG_LINE_COMMENT,LONG_LINE_STRING
	# A subject can say all; and `#[attribute]` may begin a line.
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

# scripts: whatever has a shell's name on its first line.
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

# rule NAME: a check of our own, after it has shown that it can fail.
rule() {
	perl "scripts/checks/$1.pl" --self-test && perl "scripts/checks/$1.pl"
}

document_links() {
	files '*.md' | all_of perl scripts/links.pl
}

one_by_one() {
	local patch status=0
	for patch; do
		patch -p1 -F0 -s -f --dry-run <"$patch" || {
			echo "$patch does not apply any more"
			status=1
		}
	done
	return $status
}

mutants_apply() {
	files 'tests/mutants/*.patch' | all_of one_by_one
}

# in_folder FOLDER COMMAND...: runs it there.
in_folder() (
	cd "$1" || return
	shift
	"$@"
)

programs_format() {
	files 'tests/lib/*.rs' 'tests/stress/*.rs' 'bench/guest/*.rs' |
		all_of "$RUSTFMT" --check --edition 2021
}

# cargo COMMAND ARGUMENTS...: on the programs for the guest in this folder.
cargo() {
	PATH=$(dirname "$CARGO"):$PATH "$CARGO" "$1" --release --locked \
		--target-dir "$BUILD/programs-lint" "${@:2}"
}

programs_clippy() {
	in_folder tests/lib cargo clippy --all-targets -- -D warnings &&
		in_folder bench/guest cargo clippy --all-targets -- -D warnings
}

programs_tests() {
	in_folder tests/lib cargo test
helpers_tests() {
	cd tests/lib || return
	PATH=$(dirname "$CARGO"):$PATH "$CARGO" test --release --locked \
		--target-dir "$BUILD/helpers-clippy" || return
	# Among them: the charts in bench/figures/ agree with their data.
	cd ../../bench/guest || return
	PATH=$(dirname "$CARGO"):$PATH "$CARGO" test --release --locked \
		--target-dir "$BUILD/helpers-clippy"
}

check 'rustfmt' rust_format
check 'clippy' rust_clippy
check 'checkpatch on files' checkpatch_files
check 'checkpatch on commits' checkpatch_commits
check 'shellcheck' shell_scripts
check 'quotes in documents' rule quotes
check 'layers' rule layers
check 'room sizes' rule rooms
check 'unsafe' rule unsafe
check 'marks' rule marks
check 'tics' rule tics
check 'placeholders' rule placeholders
check 'links in documents' document_links
check 'mutants apply' mutants_apply
check 'programs rustfmt' programs_format
check 'programs clippy' programs_clippy
check 'programs tests' programs_tests

summary
