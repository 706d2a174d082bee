// SPDX-License-Identifier: GPL-2.0

//! eventfs: a tracefs-like file system of the running kernel's events, as a module.
//!
//! It instantiates dentries and inodes when they are looked up, from metadata that is read under
//! SRCU. Loading the module registers the file system; `mount -t eventfs nodev DIR` mounts it. Each
//! layer uses only those above it in this list:
//!
//! - [`vfs`]: safe wrappers over the VFS, without a word of eventfs or tracefs;
//! - [`nodes`]: trees of reference-counted nodes that are read under SRCU;
//! - [`event_inode`]: the core, which instantiates dentries and inodes of nodes, and removes them;
//! - [`trace`]: the provider of tracefs's directories and files;
//! - [`publish`]: directories and files of other modules, by functions that are exported to them;
//! - [`stats`]: counts of nodes, dentries, inodes and open files, in debugfs.
//!
//! Marks such as (L4) are rules of `Documentation/design.md`; marks such as (U24) are rows of
//! `Documentation/upstream-defects.md`.

#![deny(unsafe_code)]

mod event_inode;
mod nodes;
mod publish;
mod stats;
mod trace;
mod vfs;

use event_inode::{
    EventFs,
    EventTree,
    View, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
use publish::Publication;
use stats::{
    DebugFile,
    Stats, //
};
use trace::Mirror;
use vfs::Registration;

module! {
    type: EventFsModule,
    name: "rust_eventfs",
    authors: ["The rust_eventfs authors"],
    description: "eventfs: tracefs-like file system with dentries and inodes on demand",
    license: "GPL",
    alias: ["fs-eventfs"],
}

/// The module. Its fields are dropped in their order: the statistics; the file system type and the
/// exported functions, so that nothing new uses the nodes; the nodes; their provider.
#[pin_data]
struct EventFsModule {
    /// `eventfs/stats` in debugfs.
    stats: DebugFile<Stats>,
    /// The file system type.
    #[pin]
    registration: Registration<EventFs>,
    /// Lets other modules publish. A module that has published keeps this one loaded.
    #[pin]
    publication: Publication,
    /// The tree, of which a mount shows a view.
    tree: Arc<EventTree>,
    /// The provider of the root. Dropped last: a node may be dropped inside a read-side critical
    /// section, where the provider must not be dropped, since that waits for a grace period (L4).
    mirror: Arc<Mirror>,
}

impl kernel::InPlaceModule for EventFsModule {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            mirror: start("mount tracefs", || {
                vfs::check_lockdown()?;
                Arc::pin_init(Mirror::new(), GFP_KERNEL)
            })?,
            tree: start("make the tree", || {
                Arc::pin_init(EventTree::new(mirror.clone()), GFP_KERNEL)
            })?,
            publication <- Publication::new(tree.clone()),
            stats: DebugFile::new(
                c"eventfs",
                c"stats",
                Arc::new(
                    Stats {
                        tree: tree.clone(),
                        clients: publication.clients().clone(),
                    },
                    GFP_KERNEL,
                )?,
            ),
            // The last step that can fail: a mount must not vanish because a later step fails.
            registration <- Registration::new(View::of_tree(tree.clone())?),
        })
    }
}

/// Runs a step of loading, and logs its name if it fails.
fn start<T>(what: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
    step().inspect_err(|error| pr_err!("cannot {what}: {error:?}\n"))
}
