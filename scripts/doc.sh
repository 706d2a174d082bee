#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make doc`: builds the module's documentation, private items included, in
# build/doc.  kbuild has no rule for that outside of the kernel's tree.  So rustdoc
# runs with the command that compiled the module, without options of rustc alone.

top=$(dirname "$0")/..
# shellcheck source=qemu/parts.sh
. "$top/qemu/parts.sh"

# rustdoc_command: prints the command.  kbuild's note of the compilation has the
# environment, the compiler, its flags and the source, then `;` and other commands.
rustdoc_command() {
	sed -n '1{s/^savedcmd_[^ ]* := //; s/ *; .*//; p}' "$BUILD/normal/.rust_eventfs.o.cmd" |
		sed -E \
			-e "s| $RUSTC | '$RUSTDOC' |" \
			-e 's/ --emit=[^ ]*//g; s/ --out-dir [^ ]*//; s/ --crate-type [^ ]*//' \
			-e 's/ --remap-path-(prefix|scope)=[^ ]*//g; s/ -Zbinary_dep_depinfo=y//'
}

document() {
	rm -rf "$BUILD/doc"
	cd "$BUILD/normal" || return
	# The source includes the bindings that the build generated.
	export EVENTFS_BINDINGS=$BUILD/normal/eventfs_bindings.rs
	# As in kbuild: the kernel uses unstable features.
	export RUSTC_BOOTSTRAP=1
	# A module has no public items, so links to private ones are right.
	eval "$(rustdoc_command) --output '$BUILD/doc' --crate-name rust_eventfs" \
		--document-private-items --generate-link-to-definition \
		--extern-html-root-url kernel=https://rust.docs.kernel.org/ \
		-Dwarnings -Drustdoc::all -Arustdoc::private-intra-doc-links
}

with_lock "$CACHE/setup.lock" setup build
kernel normal
module "$KERNEL_DIR" normal
[ -x "$RUSTDOC" ] || die "there is no rustdoc beside $RUSTC"
HINT="a warning is an error here; the log names the item." \
	step "document the module" doc document
say "The documentation is in $(pretty "$BUILD/doc")/rust_eventfs/index.html"
