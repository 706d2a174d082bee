# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Packs a guest, boots it, and checks its console.  Sourced after lib.sh,
# setup.sh, kernel.sh and module.sh.

QEMU=qemu-system-x86_64

GUEST_TARGET=x86_64-unknown-linux-gnu

# cargo_static FOLDER NAME: builds the Rust programs in FOLDER for the guest, which
# has no shared libraries, into build/NAME/$GUEST_TARGET/release.
cargo_static() {
	cd "$ROOT/$1" || return
	RUSTFLAGS='-Ctarget-feature=+crt-static' \
		"$CARGO" build --release --locked --target $GUEST_TARGET \
		--target-dir "$BUILD/$2"
}

# programs: builds the programs of the tests, and sets PROGRAMS to their paths.
programs() {
	local program
	PROGRAMS=()
	with_lock "$BUILD/programs.lock" step "build the tests' programs" programs \
		cargo_static tests/lib programs
	while read -r program; do
		case $(readelf -l "$program") in
		*INTERP*) die "$program is not static, so it cannot run in the guest" ;;
		esac
		PROGRAMS+=("$program")
	done < <(find "$BUILD/programs/$GUEST_TARGET/release" -maxdepth 1 -type f -perm -u+x)
	[ ${#PROGRAMS[@]} -gt 0 ] || die "tests/lib built no program"
}

# new_run FLAVOUR: creates a folder for the files of this run, and sets RUN to it.
# Keeps the latest folders, and deletes older ones.
new_run() {
	mkdir -p "$BUILD/run"
	find "$BUILD/run" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn |
		sed -n '20,$s/^[^ ]* //p' | xargs -r rm -rf
	RUN=$(mktemp -d "$BUILD/run/$1.$(date +%H%M%S).XXXXXX")
}

# install_modules TREE KDIR BUILT: installs the kernel's modules and ours into TREE,
# signed, where modprobe finds them.
install_modules() {
	local tree=$1 kdir=$2 built=$3 release file hash
	release=$(cat "$kdir/include/config/kernel.release")
	mkdir -p "$tree/lib/modules/$release/extra" "$tree/eventfs/modules"
	hash=$(from_config "$kdir" MODULE_SIG_HASH)
	while read -r file; do
		cp "$file" "$tree/lib/modules/$release/extra/"
		file=/lib/modules/$release/extra/$(basename "$file")
		if [ -n "$hash" ]; then
			"$kdir/scripts/sign-file" "$hash" "$kdir/certs/signing_key.pem" \
				"$kdir/certs/signing_key.x509" "$tree$file" || return
		fi
		case $file in
		*/rust_eventfs.ko) ln -s "$file" "$tree/eventfs/" ;;
		*) ln -s "$file" "$tree/eventfs/modules/" ;;
		esac
	done < <(sed "s|^|$kdir/|; s|\.o\$|.ko|" "$kdir/modules.order"
		[ ! -d "$built" ] || find "$built" -name '*.ko')
	cp "$kdir/modules.builtin" "$kdir/modules.builtin.modinfo" "$kdir/modules.order" \
		"$tree/lib/modules/$release/"
	depmod -b "$tree" "$release"
}

# pack RUN FLAVOUR KDIR BUILT: creates RUN/initramfs.cpio.  This needs no privilege:
# the kernel's own tool writes the device node into the archive.
pack() {
	local run=$1 flavour=$2 kdir=$3 built=$4 tree=$1/root
	mkdir -p "$tree/bin" "$tree/etc" "$tree/eventfs"
	ln -s bin "$tree/sbin"
	cp "$BUSYBOX" "$tree/bin/busybox"
	cp "$ROOT/qemu/guest/init" "$tree/init"
	cp "$ROOT/qemu/guest/tour.sh" "$ROOT/qemu/guest/shell.sh" "$tree/eventfs/"
	cp "$run/run.sh" "$tree/eventfs/run"
	echo "$flavour" >"$tree/eventfs/kernel"
	printf '%s\n' root:x:0:0:root:/root:/bin/sh user:x:1000:1000:user:/tmp:/bin/sh \
		nobody:x:65534:65534:nobody:/tmp:/bin/sh >"$tree/etc/passwd"
	printf '%s\n' root:x:0: user:x:1000: nogroup:x:65534: >"$tree/etc/group"
	cp "$ROOT/qemu/guest/profile" "$tree/etc/profile"
	mkdir "$tree/eventfs/tests"
	cp -r "$ROOT/tests/run.sh" "$ROOT/tests/functions" "$ROOT/tests/test.d" \
		"$tree/eventfs/tests/" || return
	cp "${PROGRAMS[@]}" "$tree/bin/"
	install_modules "$tree" "$kdir" "$built" || return
	{
		echo 'dir /dev 0755 0 0'
		echo 'nod /dev/console 0600 0 0 c 5 1'
		find "$tree" -mindepth 1 \( -type d -printf 'dir /%P 0755 0 0\n' \) -o \
			\( -type l -printf 'slink /%P %l 0777 0 0\n' \) -o \
			\( -type f -perm -u+x -printf 'file /%P %p 0755 0 0\n' \) -o \
			\( -type f -printf 'file /%P %p 0644 0 0\n' \)
	} >"$run/contents"
	"$kdir/usr/gen_init_cpio" "$run/contents" >"$run/initramfs.cpio" || return
	rm -rf "$tree"
}

