# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Everything that builds a kernel, the module and a guest.  Sourced, not run.

qemu=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=qemu/lib.sh
. "$qemu/lib.sh"
# shellcheck source=qemu/setup.sh
. "$qemu/setup.sh"
# shellcheck source=qemu/kernel.sh
. "$qemu/kernel.sh"
# shellcheck source=qemu/module.sh
. "$qemu/module.sh"
# shellcheck source=qemu/guest.sh
. "$qemu/guest.sh"
