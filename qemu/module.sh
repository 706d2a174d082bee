# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Builds rust_eventfs.ko against one of our kernels, or against any configured
# tree.  Sourced after lib.sh, setup.sh and kernel.sh.

# from_config KDIR NAME: prints a value of the tree's configuration, unquoted.
from_config() {
	sed -n "s/^CONFIG_$2=//p" "$1/include/config/auto.conf" | tr -d '"'
}

# pick TEXT CANDIDATE...: prints the first command whose version is exactly TEXT.
pick() {
	local text=$1 candidate
	shift
	for candidate; do
		[ -n "$candidate" ] || continue
		if [ "$("$candidate" --version 2>/dev/null | head -n 1)" = "$text" ]; then
			printf '%s' "$candidate"
			return
		fi
	done
	return 1
}

# tools_of KDIR: finds the tools that the tree was built with.  Only the compiler
# that built a crate of Rust can use it.
tools_of() {
	local kdir=$1 text major prefix
	[ -f "$kdir/include/config/auto.conf" ] ||
		die "$kdir is not a configured kernel tree" \
			"run \`make olddefconfig modules_prepare\` there, or name its O= folder"
	[ "$(from_config "$kdir" RUST)" = y ] ||
		die "the kernel in $kdir is configured without CONFIG_RUST"
	[ "$(from_config "$kdir" SECURITY)" = y ] ||
		die "the kernel in $kdir is configured without CONFIG_SECURITY"
	[ -f "$kdir/rust/libkernel.rmeta" ] ||
		die "the kernel crate is not built in $kdir" "run \`make modules_prepare\` there"
	text=$(from_config "$kdir" RUSTC_VERSION_TEXT)
	RUSTC=$(pick "$text" "${RUSTC:-}" "$(command -v rustc || true)" /usr/bin/rustc) ||
		die "no rustc here is the one that $kdir was built with: $text" \
			"name it with RUSTC=PATH"
	text=$(from_config "$kdir" BINDGEN_VERSION_TEXT)
	BINDGEN=$(pick "$text" "${BINDGEN:-}" "$CACHE/tools/bin/bindgen" \
		"$(command -v bindgen || true)" /usr/bin/bindgen) ||
		die "no bindgen here is the one that $kdir was built with: $text" \
			"name it with BINDGEN=PATH"
	if [ "$(from_config "$kdir" CC_IS_CLANG)" != y ]; then
		LLVM=
		return
	fi
	text=$(from_config "$kdir" CC_VERSION_TEXT)
	major=$(($(from_config "$kdir" CLANG_VERSION) / 10000))
	for prefix in "$LLVM" "-$major" 1 "/usr/lib/llvm-$major/bin/"; do
		LLVM=$prefix
		if pick "$text" "$(llvm_tool clang)" >/dev/null; then
			[ ! -d "/usr/lib/llvm-$major/lib" ] ||
				export LIBCLANG_PATH=${LIBCLANG_PATH:-/usr/lib/llvm-$major/lib}
			return
		fi
	done
	die "no clang here is the one that $kdir was built with: $text" \
		"name it with LLVM=-VERSION or LLVM=FOLDER/"
}

# module_make KDIR OUT ARGUMENTS...: runs kbuild for our module, output in OUT.
module_make() {
	local kdir=$1 out=$2
	shift 2
	mkdir -p "$out"
	make -C "$kdir" M="$ROOT" MO="$out" -j"${JOBS:-$(nproc)}" \
		${LLVM:+LLVM="$LLVM"} RUSTC="$RUSTC" BINDGEN="$BINDGEN" \
		CLIPPY_DRIVER="${CLIPPY_DRIVER:-clippy-driver}" ${V:+V="$V"} "$@"
}

# module KDIR NAME: builds the module in build/NAME.
module() {
	local kdir=$1 name=$2
	HINT="the first error above says where; the folder of the kernel is $kdir." \
		with_lock "$BUILD/$name.lock" \
		step "build the module ($name)" "module-$name" module_make "$kdir" "$BUILD/$name" modules
	[ -f "$BUILD/$name/rust_eventfs.ko" ] || die "the build left no $BUILD/$name/rust_eventfs.ko"
}
