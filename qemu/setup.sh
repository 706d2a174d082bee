# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Finds the tools, and on Debian 12 and 13 installs those that are missing.
# Changes Debian's packages, $CACHE, and the crates in ~/.cargo, nothing else.
# Sourced after lib.sh.

RUST_MIN=1.85.0
BINDGEN_MIN=0.71.1
BINDGEN_CRATE=bindgen-cli@0.72.1
LLVM=${LLVM:--19}
QEMU_PACKAGE=qemu-system-x86

# Missing tools: as Debian's packages, and in words for other distributions.
missing_packages=()
missing_words=()

missing() {
	missing_packages+=("$1")
	missing_words+=("$2")
}

# debian: succeeds on a Debian release that the set-up was tried on.
debian() {
	[ -r /etc/os-release ] || return 1
	(
		# shellcheck source=/dev/null
		. /etc/os-release
		case ${ID:-} in
		debian) [ "${VERSION_ID:-0}" -ge 12 ] ;;
		*) exit 1 ;;
		esac
	)
}

# need_command COMMAND [PACKAGE]: notes that it is missing, if it is.
need_command() {
	command -v "$1" >/dev/null || missing "${2:-$1}" "the command $1"
}

# need_header FILE PACKAGE: the same, for a header of the machine's compiler.
need_header() {
	local dir
	for dir in /usr/include /usr/include/*-linux-gnu /usr/local/include; do
		[ ! -e "$dir/$1" ] || return 0
	done
	missing "$2" "the C header $1"
}

version_of() {
	"$1" --version 2>/dev/null | sed -n 's/^[^0-9]* \([0-9][0-9.]*\).*/\1/p;q'
}

# rust_usable RUSTC: succeeds if RUSTC is new enough and has its library's sources.
rust_usable() {
	local version sources
	[ -x "$1" ] || return 1
	version=$(version_of "$1")
	at_least "$version" "$RUST_MIN" || return 1
	sources=$("$1" --print sysroot)/lib/rustlib/src/rust/library
	[ -e "$sources/core/src/lib.rs" ] || return 1
	# Debian links the sources from a folder with their version in its name.
	case $(realpath "$sources") in
	*/rustc-"$version"/*) ;;
	*/rustc-[0-9]*) return 1 ;;
	esac
}

# find_rust: sets RUSTC and the tools that are installed beside it.
find_rust() {
	local candidate dir
	for candidate in "${RUSTC:-}" "$(command -v rustc || true)" /usr/bin/rustc; do
		rust_usable "$candidate" || continue
		dir=$("$candidate" --print sysroot)/bin
		export RUSTC=$dir/rustc RUSTDOC=$dir/rustdoc RUSTFMT=$dir/rustfmt
		export CLIPPY_DRIVER=$dir/clippy-driver CARGO=$dir/cargo
		# Any cargo will do: RUSTC selects the compiler.
		[ -x "$CARGO" ] || CARGO=$(command -v cargo || true)
		return 0
	done
	return 1
}

# candidate PACKAGE: prints the version that apt would install, without revision.
candidate() {
	apt-cache policy "$1" 2>/dev/null |
		sed -n 's/^  Candidate: \([0-9]*:\)\{0,1\}\([0-9.]*\).*/\2/p'
}

# rust_package NAME: prints the name of a package of Rust on this release.
# `rustc-web` and its companions, made for web browsers, are newer where they exist.
rust_package() {
	local web=web
	case $(dpkg-query -S /usr/bin/rustc 2>/dev/null) in
	rustc:*) web= ;;
	rustc-web:*) ;;
	*) at_least "$(candidate rustc-web)" "$RUST_MIN" || web= ;;
	esac
	case $1${web:+-web} in
	rustc-web | cargo-web | rustfmt-web) echo "$1-web" ;;
	rust-src-web) echo rust-web-src ;;
	rust-clippy-web) echo rust-web-clippy ;;
	*) echo "$1" ;;
	esac
}

# need_beside_rustc FILE PACKAGE: notes that a companion of rustc is missing, if it
# is.  A package helps Debian's rustc only: rustup has components.
need_beside_rustc() {
	[ ! -x "$1" ] || return 0
	case ${RUSTC:-/usr/bin/rustc} in
	/usr/bin/rustc) missing "$(rust_package "$2")" "$2" ;;
	*) missing_words+=("$2, beside $RUSTC") ;;
	esac
}

find_bindgen() {
	local candidate
	for candidate in "${BINDGEN:-}" "$CACHE/tools/bin/bindgen" \
		"$(command -v bindgen || true)" /usr/bin/bindgen; do
		[ -x "$candidate" ] || continue
		at_least "$(version_of "$candidate")" "$BINDGEN_MIN" || continue
		export BINDGEN=$candidate
		return 0
	done
	return 1
}

