# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Gets the kernel's source, and builds the flavours that config/ describes.
# Sourced after lib.sh and setup.sh.

unset KERNEL_SRC_DIR KERNEL_SRC_ID KERNEL_DIR
KERNEL_SERIES=7.3
KERNEL_RELEASE=7.3.4
KERNEL_TARBALL=linux-$KERNEL_RELEASE.tar.xz
KERNEL_URL=${KERNEL_URL:-https://cdn.kernel.org/pub/linux/kernel/v7.x/$KERNEL_TARBALL}
DEBIAN_SOURCE=linux-source-$KERNEL_SERIES
DEBIAN_SUITE=trixie-backports
CONFIGS=$ROOT/qemu/config

# flavour_exists NAME: succeeds if config/ has this flavour.
flavour_exists() {
	[ "$1" != base ] && [ -f "$CONFIGS/$1.config" ]
}

# hash_of FILE: prints its SHA-256.
hash_of() {
	sha256sum <"$1" | cut -d' ' -f1
}

# known_hash HASH: succeeds if kernel.sha256 lists it, or the user names it.
known_hash() {
	[ "$1" = "${KERNEL_SHA256:-}" ] || grep -q "^$1 " "$ROOT/qemu/kernel.sha256"
}

# series_of FOLDER: prints the first two numbers of the kernel's version.
series_of() {
	sed -n 's/^VERSION = //p;s/^PATCHLEVEL = //p' "$1/Makefile" 2>/dev/null |
		head -n 2 | paste -sd.
}

# unpack TARBALL HASH: unpacks it into $CACHE/src, and notes HASH beside the folder.
unpack() {
	local name temporary
	temporary=$CACHE/src/.unpack.$$
	rm -rf "$CACHE"/src/.unpack.*
	mkdir -p "$temporary"
	tar -xf "$1" -C "$temporary" || return
	name=$(cd "$temporary" && ls)
	if [ "$(series_of "$temporary/$name")" != "$KERNEL_SERIES" ]; then
		echo "$1 does not hold a Linux $KERNEL_SERIES"
		return 1
	fi
	rm -rf "$CACHE/src/$name" "$CACHE/src/$name.sha256"
	mv "$temporary/$name" "$CACHE/src/$name" || return
	rmdir "$temporary"
	echo "$2" >"$CACHE/src/$name.sha256"
}

# use_tarball TARBALL: sets KERNEL_SRC_DIR and KERNEL_SRC_ID, unpacking if new.
use_tarball() {
	local hash
	hash=$(hash_of "$1")
	known_hash "$hash" ||
		die "$1 is not listed in qemu/kernel.sha256; its SHA-256 is $hash" \
			"Compare it with the publisher's list (sha256sums.asc on kernel.org)." \
			"If they agree, run again with KERNEL_SHA256=$hash"
	if ! cached_source "$hash"; then
		step "unpack the kernel source" kernel-unpack unpack "$1" "$hash"
		cached_source "$hash" || die "$1 did not leave a source tree in $CACHE/src"
	fi
}

# cached_source [HASH]: sets KERNEL_SRC_DIR and KERNEL_SRC_ID to a source that is
# unpacked in the cache, if there is one.
cached_source() {
	local stamp dir hash
	for stamp in "$CACHE"/src/*.sha256; do
		[ -f "$stamp" ] || continue
		dir=${stamp%.sha256}
		hash=$(cat "$stamp")
		[ "$(series_of "$dir")" = "$KERNEL_SERIES" ] || continue
		[ -z "${1:-}" ] || [ "$1" = "$hash" ] || continue
		KERNEL_SRC_DIR=$dir
		KERNEL_SRC_ID=$hash
		return 0
	done
	return 1
}

debian_offers_source() {
	debian && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null &&
		[ -r "$DEBIAN_KEYRING" ] && [ -n "$(debian_host)" ]
}

# download_debian: puts the tarball of Debian's package into $CACHE/dl.
download_debian() {
	local deb hash
	mkdir -p "$CACHE/dl"
	apt_suites "$DEBIAN_SUITE" || return
	cd "$CACHE/dl" || return
	# apt verifies the package against the signed index of the suite.
	apt-get "${APT_PRIVATE[@]}" download "$DEBIAN_SOURCE" || return
	deb=$(find . -name "${DEBIAN_SOURCE}_*.deb" | sort -V | tail -n 1)
	hash=$(hash_of "$deb")
	known_hash "$hash" ||
		echo "Note: $deb, $hash, is signed by Debian, but was not tried here."
	unpack_deb "$deb"
}

# unpack_deb PACKAGE: extracts the tarball from it.
unpack_deb() {
	local tarball=$CACHE/dl/$DEBIAN_SOURCE.tar.xz
	dpkg-deb --fsys-tarfile "$1" |
		tar -xO "./usr/src/$DEBIAN_SOURCE.tar.xz" >"$tarball.new" || return
	mv "$tarball.new" "$tarball"
}

download_kernel_org() {
	local tarball=$CACHE/dl/$KERNEL_TARBALL
	mkdir -p "$CACHE/dl"
	if command -v curl >/dev/null; then
		curl --fail --location --show-error --output "$tarball.new" "$KERNEL_URL"
	elif command -v wget >/dev/null; then
		wget --output-document="$tarball.new" "$KERNEL_URL"
	else
		echo "Neither curl nor wget is here."
		return 1
	fi || return
	mv "$tarball.new" "$tarball"
}

# get_from NAME COMMAND: downloads the kernel's source with COMMAND.
get_from() (
	HINT="check the network, or name a kernel source with KERNEL_SRC=FOLDER-OR-TARBALL." \
		step "get the kernel source (160 MB) from $1" "kernel-source-$2" "$2"
)

# kernel_source: sets KERNEL_SRC_DIR and KERNEL_SRC_ID, from the first of:
# KERNEL_SRC, the cache, Debian, kernel.org.
kernel_source() {
	local tarball
	[ -z "${KERNEL_SRC_DIR:-}" ] || return 0
	if [ -n "${KERNEL_SRC:-}" ]; then
		if [ -d "$KERNEL_SRC" ]; then
			KERNEL_SRC_DIR=$(realpath "$KERNEL_SRC")
			[ "$(series_of "$KERNEL_SRC_DIR")" = "$KERNEL_SERIES" ] ||
				die "KERNEL_SRC=$KERNEL_SRC is not a Linux $KERNEL_SERIES"
			if [ -e "$KERNEL_SRC_DIR/.config" ] || [ -d "$KERNEL_SRC_DIR/include/config" ]; then
				die "KERNEL_SRC=$KERNEL_SRC was built in place: that forbids a build elsewhere" \
					"clean it with \`make mrproper\` there," \
					"or build only the module, with \`make KDIR=$KERNEL_SRC\`"
			fi
			# A folder may change at any time, so its path identifies no contents.
			KERNEL_SRC_ID=folder:$KERNEL_SRC_DIR
		elif [ -f "$KERNEL_SRC" ]; then
			use_tarball "$KERNEL_SRC"
		else
			die "KERNEL_SRC=$KERNEL_SRC is neither a folder nor a file"
		fi
		return
	fi
	cached_source && return
	for tarball in "$CACHE/dl/$DEBIAN_SOURCE.tar.xz" "$CACHE/dl/$KERNEL_TARBALL"; do
		if [ -f "$tarball" ] && known_hash "$(hash_of "$tarball")"; then
			use_tarball "$tarball"
			return
		fi
	done
	if debian_offers_source && get_from "Debian's $DEBIAN_SUITE" download_debian; then
		tarball=$CACHE/dl/$DEBIAN_SOURCE.tar.xz
		# Debian's signature covers it: it need not be listed.
		KERNEL_SHA256=$(hash_of "$tarball")
	else
		get_from kernel.org download_kernel_org || exit
		tarball=$CACHE/dl/$KERNEL_TARBALL
	fi
	use_tarball "$tarball"
	rm -f "$tarball"
}

# fragments FLAVOUR: prints the lines of its configuration, without comments.
fragments() {
	grep -h -E '^(CONFIG_|# CONFIG_[A-Z0-9_]+ is not set$)' \
		"$CONFIGS/base.config" "$CONFIGS/$1.config"
}

# kernel_key FLAVOUR: prints a hash of the build's inputs: source, configuration, tools.
kernel_key() {
	{
		echo "source $KERNEL_SRC_ID"
		fragments "$1"
		"$(llvm_tool clang)" --version | head -n 1
		"$RUSTC" --version
		"$BINDGEN" --version
	} | sha256sum | cut -c 1-12
}

# kernel_make DIR ARGUMENTS...: runs the kernel's make with our tools, output in DIR.
kernel_make() {
	local dir=$1
	shift
	make -C "$KERNEL_SRC_DIR" O="$dir" LLVM="$LLVM" RUSTC="$RUSTC" \
		RUSTDOC="$RUSTDOC" RUSTFMT="$RUSTFMT" CLIPPY_DRIVER="$CLIPPY_DRIVER" \
		BINDGEN="$BINDGEN" ${V:+V="$V"} "$@"
}

# not_taken CONFIG FLAVOUR: prints the lines of the fragments that CONFIG lacks.
not_taken() {
	fragments "$2" | awk '
		# The symbol of a line, in either form.
		function symbol() { return /^#/ ? $2 : substr($0, 1, index($0, "=") - 1) }
		FNR == NR { if (/^(# )?CONFIG_/) got[symbol()] = $0; next }
		{ want[symbol()] = $0 }
		END {
			for (s in want) {
				have = (s in got) ? got[s] : "# " s " is not set"
				if (have != want[s])
					print "  wanted: " want[s] "   got: " have
			}
		}' "$1" - | sort
}

build_kernel() {
	local dir=$1 flavour=$2 refused
	fragments "$flavour" >"$dir/.fragments"
	kernel_make "$dir" KCONFIG_ALLCONFIG="$dir/.fragments" allnoconfig || return
	refused=$(not_taken "$dir/.config" "$flavour")
	if [ -n "$refused" ]; then
		echo "Kconfig did not take these lines of config/base.config and config/$flavour.config:"
		echo "$refused"
		return 1
	fi
	kernel_make "$dir" -j"${JOBS:-$(nproc)}" all || return
	# depmod needs this file, which a flavour without modules does not have.
	: >>"$dir/modules.order"
}

# kernel FLAVOUR: builds it unless it is up to date, and sets KERNEL_DIR.
kernel() {
	local flavour=$1
	flavour_exists "$flavour" ||
		die "there is no kernel flavour '$flavour'" "there are: $(flavours)"
	with_lock "$CACHE/src.lock" kernel_source
	with_lock "$CACHE/kernel-$flavour.lock" kernel_locked "$flavour"
}

# kernel_locked FLAVOUR: does that under the lock.  Each pair of source and flavour
# has a folder, whose file .complete holds the key of its build.  If the key
# differs, kbuild rebuilds what depends on the difference.  The key is not in the
# folder's name: the path goes into the build, so a new one would rebuild all.
kernel_locked() {
	local flavour=$1 key name
	key=$(kernel_key "$flavour")
	name=$flavour-$(printf '%s' "$KERNEL_SRC_ID" | sha256sum | cut -c 1-12)
	KERNEL_DIR=$CACHE/build/$name
	mkdir -p "$KERNEL_DIR"
	if [ "$(cat "$KERNEL_DIR/.complete" 2>/dev/null)" != "$key" ] ||
		[[ $KERNEL_SRC_ID = folder:* ]]; then
		rm -f "$KERNEL_DIR/.complete"
		step "build the $flavour kernel" "kernel-$flavour" \
			build_kernel "$KERNEL_DIR" "$flavour"
		echo "$key" >"$KERNEL_DIR/.complete"
	fi
	ln -sfn "build/$name" "$CACHE/kernel-$flavour"
}

# flavours: prints the names of all flavours.
flavours() {
	local file
	for file in "$CONFIGS"/*.config; do
		file=$(basename "$file" .config)
		[ "$file" = base ] || printf '%s ' "$file"
	done
}
