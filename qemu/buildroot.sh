# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Root folders with Debian 13, in the cache: for programs that this machine's
# own release does not have.  Sourced after lib.sh and setup.sh.

ROOT_SUITE=trixie

# How mmdebstrap makes every root: small, and without waiting for the disk.
ROOT_OPTIONS=(--variant=minbase
	--aptopt='APT::Install-Recommends "false"'
	--dpkgopt=force-unsafe-io
	--dpkgopt='path-exclude=/usr/share/doc/*'
	--dpkgopt='path-exclude=/usr/share/info/*'
	--dpkgopt='path-exclude=/usr/share/locale/*'
	--dpkgopt='path-exclude=/usr/share/man/*')

# root_proxies: the machine's own settings of how apt reaches its Debian.
root_proxies() {
	apt-config dump --format '%f "%v";%n' Acquire | grep -i '::proxy'
}

# make_root FOLDER PACKAGE...: for root a Debian whose files have their owners;
# for others all files are theirs, and there are no devices.
make_root() {
	local new=$1.new source proxy
	local options=("${ROOT_OPTIONS[@]}")
	source="deb [signed-by=$DEBIAN_KEYRING] $(debian_host) $ROOT_SUITE main"
	while read -r proxy; do
		options+=(--aptopt="$proxy")
	done < <(root_proxies)
	shift
	options+=(--include="$(IFS=, && echo "$*")")
	rm -rf --one-file-system "$new"
	mkdir -p "$new"
	if [ "$(id -u)" -eq 0 ]; then
		mmdebstrap --mode=root --format=directory "${options[@]}" \
			"$ROOT_SUITE" "$new" "$source" || return
	else
		mmdebstrap --mode=unshare --format=tar "${options[@]}" \
			"$ROOT_SUITE" - "$source" | tar -x -C "$new" --exclude='./dev/*' || return
	fi
	mv "$new" "${new%.new}"
}

# buildroot NAME PACKAGE...: makes the root folder NAME with these packages, if
# need be.  Sets BUILDROOT, its path, and BUILDROOT_ID, which stands for the
# versions of all that is in it.
buildroot() {
	local name=$1
	shift
	with_lock "$CACHE/root-$name.lock" buildroot_locked "$name" "$@"
}

# buildroot_locked NAME PACKAGE...: the key in the folder's name stands for what
# is asked for.  A new point release of Debian is not looked for.
buildroot_locked() {
	local name=$1 key
	shift
	key=$(printf '%s\n' "$ROOT_SUITE" "${ROOT_OPTIONS[@]}" "$@" \
		"$(declare -f make_root)" | sha256sum | cut -c 1-12)
	BUILDROOT=$CACHE/root/$name-$key
	if [ ! -d "$BUILDROOT" ]; then
		debian || die "a root with Debian 13 is made only on Debian 12 and 13"
		rm -rf --one-file-system "$CACHE/root/$name"-*
		HINT="check the network; mmdebstrap needs root, or a range of ids in /etc/subuid." \
			step "make a root with Debian 13 ($name)" "root-$name" make_root "$BUILDROOT" "$@"
	fi
	# shellcheck disable=SC2034 # It goes into the keys of what is built there.
	BUILDROOT_ID=$(sha256sum <"$BUILDROOT/var/lib/dpkg/status" | cut -c 1-12)
}

# in_buildroot FOLDER... -- COMMAND...: runs COMMAND in $BUILDROOT as its root.
# These folders of ours have the same paths there.  Mounts and processes are in
# namespaces of their own, so that nothing stays behind.
in_buildroot() {
	local folders=() user=()
	while [ "$1" != -- ]; do
		folders+=("$1")
		shift
	done
	shift
	[ "$(id -u)" -eq 0 ] || user=(--map-root-user)
	# shellcheck disable=SC2016 # That shell expands these.
	unshare "${user[@]}" --mount --pid --fork --kill-child bash -euc '
		root=$1
		shift
		mount --rbind /dev "$root/dev"
		mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
		mount -t tmpfs tmpfs "$root/tmp"
		while [ "$1" != -- ]; do
			mkdir -p "$root$1"
			mount --rbind "$1" "$root$1"
			shift
		done
		shift
		PATH=$PATH:/usr/sbin exec chroot "$root" /usr/bin/env -i HOME=/root LC_ALL=C \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
		' bash "$BUILDROOT" "${folders[@]}" -- "$@"
}
