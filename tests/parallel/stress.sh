#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Everything at the same time: look up, list, read, add, remove, evict, remount
# upstream: U01 U10 U21 U28 U29 U30
# timeout: 120

# The seed comes from the clock and is printed: to try one again, set SEED.
read -r seed _ </proc/uptime
seed=${SEED:-${seed%.*}${seed#*.}}
evt stress "$MNT" "$(scale 10 20)" "$seed" 4
