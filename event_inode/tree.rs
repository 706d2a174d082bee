// SPDX-License-Identifier: GPL-2.0

//! Trees of directories and files.

use super::{
    attr::{
        AttrSeq,
        AttrWriteGuard, //
    },
    meta::{
        FileTable,
        Kind,
        Meta,
        MetaRef,
        TableCache, //
    },
    provider::Provider,
    view::EventView,
    EventFs, //
};
use crate::{
    nodes::{
        Node,
        Tree, //
    },
    vfs::{
        self,
        CollectedDentry, //
    },
};
use core::ptr;
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
        Arc,
        Mutex, //
    },
};

/// The inode number of the root.
const ROOT_INO: u64 = 1;

/// A view that a super block shows.
pub(super) struct MountedView {
    /// The view.
    pub(super) view: Arc<EventView>,
    /// The dentry that the removal which holds the lock of the list has collected in this view. A
    /// removal cannot allocate memory (L6), and puts no dentry under the tree lock (L3).
    pub(super) collected: Option<CollectedDentry<EventFs>>,
}

/// The views of a tree that super blocks show.
pub(super) type MountedViews = KVec<MountedView>;

/// A tree of directories and files, of which a mount shows a view.
#[pin_data]
pub(crate) struct EventTree {
    /// The nodes, and the tree lock.
    #[pin]
    nodes: Tree<Meta>,
    /// The views that super blocks show. The lock also serialises removals; it is taken before the
    /// tree lock, and after any `i_rwsem` or `s_umount`.
    #[pin]
    views: Mutex<MountedViews>,
    /// The inode number that was allocated last.
    last_ino: Atomic<u64>,
    /// The number of open directories.
    open_dirs: Atomic<usize>,
    /// The number of times that listings were invalidated.
    listing_generation: Atomic<u64>,
    /// The number of changes of attributes. Written under the tree lock.
    attr_seq: AttrSeq,
}

