# SPDX-License-Identifier: GPL-2.0
#
# Every command of the project.  kbuild does not read this file: it has Kbuild.

.PHONY: all run shell test mutants soak bench figures lint doc setup clean distclean help

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
## make run             build everything, boot a guest, show a guided tour;
##                      on a terminal it leaves you in a shell in the guest
## make shell           the same without the tour
## make test            run the tests in the guest, on both kernels
## make mutants         show that the tests notice mistakes: those of
##                      tests/mutants, one after the other (half an hour)
## make soak            stress the module in the guest for MINUTES
## make bench           measure beside the kernel's eventfs, debugfs and sysfs:
##                      a table, and samples and figures in bench/out/
## make figures         draw the charts in bench/figures/, from the last
##                      `make bench` if there was one
## make lint            rustfmt, clippy, checkpatch, shellcheck, what documents
##                      quote, whether mutants apply, the helpers' own tests
## make doc             the module's documentation (build/doc)
## make setup           only install the tools
## make clean           remove build/ and rust_eventfs.ko
## make distclean       also remove the cache: kernels, sources, tools
##
## Variables:
##   T=PATTERN          only the tests whose name contains PATTERN
##   M=PATTERN          only the mutants whose name contains PATTERN
##   KERNEL=FLAVOUR     normal, debug or kcsan (test: default the first two;
##                      mutants: those for it; the others: normal, and
##                      bench, lint and doc always)
##   KERNEL_SRC=PATH    the kernel's source, a folder or a tarball
##   KERNEL_SHA256=SUM  accept a kernel tarball with this SHA-256
##   LLVM=-19 RUSTC=... BINDGEN=... BUSYBOX=...  the tools to use
##   JOBS=N V=1         how many processes; show the commands
##   LIMIT=SECONDS      how long the guest may take (run, test, bench)
##   MINUTES=60         how long to soak
##   SEED=N             what the random operations of soak come from (default:
##                      the clock), and those of test
##   QUICK=1 REPEAT=N   bench: less of everything; how often
##   PROFILE=1          bench: where the instructions of a cold look-up go
##   CLOCK=time         bench: do not count instructions under emulation
##
## The cache is ~/.cache/rust_eventfs ($XDG_CACHE_HOME is heeded).
