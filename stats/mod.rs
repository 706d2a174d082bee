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
    /// The registry of what modules have published in the tree.
    pub(crate) clients: Arc<Clients>,
}

impl Writer for Stats {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree.write(f)?;
        writeln!(f, "open_client_files {}", self.clients.open_files())
    }
}
