# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The tools: finds them, and on Debian 12 and 13 installs what is missing.
# Sourced after lib.sh.  Nothing is touched but Debian's packages and $CACHE.

RUST_MIN=1.85.0
BINDGEN_MIN=0.71.1
BINDGEN_CRATE=bindgen-cli@0.72.1
LLVM=${LLVM:--19}
QEMU_PACKAGE=qemu-system-x86

# What is missing: Debian's packages, and in words for everybody else.
missing_packages=()
missing_words=()

missing() {
	missing_packages+=("$1")
	missing_words+=("$2")
}

# debian: whether this is a Debian release that the set-up was tried on.
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

# need_command COMMAND [PACKAGE]
need_command() {
	command -v "$1" >/dev/null || missing "${2:-$1}" "the command $1"
}

# header FILE: whether the compiler of the machine finds it.
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

# rust_usable RUSTC: whether it is new enough and has its own library sources.
rust_usable() {
	local version sources
	[ -x "$1" ] || return 1
	version=$(version_of "$1")
	at_least "$version" "$RUST_MIN" || return 1
	sources=$("$1" --print sysroot)/lib/rustlib/src/rust/library
	[ -e "$sources/core/src/lib.rs" ] || return 1
	# Debian keeps them elsewhere, under their version.
	case $(realpath "$sources") in
	*/rustc-"$version"/*) ;;
	*/rustc-[0-9]*) return 1 ;;
	esac
}

# find_rust: sets RUSTC and its companions, which stand beside it.
find_rust() {
	local candidate dir
	for candidate in "${RUSTC:-}" "$(command -v rustc || true)" /usr/bin/rustc; do
		rust_usable "$candidate" || continue
		dir=$("$candidate" --print sysroot)/bin
		export RUSTC=$dir/rustc RUSTDOC=$dir/rustdoc RUSTFMT=$dir/rustfmt
		export CLIPPY_DRIVER=$dir/clippy-driver CARGO=$dir/cargo
		# Another cargo will do: it is told which rustc to use.
		[ -x "$CARGO" ] || CARGO=$(command -v cargo || true)
		return 0
	done
	return 1
}

# candidate PACKAGE: the version that apt would install, without its revision.
candidate() {
	apt-cache policy "$1" 2>/dev/null |
		sed -n 's/^  Candidate: \([0-9]*:\)\{0,1\}\([0-9.]*\).*/\2/p'
}

# rust_package NAME: what Debian calls it here: `rustc-web` and its companions
# are the newer ones, made for web browsers, where a release has them.
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

# need_beside_rustc FILE PACKAGE: one of the companions. Only Debian's rustc gets
# Debian's; rustup's has components.
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

# find_llvm: sets LLVM's suffix or prefix as the kernel's build takes it, and
# makes bindgen use the same release.
llvm_tool() {
	case $LLVM in
	*/) printf '%s%s' "$LLVM" "$1" ;;
	-*) printf '%s%s' "$1" "$LLVM" ;;
	*) printf '%s' "$1" ;;
	esac
}

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

# find_busybox: sets BUSYBOX to one that needs no libraries.
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

# look WHAT...: fills the lists of what is missing for these purposes.
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
			# cargo fetches over TLS; other distributions have the file elsewhere.
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

# debian_release: the name of this machine's release.
debian_release() {
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "${VERSION_CODENAME:?}")
}

# debian_host: where this machine gets its Debian from.
debian_host() {
	apt-get indextargets --format "\$(RELEASE) \$(REPO_URI)" 'Created-By: Packages' |
		sed -n "s/^$(debian_release) \([a-z]*:.*\)/\1/p" | head -n 1
}

DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# For apt, with the sources of apt_suites: the machine's own stay as they are.
APT_PRIVATE=(-q
	-o "Dir::Etc::SourceList=$CACHE/apt/sources.list"
	-o Dir::Etc::SourceParts=/dev/null
	-o "Dir::State::Lists=$CACHE/apt/lists"
	-o "Dir::Cache=$CACHE/apt/cache"
	-o "APT::Sandbox::User=$(id -un)")

# apt_suites SUITE...: makes these the sources of APT_PRIVATE, from where the
# machine gets its Debian.
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

# parts_agree PACKAGE: whether it can be had without removing what is installed.
parts_agree() {
	apt-get -s -q "${INSTALL[@]}" install "$1" >/dev/null 2>&1
}

# install_backport PACKAGE: from the release's backports, without making them a
# source of the machine's.
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

# install_busybox: Debian's static busybox, unpacked: as a package it could not
# stand beside the other busybox, which many systems have.
install_busybox() {
	mkdir -p "$CACHE/tools/busybox"
	cd "$CACHE/tools" || return
	rm -f busybox-static_*.deb
	apt-get -q download busybox-static || return
	dpkg-deb -x busybox-static_*.deb busybox
	rm -f busybox-static_*.deb
}

# setup WHAT...: afterwards the tools for these purposes are there, and the
# variables that name them are exported.  WHAT: build, guest, mutants, lint.
setup() {
	local packages
	[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] ||
		die "only Linux on x86-64 will do, for the guest is built as one"
	look "$@"
	if [ ${#missing_words[@]} -gt 0 ]; then
		debian || die "these are missing (only on Debian 12 and 13 are they installed from here):" \
			"${missing_words[@]}"
		[ -n "${missing_packages[*]}" ] || die "these are missing:" "${missing_words[@]}"
		if [ "$(id -u)" -ne 0 ]; then
			command -v sudo >/dev/null ||
				die "become root, or install sudo: these are missing:" \
					"${missing_words[@]}"
			# The password, if there must be one, while there is a terminal.
			[ ! -t 0 ] || sudo -v || die "sudo refused"
		fi
		step "update the lists of packages" setup-lists as_root \
			apt-get -q -o DPkg::Lock::Timeout=600 update
		# What is offered decides what is to be installed.
		look "$@"
		packages=$(printf '%s\n' "${missing_packages[@]}" | sort -u | paste -sd' ')
		say "Installing Debian packages: $packages"
		# Where QEMU's other parts are from the backports, it has to be, too.
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