# llvm_tool NAME: prints the command, with $LLVM as suffix or prefix, as kbuild has it.
llvm_tool() {
	case $LLVM in
	*/) printf '%s%s' "$LLVM" "$1" ;;
	-*) printf '%s%s' "$1" "$LLVM" ;;
	*) printf '%s' "$1" ;;
	esac
}

# find_llvm: notes the missing tools of LLVM, and makes bindgen use the same release.
find_llvm() {
	local tool lib
	export LLVM
	for tool in clang ld.lld llvm-ar llvm-nm llvm-objcopy llvm-objdump \
		llvm-readelf llvm-strip; do
		case $tool in
		clang) need_command "$(llvm_tool $tool)" "clang$LLVM" ;;
		ld.lld) need_command "$(llvm_tool $tool)" "lld$LLVM" ;;
		*) need_command "$(llvm_tool $tool)" "llvm$LLVM" ;;
		esac
	done
	lib=/usr/lib/llvm$LLVM/lib
	case $LLVM in
	-*)
		if compgen -G "$lib/libclang*.so*" >/dev/null; then
			export LIBCLANG_PATH=${LIBCLANG_PATH:-$lib}
		elif debian; then
			missing "libclang1$LLVM" "libclang of LLVM ${LLVM#-}"
		fi
		;;
	esac
}

# find_busybox: sets BUSYBOX to a static busybox.
find_busybox() {
	local candidate
	for candidate in "${BUSYBOX:-}" "$CACHE/tools/busybox/bin/busybox" \
		"$CACHE/tools/busybox/usr/bin/busybox" "$(command -v busybox || true)"; do
		[ -x "$candidate" ] || continue
		! ldd "$candidate" >/dev/null 2>&1 || continue
		BUSYBOX=$candidate
		return 0
	done
	return 1
}

# look PURPOSE...: lists the tools that are missing for these purposes.
look() {
	local what package
	missing_packages=()
	missing_words=()
	for what; do
		case $what in
		build)
			need_command make
			need_command cc gcc
			need_command flex
			need_command bison
			need_command bc
			need_command perl
			need_command openssl
			need_command xz xz-utils
			need_command depmod kmod
			need_command flock util-linux
			# cargo fetches over TLS.  Other distributions keep this file elsewhere.
			! debian || [ -e /etc/ssl/certs/ca-certificates.crt ] ||
				missing ca-certificates "the certificates of authorities"
			need_header libelf.h libelf-dev
			need_header openssl/ssl.h libssl-dev
			need_header stdio.h libc6-dev
			find_llvm
			if ! find_rust; then
				for package in rustc rust-src cargo; do
					missing "$(rust_package $package)" "$package $RUST_MIN or newer"
				done
			else
				need_beside_rustc "$CARGO" cargo
			fi
			if ! find_bindgen && debian &&
				at_least "$(candidate bindgen)" "$BINDGEN_MIN"; then
				missing bindgen "bindgen $BINDGEN_MIN or newer"
			fi
			;;
		guest)
			need_command qemu-system-x86_64 $QEMU_PACKAGE
			if ! find_busybox && ! debian; then
				missing busybox-static "a static busybox (or name one: BUSYBOX=)"
			fi
			;;
		mutants)
			need_command patch
			;;
		root)
			need_command mmdebstrap
			need_command unshare util-linux
			need_command xz xz-utils
			[ "$(id -u)" -eq 0 ] || need_command newuidmap uidmap
			;;
		lint)
			need_command git
			need_command patch
			need_command shellcheck
			need_beside_rustc "${RUSTFMT:-}" rustfmt
			need_beside_rustc "${CLIPPY_DRIVER:-}" rust-clippy
			;;
		esac
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif [ -t 0 ]; then
		sudo "$@"
	else
		sudo -n "$@"
	fi
}

# debian_release: prints the code name of this machine's release.
debian_release() {
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "${VERSION_CODENAME:?}")
}

# debian_host: prints the URI that this machine installs Debian from.
debian_host() {
	apt-get indextargets --format "\$(RELEASE) \$(REPO_URI)" 'Created-By: Packages' |
		sed -n "s/^$(debian_release) \([a-z]*:.*\)/\1/p" | head -n 1
}

DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Options that make apt use the sources of apt_suites instead of the machine's.
APT_PRIVATE=(-q
	-o "Dir::Etc::SourceList=$CACHE/apt/sources.list"
	-o Dir::Etc::SourceParts=/dev/null
	-o "Dir::State::Lists=$CACHE/apt/lists"
	-o "Dir::Cache=$CACHE/apt/cache"
	-o "APT::Sandbox::User=$(id -un)")

