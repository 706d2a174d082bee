#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# description: Listings are right while events are added and removed
# listings: both
# upstream: U19 U29
# only: eventfs
# timeout: 120

evt listing "$MNT" "$(scale 8 12)"