# probe_kvm IMAGE: succeeds if a guest prints something under KVM.  KVM may fail
# although /dev/kvm can be opened.  Without an initramfs the kernel soon panics.
probe_kvm() {
	local kernel=$1 said
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return 1
	said=$(timeout -k 2 15 "$QEMU" -nodefaults -no-user-config -display none -no-reboot \
		-accel kvm -cpu host -m 256 -kernel "$kernel" \
		-append "console=ttyS0 earlyprintk=serial,ttyS0 panic=-1" -serial stdio \
		</dev/null 2>/dev/null | tr -d '\0') || true
	case $said in
	*'Linux version'*) ;;
	*) return 1 ;;
	esac
}

# accelerator IMAGE: sets ACCEL to QEMU's options.  The result of the probe is kept
# until the machine reboots, or QEMU or the right to use KVM changes.
accelerator() {
	local key file=$CACHE/accelerator answer may=no
	[ ! -w /dev/kvm ] || may=yes
	ACCEL=(-accel "tcg,thread=multi" -cpu "max,la57=off")
	key="$(cat /proc/sys/kernel/random/boot_id) $may $("$QEMU" --version)"
	key=${key%%$'\n'*}
	if [ "$(sed -n 1p "$file" 2>/dev/null)" != "$key" ]; then
		if probe_kvm "$1"; then
			answer=kvm
		else
			answer=tcg
			say "KVM starts no guest here: QEMU emulates the processor (TCG), which is slower."
		fi
		printf '%s\n%s\n' "$key" "$answer" >"$file"
	fi
	[ "$(sed -n 2p "$file")" != kvm ] || ACCEL=(-accel kvm -cpu host)
}

# stale_code: succeeds if the last guest died because QEMU, emulating the processor,
# ran code that the kernel had patched.  That is no defect of the module.
stale_code() {
	[ "${ACCEL[1]}" != kvm ] && bash "$ROOT/qemu/console.sh" --stale "$RUN/console"
}

# guest FLAVOUR LIMIT SCRIPT [interactive]: boots the flavour's kernel with the
# module and runs SCRIPT (text) in it, its output on stdout, for at most LIMIT
# seconds.  Sets RUN to the folder with the run's files, and GUEST_STATUS to the
# exit status of SCRIPT, or to `timeout` or `died`.  GUEST_OPTIONS (for the
# accelerator), GUEST_CPUS and GUEST_MEMORY change the machine.
guest() {
	local flavour=$1 limit=$2 script=$3 mode=${4:-} memory=1G image status=0 silence
	local kernel=$KERNEL_DIR tty=()
	new_run "$flavour"
	printf '%s\n' "$script" >"$RUN/run.sh"
	HINT="look into the log; the files are in $RUN." \
		with_lock "$BUILD/$flavour.lock" \
		step "pack the guest ($flavour)" "pack-$flavour" \
		pack "$RUN" "$flavour" "$kernel" "$BUILD/$flavour"
	image=$kernel/arch/x86/boot/bzImage
	accelerator "$image"
	[ -z "${GUEST_OPTIONS:-}" ] || read -ra ACCEL <<<"$GUEST_OPTIONS"
	# KASAN's shadow and the lists of the other checkers need memory.
	[ "$(from_config "$kernel" KASAN)" != y ] || memory=2G
	if [ "$mode" = interactive ]; then
		# Keys such as Ctrl-C belong to the guest; Ctrl-A x ends QEMU.
		tty=(-chardev "stdio,id=tty,mux=on,signal=off")
	else
		tty=(-chardev "stdio,id=tty,signal=off")
	fi
	set -- "$QEMU" -name eventfs -nodefaults -no-user-config -display none -no-reboot \
		"${ACCEL[@]}" -smp "${GUEST_CPUS:-2}" -m "${GUEST_MEMORY:-$memory}" \
		-kernel "$image" -initrd "$RUN/initramfs.cpio" \
		-append "console=ttyS0,115200 earlyprintk=serial,ttyS0,115200 panic=-1 log_buf_len=4M" \
		-serial "file:$RUN/console" "${tty[@]}" -serial chardev:tty -serial "file:$RUN/status"
	if [ "$mode" = interactive ]; then
		"$@" || status=$?
	else
		# A FIFO that is never written: at the end of its input QEMU 10 polls for
		# more, which uses up one of the host's processors.
		mkfifo "$RUN/silence"
		exec {silence}<>"$RUN/silence"
		timeout --foreground -k 10 "$limit" "$@" <&"$silence" || status=$?
		exec {silence}>&-
		rm "$RUN/silence"
	fi
	GUEST_STATUS=$(sed -n 's/^status \([0-9]*\).*/\1/p' "$RUN/status" 2>/dev/null)
	if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		GUEST_STATUS=timeout
		say "error: the $flavour guest was stopped: it did not finish within $(elapsed "$limit")" \
			"(LIMIT=SECONDS allows more)"
	elif [ -z "$GUEST_STATUS" ]; then
		GUEST_STATUS=died
		say "error: the $flavour guest ended early (QEMU's exit status: $status)"
	fi
	rm -f "$RUN/initramfs.cpio" "$RUN/contents"
}

# said CONFIG TEXT: succeeds if the guest reported TEXT at its end, or its kernel has
# no CONFIG_<CONFIG>.  A checker that is off finds nothing either.
said() {
	[ "$(from_config "$KERNEL_DIR" "$1")" != y ] ||
		grep -a -q "^eventfs-guest: $2" "$RUN/console"
}

# console_is_clean: shows the reports on the last guest's console.  Succeeds if there
# are none, and each checker of its kernel was on.
console_is_clean() {
	local status=0
	bash "$ROOT/qemu/console.sh" "$RUN/console" || status=1
	said DEBUG_KMEMLEAK 'kmemleak found nothing' || status=1
	said PROVE_LOCKING 'lockdep is on' || status=1
	said KCSAN 'KCSAN is on' || status=1
	return $status
}
