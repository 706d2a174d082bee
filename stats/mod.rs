// SPDX-License-Identifier: GPL-2.0

//! Counts for an administrator: `eventfs/stats` in debugfs.

mod debugfs;

pub(crate) use self::debugfs::DebugFile;

use crate::{
    event_inode::EventTree,
    publish::Clients, //
};
use kernel::{
    debugfs::Writer,
    fmt,
    sync::Arc, //
};

/// The counts of a tree and of the modules that publish in it.
pub(crate) struct Stats {
    /// The tree.
    pub(crate) tree: Arc<EventTree>,
    /// The registry of published nodes and their open files.
    pub(crate) clients: Arc<Clients>,
}

impl Writer for Stats {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = self.tree.nodes().counts();
        let (mut inodes, mut dentries) = (0usize, 0usize);
        self.tree.for_each_view(|view| {
            if let Some(active) = view.get_active() {
                active.super_block().for_each_inode(|inode| {
                    inodes += 1;
                    dentries += usize::from(inode.has_dentry());
                });
            }
        });
        writeln!(f, "nodes {}", nodes.linked)?;
        writeln!(f, "nodes_removed {}", nodes.removed)?;
        writeln!(f, "nodes_pending {}", nodes.pending)?;
        writeln!(f, "dentries {dentries}")?;
        writeln!(f, "inodes {inodes}")?;
        writeln!(f, "open_dirs {}", self.tree.open_dirs())?;
        writeln!(f, "open_client_files {}", self.clients.open_count())
    }
}
