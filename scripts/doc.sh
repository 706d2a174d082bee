#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make doc`: the module's documentation, private items included, in build/doc.
# kbuild has no rule for that outside the kernel, so the very command that it
# compiled the module with is given to rustdoc, less what only rustc knows.

top=$(dirname "$0")/..
# shellcheck source=qemu/parts.sh
. "$top/qemu/parts.sh"

# rustdoc_command: from what kbuild noted: the environment, the compiler and
# its flags, the source; then `;` and what follows the compilation.
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
	# The generated bindings are found as in the build.
	export EVENTFS_BINDINGS=$BUILD/normal/eventfs_bindings.rs
	# Like kbuild: the kernel uses features that are not stable yet.
	export RUSTC_BOOTSTRAP=1
	# A module has nothing that is public to others, and all of it is shown.
	eval "$(rustdoc_command) --output '$BUILD/doc' --crate-name rust_eventfs" \
		--document-private-items --generate-link-to-definition \
		--extern-html-root-url kernel=https://rust.docs.kernel.org/ \
		-Dwarnings -Drustdoc::all -Arustdoc::private-intra-doc-links
}

with_lock "$CACHE/setup.lock" setup build
kernel normal
module "$KERNEL_DIR" normal
[ -x "$RUSTDOC" ] || die "there is no rustdoc beside $RUSTC"
HINT="a warning is an error here; the log says which item it is about." \
	step "document the module" doc document
say "The documentation is in $(pretty "$BUILD/doc")/rust_eventfs/index.html"
