#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# `make oldest`: builds the module, its samples and its test modules with the
# oldest Rust that the kernel accepts, which Debian 13 has, for kernels that gcc
# builds: Debian's own (it has no KUnit), and the same with KUnit.  A warning is
# an error.  Of each kernel only what modules need is made.
#
#   oldest.sh                      all of that
#   oldest.sh module KDIR FOLDER   in the root: builds the module into FOLDER

top=$(dirname "$0")/..
# shellcheck source=qemu/lib.sh
. "$top/qemu/lib.sh"
# shellcheck source=qemu/setup.sh
. "$top/qemu/setup.sh"
# shellcheck source=qemu/kernel.sh
. "$top/qemu/kernel.sh"
# shellcheck source=qemu/module.sh
. "$top/qemu/module.sh"
# shellcheck source=qemu/buildroot.sh
. "$top/qemu/buildroot.sh"

if [ "${1:-}" = module ]; then
	tools_of "$2"
	module_make "$2" "$3" KCFLAGS=-Werror KRUSTFLAGS=-Dwarnings \
		${MODPOST_WARN:+KBUILD_MODPOST_WARN=1} modules
	exit
fi

# The tools that build a kernel, and this module.  Without pahole Kconfig drops options.
PACKAGES=(make gcc libc6-dev flex bison bc python3 libelf-dev libssl-dev pahole
	rustc rust-src rustfmt bindgen)

# newest_headers: the newest of Debian's kernels of this series.
newest_headers() {
	apt-cache "${APT_PRIVATE[@]}" pkgnames "linux-headers-$KERNEL_SERIES." |
		grep -E '^linux-headers-[0-9.]+\+deb13-amd64$' | sort -V | tail -n 1
}

# get_debian WANTED FOLDER: puts the configuration and Module.symvers of
# Debian's kernel into FOLDER: of the release WANTED, or else of the newest, and
# with the source of that.  FOLDER stays empty where Debian has no such kernel.
get_debian() {
	local package=linux-headers-$1+deb13-amd64 new=$2.new
	rm -rf "$new"
	mkdir -p "$new/dl"
	apt_suites "$DEBIAN_SUITE" || return
	cd "$new/dl" || return
	if [ -z "$(apt-cache "${APT_PRIVATE[@]}" pkgnames "$package")" ]; then
		package=$(newest_headers)
		if [ -n "$package" ]; then
			apt-get "${APT_PRIVATE[@]}" download "$DEBIAN_SOURCE" || return
			dpkg-deb --fsys-tarfile ./*.deb |
				tar -xO "./usr/src/$DEBIAN_SOURCE.tar.xz" | tar -xJ -C "$new" || return
			rm -f ./*.deb
		fi
	fi
	if [ -n "$package" ]; then
		apt-get "${APT_PRIVATE[@]}" download "$package" || return
		dpkg-deb --fsys-tarfile ./*.deb | tar -x -C "$new" --strip-components=4 \
			--wildcards './usr/src/*/.config' './usr/src/*/Module.symvers' || return
		echo "${package#linux-headers-}" >"$new/release"
	fi
	cd / && rm -rf "$new/dl" "$2" && mv "$new" "$2"
}

# find_debian: sets DEBIAN_KERNEL, the folder with Debian's configuration, and
# KERNEL_SRC_DIR to the source of that kernel.
find_debian() {
	local release
	kernel_source
	# Only Debian's own source has Debian's symbols.
	release=$(sed -n 's/^SUBLEVEL = //p' "$KERNEL_SRC_DIR/Makefile")
	release=$KERNEL_SERIES.$release
	[ "$(basename "$KERNEL_SRC_DIR")" = "$DEBIAN_SOURCE" ] || release=none
	DEBIAN_KERNEL=$CACHE/debian/$release
	if [ ! -d "$DEBIAN_KERNEL" ]; then
		HINT="check the network." \
			step "get the configuration of Debian's kernel" oldest-debian \
			get_debian "$release" "$DEBIAN_KERNEL"
	fi
	if [ -d "$DEBIAN_KERNEL/$DEBIAN_SOURCE" ]; then
		KERNEL_SRC_DIR=$DEBIAN_KERNEL/$DEBIAN_SOURCE
		KERNEL_SRC_ID=debian:$(cat "$DEBIAN_KERNEL/release")
	fi
}

# configure DIR KUNIT: Debian's configuration, or else that of our own kernel,
# with KUnit as given.
configure() {
	local dir=$1 kunit=$2
	mkdir -p "$dir"
	if [ -f "$DEBIAN_KERNEL/.config" ]; then
		cp "$DEBIAN_KERNEL/.config" "$DEBIAN_KERNEL/Module.symvers" "$dir/" || return
		sed 's/^[0-9.]*//' "$DEBIAN_KERNEL/release" >"$dir/localversion"
	else
		fragments normal >"$dir/.config"
		: >"$dir/Module.symvers"
	fi
	case $kunit in
	y) echo CONFIG_KUNIT=y >>"$dir/.config" ;;
	*) echo '# CONFIG_KUNIT is not set' >>"$dir/.config" ;;
	esac
}

