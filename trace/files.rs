// SPDX-License-Identifier: GPL-2.0

//! The files of tracefs: tracefs's own operations, on files of ours.

use super::{
    mirror,
    names::is_control_file, //
};
use crate::{
    event_inode::{
        EventFs,
        EventInode, //
    },
    vfs::{
        file::Handover,
        lower::LowerDentry,
        FileVTable, //
    },
};

/// The operations for a file of tracefs.
pub(super) fn fops_for(lower: &LowerDentry) -> FileVTable<EventFs> {
    if is_control_file(lower) {
        FileVTable::handover::<ControlFile>()
    } else {
        FileVTable::handover::<PlainFile>()
    }
}

/// A file whose writes concern nothing but tracefs.
struct PlainFile;

impl Handover<EventFs> for PlainFile {
    const NOTICES_WRITES: bool = false;

    fn written(_inode: &EventInode) {}
}

/// A file that adds and removes dynamic events.
struct ControlFile;

impl Handover<EventFs> for ControlFile {
    const NOTICES_WRITES: bool = true;

    fn written(inode: &EventInode) {
        // Also after an error: the commands before the one that failed were carried out.
        mirror::prune_stale(inode.super_block().view().tree());
    }
}