impl EventTree {
    /// A tree whose root is a directory of `provider`.
    pub(crate) fn new(provider: Arc<dyn Provider>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            nodes <- Tree::with_root(move || {
                let kind = Arc::new(Kind::various_directories(provider)?, GFP_KERNEL)?;
                Ok(Meta::new(kind, ROOT_INO, 0))
            }),
            views <- new_mutex!(KVec::new(), "eventfs_views"),
            // CAST: It is small.
            last_ino: Atomic::new(ROOT_INO + TableCache::RESERVED_INOS as u64),
            open_dirs: Atomic::new(0),
            listing_generation: Atomic::new(0),
            attr_seq: AttrSeq::new(),
        })
    }

    /// The nodes.
    pub(crate) fn nodes(&self) -> &Tree<Meta> {
        &self.nodes
    }

    /// The views that super blocks show. Removals wait while the result exists.
    pub(super) fn views(&self) -> Guard<'_, MountedViews, MutexBackend> {
        self.views.lock()
    }

    /// Puts a view on the list whose super block is being filled in. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn add_view(&self, view: Arc<EventView>) -> Result {
        let view = MountedView {
            view,
            collected: None,
        };
        Ok(self.views.lock().push(view, GFP_KERNEL)?)
    }

    /// Takes a view off the list whose super block is about to be shut down. May
    /// sleep.
    pub(super) fn remove_view(&self, view: &EventView) {
        let removed = {
            let mut views = self.views.lock();
            let index = views
                .iter()
                .position(|mounted| ptr::eq(&*mounted.view, view));
            index.and_then(|index| views.remove(index).ok())
        };
        // The last reference to a view may be dropped here, after the lock.
        drop(removed);
    }

    /// Calls `visit` for each view that a super block shows and that is not being shut down. May
    /// sleep; `visit` must not remove nodes.
    pub(crate) fn for_each_view(&self, mut visit: impl FnMut(&Arc<EventView>)) {
        for mounted in self.views.lock().iter() {
            visit(&mounted.view);
        }
    }

    /// The view at an index of the list, for a walk over all views that removes nodes. Such a walk
    /// may miss a view while others come and go.
    pub(crate) fn view(&self, index: usize) -> Option<Arc<EventView>> {
        let views = self.views.lock();
        views.get(index).map(|mounted| mounted.view.clone())
    }

    /// The number of changes of attributes.
    pub(super) fn attr_seq(&self) -> &AttrSeq {
        &self.attr_seq
    }

    /// Takes the tree lock in order to change attributes.
    pub(super) fn write_attr(&self) -> AttrWriteGuard<'_> {
        AttrWriteGuard::new(self, self.nodes.lock())
    }

    /// Allocates `count` consecutive inode numbers, and returns the first.
    fn alloc_inos(&self, count: usize) -> u64 {
        // CAST: A count fits.
        self.last_ino.fetch_add(count as u64, Relaxed) + 1
    }

    /// The inode number that was allocated last.
    pub(super) fn last_ino(&self) -> u64 {
        self.last_ino.load(Relaxed)
    }

    /// Adds a directory or a file. May sleep. When this returns, the name is visible.
    ///
    /// `private` is for the provider.
    ///
    /// # Errors
    ///
    /// - `EINVAL`, `ENAMETOOLONG`: bad names, see [`Tree::prepare`].
    /// - `EEXIST`: the directory has a node of this name.
    /// - `ENODEV`: the directory was removed.
    /// - `EPERM`: kernel lockdown forbids it (U24).
    /// - `ENOMEM`.
    pub(crate) fn add(
        &self,
        parent: &Node<Meta>,
        name: &[u8],
        kind: Arc<Kind>,
        private: u64,
    ) -> Result<MetaRef> {
        vfs::check_lockdown()?;
        let inos = 1 + kind.reserved_inos();
        let new = self
            .nodes
            .prepare(parent, name, Meta::new(kind, 0, private))?;
        if parent.payload().attr().is_some() {
            new.payload().make_attr()?;
        }
        let linked = {
            let mut guard = self.nodes.lock();
            new.payload().set_ino(self.alloc_inos(inos));
            // Under the tree lock, so that a remount does not miss the node (U14).
            new.payload().inherit_owner(parent.payload(), &guard);
            guard.link(new)
        };
        // Memory that the link did not need is freed here, after the tree lock.
        linked
            .map(|(node, _spare)| node)
            .map_err(|refused| refused.error)
    }

    /// Makes the node of a name the one that a provider has just found: `private` identifies it
    /// among the nodes of `kind`. `None`: the name changed its meaning meanwhile, look again. May
    /// sleep.
    ///
    /// `known` is the node that the tree had for the name *before* the provider looked: what the
    /// provider has found says nothing of a node that was added later. If `known` stands for
    /// something else, either the node or the answer is out of date. `is_current` decides which: a
    /// node is removed only if the answer still holds.
    ///
    /// # Errors
    ///
    /// Those of [`Self::add`] but for `EEXIST`.
    pub(crate) fn reconcile(
        &self,
        dir: &Node<Meta>,
        name: &[u8],
        known: Option<MetaRef>,
        kind: &Arc<Kind>,
        private: u64,
        is_current: impl FnOnce() -> bool,
    ) -> Result<Option<MetaRef>> {
        let Some(known) = known else {
            return match self.add(dir, name, kind.clone(), private) {
                Ok(node) => Ok(Some(node)),
                // Another look-up was faster.
                Err(error) if error == EEXIST => Ok(None),
                Err(error) => Err(error),
            };
        };
        if known.is_dead() {
            return Ok(None);
        }
        let meta = known.payload();
        if meta.is_of_kind(kind) && meta.private() == private {
            return Ok(Some(known));
        }
        if is_current() {
            self.remove(&known);
        }
        Ok(None)
    }

    /// Sets the files of a directory, unless they are known. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn set_table(&self, dir: &Node<Meta>, table: Arc<FileTable>) -> Result {
        dir.payload()
            .set_table(table, |count| self.alloc_inos(count))
    }

    /// The child of a directory with this name, if the tree has a node of it.
    pub(crate) fn child(&self, dir: &Node<Meta>, name: &[u8]) -> Option<MetaRef> {
        dir.child(name, &self.nodes.read())?.try_get()
    }

    /// The children of a directory, in the order of their creation. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn children(&self, dir: &Node<Meta>) -> Result<KVVec<MetaRef>> {
        let mut children = KVVec::new();
        let reader = self.nodes.read();
        for child in dir.children(&reader).filter_map(|seen| seen.try_get()) {
            children.push(child, GFP_KERNEL)?;
        }
        Ok(children)
    }

    /// Invalidates listings: open directories that are listed from the nodes ask their providers
    /// again before they go on.
    pub(crate) fn invalidate_listings(&self) {
        self.listing_generation.fetch_add(1, Release);
    }

    /// The number of times that listings were invalidated.
    pub(super) fn listing_generation(&self) -> u64 {
        self.listing_generation.load(Acquire)
    }

    /// Counts an open directory.
    pub(super) fn dir_opened(&self) {
        self.open_dirs.fetch_add(1, Relaxed);
    }

    /// Uncounts an open directory.
    pub(super) fn dir_released(&self) {
        self.open_dirs.fetch_sub(1, Relaxed);
    }

    /// The number of open directories.
    pub(crate) fn open_dirs(&self) -> usize {
        self.open_dirs.load(Relaxed)
    }
}