# root_make DIR ARGUMENTS...: the kernel's make, in the root.
root_make() {
	local dir=$1
	shift
	in_buildroot "$KERNEL_SRC_DIR" "$dir" -- \
		make -C "$KERNEL_SRC_DIR" O="$dir" -j"${JOBS:-$(nproc)}" "$@"
}

# setting DIR NAME: y, m or n, as the configuration has it.
setting() {
	local value
	value=$(sed -n "s/^CONFIG_$2=//p" "$1/.config")
	echo "${value:-n}"
}

# prepare DIR KUNIT: what modules need of the kernel.
prepare() {
	configure "$@" || return
	root_make "$1" olddefconfig || return
	if [ "$(setting "$1" RUST) $(setting "$1" KUNIT)" != "y $2" ]; then
		echo "Kconfig did not take CONFIG_RUST=y and CONFIG_KUNIT=$2"
		return 1
	fi
	root_make "$1" prepare modules_prepare || return
	: >>"$1/modules.order"
}

# same_symbols DIR: whether the kernel has the symbols of the crates that were
# made here.  Their names hold the hash of the crate, its compiler included.
same_symbols() {
	local different
	different=$(sed -n 's/^EXPORT_SYMBOL_RUST_GPL(\(.*\));$/\1/p' "$1"/rust/exports_*.h |
		sort | comm -23 - <(cut -f 2 "$1/Module.symvers" | sort))
	[ -z "$different" ] ||
		die "the kernel crate made here is not that of $(cat "$DEBIAN_KERNEL/release"):" \
			"$(wc -l <<<"$different") symbols differ, the first is $(head -n 1 <<<"$different")"
}

# module_in_root KDIR FOLDER: builds it anew unless all was well the last time.
module_in_root() {
	local dir=$1 out=$2 log=$2.log status=0
	# Without all of the kernel's symbols modpost has to warn that some are missing.
	local ignore=${MODPOST_WARN:+^WARNING: modpost: }
	mkdir -p "$out"
	in_buildroot "$ROOT" "$KERNEL_SRC_DIR" "$dir" -- \
		env MODPOST_WARN="$MODPOST_WARN" JOBS="${JOBS:-}" V="${V:-}" \
		bash "$ROOT/scripts/oldest.sh" module "$dir" "$out" 2>&1 | tee "$log" || status=1
	if grep -v "${ignore:-^$}" "$log" | grep -q -i 'warning\|failed to'; then
		echo "There are warnings."
		status=1
	fi
	rm -f "$log"
	[ $status -eq 0 ] || rm -rf "$out"
	return $status
}

# oldest_locked NAME KUNIT
oldest_locked() {
	local name=$1 kunit=$2 dir=$CACHE/build/$1 key MODPOST_WARN=
	key=$({
		echo "$KERNEL_SRC_ID $BUILDROOT_ID $kunit"
		cat "$DEBIAN_KERNEL/.config" "$DEBIAN_KERNEL/Module.symvers" 2>/dev/null || fragments normal
		declare -f configure prepare
	} | sha256sum | cut -c 1-12)
	if [ "$(cat "$dir/.complete" 2>/dev/null)" != "$key" ]; then
		rm -rf "$dir"
		step "prepare the kernel ($name)" "$name-kernel" prepare "$dir" "$kunit"
		echo "$key" >"$dir/.complete"
	fi
	if [ "$kunit" = n ] && [ -f "$DEBIAN_KERNEL/.config" ]; then
		same_symbols "$dir"
	else
		MODPOST_WARN=1
	fi
	HINT="a warning is an error here; the folder of the kernel is $dir." \
		step "build the module ($name)" "$name" module_in_root "$dir" "$BUILD/$name"
}

with_lock "$CACHE/setup.lock" setup root
with_lock "$CACHE/src.lock" find_debian
if [ -f "$DEBIAN_KERNEL/release" ]; then
	say "The configuration is that of Debian's $(cat "$DEBIAN_KERNEL/release")"
else
	say "Debian has no Linux $KERNEL_SERIES for its release 13: the configuration is that of our own kernel"
fi
buildroot build "${PACKAGES[@]}"
with_lock "$CACHE/oldest.lock" oldest_locked oldest n
with_lock "$CACHE/oldest.lock" oldest_locked oldest-kunit y
say "The module is built with $(in_buildroot -- rustc --version), without a warning"
