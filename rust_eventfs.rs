// SPDX-License-Identifier: GPL-2.0

//! eventfs: a tracefs-like file system of the running kernel's events, as a module.
//!
//! Its dentries and inodes are made when they are looked at, from metadata that is read under SRCU.
//! Loading the module registers the file system; `mount -t eventfs nodev DIR` shows it:
//!
//! - [`event_inode`] is the heart: nodes, look-up, directories, removal;
//! - [`trace`] is the tree of the running kernel's events, and the control files;
//! - [`publish`] is what other modules have in the tree, by functions that are exported to them;
//! - [`vfs`] holds the safe wrappers that both are written with.

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

/// The module. The fields are dropped in their order: nobody can mount or publish any more, then
/// the nodes go, then what they were made from.
#[pin_data]
struct EventFsModule {
    /// `eventfs/stats` in debugfs: what there is.
    stats: DebugFile<Stats>,
    /// What makes `mount -t eventfs` work.
    #[pin]
    registration: Registration<EventFs>,
    /// Lets other modules publish. A module that has published keeps this one loaded.
    #[pin]
    publication: Publication,
    /// The nodes that all mounts show.
    tree: Arc<EventTree>,
    /// Kept here so that it goes last: a node may be dropped where this must not wait (L4).
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
            // What is mounted must not go because something else fails: what comes now does not.
            registration <- Registration::new(View::of_tree(tree.clone())?),
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
        })
    }
}

/// Takes a step of loading, and says which one failed.
fn start<T>(what: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
    step().inspect_err(|error| pr_err!("cannot {what}: {error:?}\n"))
}
