# SPDX-License-Identifier: GPL-2.0
#
# Every command of the project.  kbuild does not read this file: it has Kbuild.

.PHONY: all run shell test mutants soak bench figures oldest lint doc setup clean \
	distclean help

all:
	@bash scripts/build.sh

run:
	@bash scripts/run.sh tour

shell:
	@bash scripts/run.sh shell

test:
	@bash scripts/test.sh

mutants:
	@bash scripts/mutants.sh

soak:
	@bash scripts/soak.sh

bench:
	@bash scripts/bench.sh

figures:
	@bash scripts/figures.sh

oldest:
	@bash scripts/oldest.sh

lint:
	@bash scripts/lint.sh

doc:
	@bash scripts/doc.sh

setup:
	@bash scripts/setup.sh

clean:
	rm -rf build rust_eventfs.ko

distclean: clean
	@bash scripts/distclean.sh

help:
	@sed -n 's/^## \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

## make                 build rust_eventfs.ko for our own kernel (built first)
## make KDIR=FOLDER     build it for a configured, Rust-enabled Linux 7.3 tree
## make run             boot a guest and show a guided tour; on a terminal it
##                      ends in a shell in the guest
## make shell           the same without the tour
## make test            run the tests in the guest, on two kernels
## make mutants         show that the tests catch the mistakes of tests/mutants,
##                      one after the other (half an hour)
## make soak            stress the module in the guest for MINUTES
## make bench           measure beside the kernel's eventfs, debugfs and sysfs:
##                      a table, and samples and figures in bench/out/
## make figures         draw the charts in bench/figures/, from the last
##                      `make bench` if there was one
## make lint            rustfmt, clippy, checkpatch, shellcheck, scripts/checks,
##                      whether mutants apply, the guest programs' unit tests
## make doc             build the module's documentation (build/doc)
## make setup           install the tools and nothing else
## make oldest          build the module with Debian 13's compilers, Rust 1.85
##                      and gcc, for Debian's own kernel; no warning is allowed
## make clean           remove build/ and rust_eventfs.ko
## make distclean       also remove the cache: kernels, sources, tools
##
## Variables:
##   T=PATTERN          run only the tests whose name contains PATTERN
##   M=PATTERN          run only the mutants whose name contains PATTERN
##   KERNEL=FLAVOUR     normal, debug or kcsan.  Default: normal and debug for
##                      test and mutants, else normal.  bench, lint and doc
##                      always use normal
##   KERNEL_SRC=PATH    the kernel's source, a folder or a tarball
##   KERNEL_SHA256=SUM  accept a kernel tarball with this SHA-256
##   LLVM=-19 RUSTC=... BINDGEN=... BUSYBOX=...  the tools to use
##   JOBS=N V=1         the number of processes; show the commands
##   LIMIT=SECONDS      the longest time of a guest (run, test, bench)
##   MINUTES=60         the time of soak
##   SEED=N             the seed of random operations (soak: default the clock;
##                      test: default fixed seeds and the clock)
##   QUICK=1 REPEAT=N   bench: fewer measurements; the number of repetitions
##   PROFILE=1          bench: show where a cold look-up spends instructions
##   CLOCK=time         bench: use the guest's clock also under emulation
##
## The cache is ~/.cache/rust_eventfs, or in $XDG_CACHE_HOME.
