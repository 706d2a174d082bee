// SPDX-License-Identifier: GPL-2.0

//! The published tree: opened to modules, cleaned up after each of them, and closed.

#![allow(unsafe_code)]

use super::{
    clients::client_of,
    owner::{
        GoingModule,
        ModuleId,
        ModuleNotifier,
        ModuleWatch, //
    },
    registry::Clients, //
};
use crate::{
    event_inode::{
        EventTree,
        Meta, //
    },
    nodes::DrainedNodes, //
};
use kernel::{
    prelude::*,
    sync::{
        global_lock,
        Arc,
        SetOnce, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// The tree that modules publish in, with the registry of what they have published.
///
/// Only a [`Publication`] makes one, which watches modules as long as there are published nodes.
pub(super) struct PublishedTree {
    /// The tree.
    tree: Arc<EventTree>,
    /// The registry.
    clients: Arc<Clients>,
}

impl PublishedTree {
    /// The tree.
    pub(super) fn tree(&self) -> &EventTree {
        &self.tree
    }

    /// The registry.
    pub(super) fn clients(&self) -> &Arc<Clients> {
        &self.clients
    }

    /// Removes all nodes of an owner, or all published nodes. May sleep.
    ///
    /// Returns when none is left, also none that another thread is removing.
    fn remove_all(&self, owner: Option<ModuleId>) {
        // Operations that still run, and release functions, may pass nodes that were removed here
        // to exported functions. So removed nodes stay allocated until none is left.
        let mut gone: Option<DrainedNodes<Meta>> = None;
        // An operation that still runs may even add nodes.
        while self.clients.has_nodes(owner) {
            let left = self.tree.nodes().lock().find(|node| {
                client_of(node).is_some_and(|client| owner.is_none_or(|id| client.owner() == id))
            });
            let Some(node) = left else {
                // Another thread is removing the last ones.
                fsleep(Delta::from_millis(1));
                continue;
            };
            match (&mut gone, self.tree.take_out(&node)) {
                (_, None) => (),
                (None, removed) => gone = removed,
                (Some(gone), Some(removed)) => gone.append(removed),
            }
        }
    }
}

/// Removes the nodes of a module that goes.
struct ModuleCleanup(Arc<PublishedTree>);

impl ModuleNotifier for ModuleCleanup {
    fn module_going(&self, module: &GoingModule<'_>) {
        self.0.remove_all(Some(module.id()));
        self.0.clients.put_all_handles(module);
    }
}

global_lock! {
    // SAFETY: `Exposure::new()` initialises it, and populates `READY` afterwards. All other uses
    // come after a look at `READY` that found it populated.
    /// The tree that the exported functions work on: their callers name none.
    unsafe(uninit) static PUBLISHED: Mutex<Option<Arc<PublishedTree>>> = None;
}

/// Whether `PUBLISHED` is being initialised, or was.
static CLAIMED: SetOnce<()> = SetOnce::new();

/// Whether `PUBLISHED` is initialised.
static READY: SetOnce<()> = SetOnce::new();

/// The tree that the exported functions work on.
///
/// # Errors
///
/// `ENODEV`: there is none, before a [`Publication`] and after it.
pub(super) fn published() -> Result<Arc<PublishedTree>> {
    READY.as_ref().ok_or(ENODEV)?;
    PUBLISHED.lock().clone().ok_or(ENODEV)
}

/// Makes a tree the one that the exported functions work on. The drop removes all that is published
/// there.
///
/// # Invariants
///
/// `PUBLISHED` is initialised, and has this tree.
struct Exposure(Arc<PublishedTree>);

impl Exposure {
    /// Exposes a tree.
    ///
    /// # Errors
    ///
    /// `EBUSY`: another tree is exposed.
    fn new(tree: Arc<PublishedTree>) -> Result<Self> {
        if CLAIMED.populate(()) {
            // SAFETY: `CLAIMED` is populated once, so that this is called once.
            unsafe { PUBLISHED.init() };
            READY.populate(());
        }
        READY.as_ref().ok_or(EBUSY)?;
        let mut published = PUBLISHED.lock();
        if published.is_some() {
            return Err(EBUSY);
        }
        // INVARIANT: The lock is initialised, and gets this tree here.
        *published = Some(tree.clone());
        Ok(Self(tree))
    }
}

impl Drop for Exposure {
    fn drop(&mut self) {
        let tree = PUBLISHED.lock().take();
        // Put after the lock.
        drop(tree);
        // Modules that have published keep this one loaded, so that no node is left by now. If one
        // were, it would have to be removed as long as modules are watched.
        self.0.clients.close();
        self.0.remove_all(None);
    }
}

/// Lets modules publish in a tree, until it is dropped.
///
/// All exported functions fail with `ENODEV` before and afterwards. When a module goes, all that it
/// has left in the tree is removed.
#[pin_data]
pub(crate) struct Publication {
    /// Makes the tree reachable for the exported functions. Dropped first: modules are watched as
    /// long as there are published nodes.
    exposure: Exposure,
    /// Watches for modules that go.
    #[pin]
    watch: ModuleWatch<ModuleCleanup>,
    /// The registry.
    clients: Arc<Clients>,
}

impl Publication {
    /// Publishes a tree. May sleep.
    ///
    /// # Errors
    ///
    /// `EBUSY`: another tree is published. `ENOMEM`.
    pub(crate) fn new(tree: Arc<EventTree>) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(move || {
            let clients = Arc::pin_init(Clients::new(), GFP_KERNEL)?;
            let published = Arc::new(
                PublishedTree {
                    tree,
                    clients: clients.clone(),
                },
                GFP_KERNEL,
            )?;
            Ok(try_pin_init!(Self {
                watch <- ModuleWatch::new(ModuleCleanup(published.clone())),
                exposure: Exposure::new(published)?,
                clients,
            }))
        })
    }

    /// The registry of what modules have published.
    pub(crate) fn clients(&self) -> &Arc<Clients> {
        &self.clients
    }
}