# apt_suites SUITE...: sets the sources of APT_PRIVATE to these suites of debian_host.
apt_suites() {
	local suite host
	host=$(debian_host)
	mkdir -p "$CACHE/apt/lists/partial" "$CACHE/apt/cache/archives/partial"
	for suite; do
		echo "deb [signed-by=$DEBIAN_KEYRING] $host $suite main"
	done >"$CACHE/apt/sources.list"
	apt-get "${APT_PRIVATE[@]}" update
}

INSTALL=(-y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0
	--no-install-recommends --no-remove)

install_packages() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "${INSTALL[@]}" install "$@"
}

# parts_agree PACKAGE: succeeds if apt can install it without removing a package.
parts_agree() {
	apt-get -s -q "${INSTALL[@]}" install "$1" >/dev/null 2>&1
}

# install_backport PACKAGE: installs it from the release's backports, which do not
# become a source of the machine.
install_backport() {
	local release
	release=$(debian_release)
	apt_suites "$release" "$release-backports" || return
	as_root env DEBIAN_FRONTEND=noninteractive apt-get "${APT_PRIVATE[@]}" \
		-o Dir::Cache::Archives=/var/cache/apt/archives -o APT::Sandbox::User=_apt \
		"${INSTALL[@]}" -t "$release-backports" install "$1"
}

install_bindgen() {
	"$CARGO" install --locked --root "$CACHE/tools" "$BINDGEN_CRATE"
}

# install_busybox: unpacks Debian's static busybox into the cache.  Its package
# conflicts with the other busybox, which many systems have installed.
install_busybox() {
	mkdir -p "$CACHE/tools/busybox"
	cd "$CACHE/tools" || return
	rm -f busybox-static_*.deb
	apt-get -q download busybox-static || return
	dpkg-deb -x busybox-static_*.deb busybox
	rm -f busybox-static_*.deb
}

# setup PURPOSE...: installs the tools that are missing, and exports the variables
# that name the tools.  PURPOSE: build, guest, mutants, root,
# lint.
setup() {
	local packages
	[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] ||
		die "this needs Linux on x86-64: the guest is the same kind of machine"
	look "$@"
	if [ ${#missing_words[@]} -gt 0 ]; then
		debian || die "these are missing (only Debian 12 and 13 get them installed):" \
			"${missing_words[@]}"
		[ -n "${missing_packages[*]}" ] || die "these are missing:" "${missing_words[@]}"
		if [ "$(id -u)" -ne 0 ]; then
			command -v sudo >/dev/null ||
				die "become root, or install sudo: these are missing:" \
					"${missing_words[@]}"
			# Asks for a password now, while there is a terminal.
			[ ! -t 0 ] || sudo -v || die "sudo refused"
		fi
		step "update the lists of packages" setup-lists as_root \
			apt-get -q -o DPkg::Lock::Timeout=600 update
		# The choice of packages depends on the lists.
		look "$@"
		packages=$(printf '%s\n' "${missing_packages[@]}" | sort -u | paste -sd' ')
		say "Installing Debian packages: $packages"
		# If the backports' parts of QEMU are installed, this must come from there, too.
		case " $packages " in
		*" $QEMU_PACKAGE "*)
			if ! parts_agree $QEMU_PACKAGE; then
				HINT="install this package yourself, then run the same command again: $QEMU_PACKAGE" \
					step "install $QEMU_PACKAGE from the backports" setup-backports \
					install_backport $QEMU_PACKAGE
				packages=" $packages "
				packages=${packages/ $QEMU_PACKAGE / }
			fi
			;;
		esac
		# shellcheck disable=SC2086 # One word for each package.
		HINT="install these packages yourself, then run the same command again: $packages" \
			step "install packages" setup-packages install_packages $packages
		hash -r
		look "$@"
		[ ${#missing_words[@]} -eq 0 ] ||
			die "these are still missing:" "${missing_words[@]}"
	fi
	case " $* " in
	*" build "*)
		if ! find_bindgen; then
			say "Installing $BINDGEN_CRATE into $CACHE/tools (this is not on your PATH)"
			mkdir -p "$CACHE/tools"
			HINT="install bindgen $BINDGEN_MIN or newer, or name one with BINDGEN=PATH." \
				step "install bindgen" setup-bindgen install_bindgen
			find_bindgen || die "the bindgen in $CACHE/tools does not run"
		fi
		;;
	esac
	case " $* " in
	*" guest "*)
		if ! find_busybox; then
			HINT="run apt-get update, or name a static busybox with BUSYBOX=PATH." \
				step "unpack a static busybox" setup-busybox install_busybox
			find_busybox || die "the busybox in $CACHE/tools does not run"
		fi
		;;
	esac
}
