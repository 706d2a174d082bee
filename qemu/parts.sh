# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# All that it takes to boot a guest.  Sourced, with the folder of this in $here.

# shellcheck source=qemu/lib.sh
. "$here/lib.sh"
# shellcheck source=qemu/setup.sh
. "$here/setup.sh"
# shellcheck source=qemu/kernel.sh
. "$here/kernel.sh"
# shellcheck source=qemu/module.sh
. "$here/module.sh"
# shellcheck source=qemu/guest.sh
. "$here/guest.sh"
