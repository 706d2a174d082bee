#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Checks that the file operations of tracefs do not look at the path, the super
# block or the tracefs inode of a file: an open file of ours has tracefs's
# operations (vfs/file.rs), and a path, a super block and an inode of its own.
#
#   lower-fops.sh KERNEL-SOURCE     search it
#   lower-fops.sh --self-test       show that the search finds something

set -euo pipefail

# Fields and functions that such an operation would use.
USES='\b(f_path|f_inode->i_sb|i_sb|s_fs_info|i_mapping|f_mapping|d_parent|d_name)\b'
USES="$USES|\b(get_tracefs|file_dentry|file_user_path|file_path|d_path|dentry_path_raw)\("

# Lines that were looked at. No file operation of tracefs runs them on its own
# file: the path of a mapped file in a stack trace; paths of BPF programs; the
# offsets of fields that probes print.
KNOWN='kernel/trace/trace_output\.c:[0-9]+:.*trace_seq_path\(s, file_user_path\(file\)\)
kernel/trace/bpf_trace\.c:[0-9]+:.*(d_path\(&(copy|umulti_link->path), |\*path = fd_file\(f\)->f_path;)
kernel/trace/trace_probe\.c:[0-9]+:.*offsetof\(struct (dentry, d_name\.name|file, f_path\.dentry)\)'

# search SOURCE: prints the lines that were not looked at.  Directories of
# tracefs, in fs/tracefs, have operations of ours.
search() {
	local files
	files=$(cd "$1" && {
		find kernel/trace -name '*.[ch]'
		grep -rlE --include='*.c' '\b(tracefs_create_file|trace_create_file)\(' \
			arch/x86 block drivers fs kernel lib mm net security virt 2>/dev/null |
			grep -v '^fs/tracefs/' || true
	} | sort -u)
	[ -n "$files" ] || {
		echo "$1 has no kernel/trace"
		return 1
	}
	# shellcheck disable=SC2086 # One word for each file.
	(cd "$1" && grep -nE "$USES" /dev/null $files || true) | grep -vE "$KNOWN" || true
}

self_test() {
	local tree found
	tree=$(mktemp -d)
	mkdir -p "$tree/kernel/trace"
	echo 'static int open(struct file *f) { return f->f_path.dentry->d_flags; }' \
		>"$tree/kernel/trace/trace.c"
	found=$(search "$tree")
	rm -rf "$tree"
	case $found in
	kernel/trace/trace.c:1:*) ;;
	*)
		echo "the search does not find an operation that uses the path"
		return 1
		;;
	esac
}

if [ "${1:-}" = --self-test ]; then
	self_test
	exit
fi
found=$(search "${1:?the folder of the kernel source is missing}")
[ -z "$found" ] || {
	echo "These lines use more of a file than an open file of eventfs gives the operations of"
	echo "tracefs. If a file operation runs one of them, vfs/file.rs is wrong for this kernel:"
	echo "$found"
	exit 1
}
