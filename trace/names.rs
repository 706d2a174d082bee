// SPDX-License-Identifier: GPL-2.0

//! Which names of tracefs are shown, and how.

use crate::vfs::lower::LowerDentry;

/// The directory of events.
pub(super) const EVENTS: &[u8] = b"events";

/// The files that add and remove dynamic events.
const CONTROL_FILES: [&[u8]; 4] = [
    b"dynamic_events",
    b"kprobe_events",
    b"synthetic_events",
    b"uprobe_events",
];

/// Whether the directory `name` of a directory of tracefs is shown: of the root, only `events`.
pub(super) fn is_shown(parent: &LowerDentry, name: &[u8]) -> bool {
    !parent.is_root() || name == EVENTS
}

/// Whether a write to a file of tracefs adds and removes events.
pub(super) fn is_control_file(lower: &LowerDentry) -> bool {
    CONTROL_FILES.contains(&lower.name()) && lower.parent().is_root()
}
