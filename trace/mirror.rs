// SPDX-License-Identifier: GPL-2.0

//! The provider of tracefs's directories and files.
//!
//! tracefs is the authority on which names exist. A directory of it becomes a node when its parent
//! is populated (by the first look-up there, or by an open), or when a look-up finds a name added
//! later. The inode of the node owns a reference to the dentry of tracefs, as an overlay's does,
//! and is valid as long as that dentry is. So a directory that vanishes in tracefs has
//! vanished here at the next path walk. A node stores the inode number of its directory in tracefs,
//! which distinguishes it from a later directory of the same name.
//!
//! A listing of a directory of tracefs is a hint only: it may be older than what a look-up has
//! found meanwhile. Where it contradicts the nodes, a look-up in tracefs decides.

use super::{
    files,
    names::{
        is_shown,
        EVENTS, //
    }, //
};
use crate::{
    event_inode::{
        EventInode,
        EventTree,
        EventView,
        FileTable,
        Found,
        Meta,
        MetaRef,
        Provider, //
    },
    nodes::{
        Drained,
        Node, //
    },
    vfs::{
        lower::{
            KernMount,
            LowerDentry,
            LowerRef, //
        },
        ActiveDentry,
        PERMISSIONS, //
    },
};
use core::ptr;
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// The number of times that a name may change its meaning during a look-up before that gives up.
const RETRIES: usize = 8;

/// The events and the control files of the running kernel.
#[pin_data]
pub(crate) struct Mirror {
    /// An internal mount of tracefs, which lives as long as the nodes do.
    mount: KernMount,
    /// The tables in use: directories with the same files share one. There are few, one for each
    /// kind of event.
    #[pin]
    tables: Mutex<KVec<Arc<FileTable>>>,
}

/// A listing of a directory of tracefs.
struct Listing {
    /// The names of its files.
    files: KVec<KVec<u8>>,
    /// The names and inode numbers of its directories.
    dirs: KVVec<(KVec<u8>, u64)>,
}

impl Mirror {
    /// Mounts tracefs. May sleep.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the kernel has no tracefs. Otherwise the error of the mount.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            mount: KernMount::tracefs()?,
            tables <- new_mutex!(KVec::new(), "eventfs_tables"),
        })
    }

    /// The directory of tracefs that a node stands for.
    fn lower_of(&self, node: &Node<Meta>) -> Result<LowerRef> {
        let mut names = KVec::new();
        let mut at = node;
        while let Some(parent) = at.parent() {
            names.push(at.name(), GFP_KERNEL)?;
            at = parent;
        }
        let mut dentry = self.mount.root()?;
        while let Some(name) = names.pop() {
            dentry = dentry.lookup(name)?;
        }
        Ok(dentry)
    }

    /// Lists a directory of tracefs.
    fn list(&self, lower: &LowerDentry) -> Result<Listing> {
        let mut listing = Listing {
            files: KVec::new(),
            dirs: KVVec::new(),
        };
        self.mount.list(lower, 0, |name, ino, is_directory| {
            let mut own = KVec::new();
            own.extend_from_slice(name, GFP_KERNEL)?;
            if !is_directory {
                listing.files.push(own, GFP_KERNEL)?;
            } else if is_shown(lower, name) {
                listing.dirs.push((own, ino), GFP_KERNEL)?;
            }
            Ok(())
        })?;
        Ok(listing)
    }

    /// The table with these names: one that is in use, or a new one.
    fn table(&self, names: KVec<KVec<u8>>) -> Result<Arc<FileTable>> {
        let mut tables = self.tables.lock();
        let same = |table: &&Arc<FileTable>| {
            let own = table.names();
            own.len() == names.len()
                && own
                    .iter()
                    .zip(&names)
                    .all(|(a, b)| a.as_slice() == b.as_slice())
        };
        if let Some(table) = tables.iter().find(same) {
            return Ok(table.clone());
        }
        let table = Arc::new(FileTable::new(names), GFP_KERNEL)?;
        tables.push(table.clone(), GFP_KERNEL)?;
        Ok(table)
    }

    /// Whether a child of a directory of tracefs belongs to tracefs, too, and not to a module.
    fn is_ours(dir: &Node<Meta>, child: &Node<Meta>) -> bool {
        ptr::addr_eq(child.payload().provider(), dir.payload().provider())
    }

    /// Looks a name up in tracefs, and reconciles the node with the answer. `known` is the node of
    /// the name, searched before this call.
    fn resolve(
        &self,
        tree: &EventTree,
        dir: &Node<Meta>,
        lower_dir: &LowerDentry,
        name: &[u8],
        known: Option<MetaRef>,
    ) -> Result<Option<Found>> {
        let mut known = known;
        for _ in 0..RETRIES {
            // A name that a module has published hides that of tracefs.
            if known
                .as_ref()
                .is_some_and(|known| !Self::is_ours(dir, known))
            {
                return Ok(None);
            }
            let lower = match lower_dir.lookup(name) {
                Ok(lower) => lower,
                Err(error) if error == ENOENT => {
                    if let Some(known) = known {
                        tree.remove(&known);
                    }
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            if lower.is_directory() && !is_shown(lower_dir, name)
                || !lower.is_directory() && !lower.is_regular()
            {
                return Ok(None);
            }
            if let Some(found) = Self::reconcile(tree, dir, name, known, lower)? {
                return Ok(Some(found));
            }
            known = tree.child(dir, name);
        }
        // The path walk looks again once, and then reports the error.
        Err(ESTALE)
    }

    /// Makes the node of a name the one of `lower`, which tracefs has just answered. `None`: the
    /// name changed its meaning meanwhile.
    fn reconcile(
        tree: &EventTree,
        dir: &Node<Meta>,
        name: &[u8],
        known: Option<MetaRef>,
        lower: LowerRef,
    ) -> Result<Option<Found>> {
        let mode = lower.mode() & PERMISSIONS;
        let node_of =
            |kind| tree.reconcile(dir, name, known, kind, lower.ino(), || lower.is_current());
        if lower.is_directory() {
            let node = node_of(dir.payload().kind_of::<Self>()?)?;
            return Ok(node.map(|node| Found::directory(node, mode).with_lower(lower)));
        }
        let entry = dir.payload().table().and_then(|table| table.index_of(name));
        let node = match entry {
            Some(_) => Some(dir.into()),
            None => node_of(&dir.payload().kind_of::<Self>()?.of_files()?)?,
        };
        let fops = files::fops_for(&lower);
        Ok(node.map(|node| Found::file(node, entry, mode, fops).with_lower(lower)))
    }

    /// Whether a listing of tracefs's directory agrees with the nodes, order included. That is the
    /// usual case, and costs little more than the listing itself.
    fn matches_listing(&self, tree: &EventTree, node: &Node<Meta>, lower: &LowerDentry) -> bool {
        let Some(table) = node.payload().table() else {
            return false;
        };
        let mut files = table.names().iter();
        let reader = tree.nodes().read();
        let mut children = node
            .children(&reader)
            .filter_map(|seen| seen.try_get())
            .filter(|child| Self::is_ours(node, child));
        let compared = self.mount.list(lower, 0, |name, ino, is_directory| {
            let same = if !is_directory {
                files.next().is_some_and(|file| file.as_slice() == name)
            } else if is_shown(lower, name) {
                children.next().is_some_and(|child| {
                    let meta = child.payload();
                    meta.is_directory() && meta.private() == ino && child.name() == name
                })
            } else {
                true
            };
            if same {
                Ok(())
            } else {
                Err(EAGAIN)
            }
        });
        compared.is_ok() && files.next().is_none() && children.next().is_none()
    }

    /// Whether tracefs's directory is known not to have changed since a listing of it agreed with
    /// the nodes. The answer may also be no if it has not changed.
    ///
    /// The kernel's eventfs appends a new directory to its list, and counts positions: first all
    /// files, then the directories. If as many entries as were listed exist, and the newest of them
    /// is the last, then none was added, since it would come behind that one, and so none was
    /// removed.
    fn is_unchanged(&self, tree: &EventTree, node: &Node<Meta>, lower: &LowerDentry) -> bool {
        let verified = || {
            // The root of tracefs is not a directory of its eventfs.
            let files = node.payload().table().filter(|_| !lower.is_root())?;
            let (children, newest) = tree.nodes().lock().verified(node)?;
            Some((files.names().len() + children - 1, newest))
        };
        let Some((others, newest)) = verified() else {
            return false;
        };
        let mut found = false;
        let listed = self.mount.list(lower, others, |name, ino, is_directory| {
            let meta = newest.payload();
            let same = is_directory
                && Self::is_ours(node, &newest)
                && meta.is_directory()
                && meta.private() == ino
                && newest.name() == name;
            if found || !same {
                return Err(EAGAIN);
            }
            found = true;
            Ok(())
        });
        listed.is_ok() && found
    }

    /// Whether the nodes below a directory are known to agree with tracefs's directory.
    fn is_up_to_date(&self, tree: &EventTree, node: &Node<Meta>, lower: &LowerDentry) -> bool {
        if !node.payload().is_complete() {
            return false;
        }
        if self.is_unchanged(tree, node, lower) {
            return true;
        }
        let generation = tree.nodes().lock().generation(node);
        let right = self.matches_listing(tree, node, lower);
        if let Some(generation) = generation.filter(|_| right) {
            tree.nodes().lock().set_verified(node, generation);
        }
        right
    }

    /// Populates a directory: makes the nodes below it agree with a listing of tracefs's directory.
    fn populate(&self, tree: &EventTree, node: &Node<Meta>, lower: &LowerDentry) -> Result {
        if self.is_up_to_date(tree, node, lower) {
            return Ok(());
        }
        let mut listing = self.list(lower).map_err(|error| {
            // The errors for a directory that has vanished meanwhile differ.
            if lower.is_current() {
                error
            } else {
                ENOENT
            }
        })?;
        if node.payload().table().is_none() {
            let files = core::mem::take(&mut listing.files);
            tree.set_table(node, self.table(files)?)?;
        }
        let mut listed = KVVec::with_capacity(listing.dirs.len(), GFP_KERNEL)?;
        for (name, ino) in &listing.dirs {
            listed.push((name.as_slice(), *ino), GFP_KERNEL)?;
            match tree.child(node, name) {
                Some(known) if known.payload().private() == *ino => {}
                Some(known) => drop(self.resolve(tree, node, lower, name, Some(known))?),
                None => Self::add_listed(tree, node, name, *ino)?,
            }
        }
        self.remove_unlisted(tree, node, lower, listed)?;
        // The root of tracefs gets a new file now and then.
        let table = node.payload().table();
        for name in &listing.files {
            let has = table.is_some_and(|table| table.index_of(name).is_some());
            if !has && tree.child(node, name).is_none() {
                self.resolve(tree, node, lower, name, None)?;
            }
        }
        node.payload().set_complete();
        Ok(())
    }

    /// Adds the node of a directory that was listed.
    fn add_listed(tree: &EventTree, parent: &Node<Meta>, name: &[u8], ino: u64) -> Result {
        match tree.add(
            parent,
            name,
            parent.payload().kind_of::<Self>()?.clone(),
            ino,
        ) {
            // Another thread was faster. The next look-up finds out whether its node is right.
            Err(error) if error == EEXIST => Ok(()),
            added => added.map(drop),
        }
    }

    /// Removes the nodes whose directories have vanished: those that were not listed, and that
    /// tracefs does not find. Nodes of modules stay.
    fn remove_unlisted(
        &self,
        tree: &EventTree,
        node: &Node<Meta>,
        lower: &LowerDentry,
        listed: KVVec<(&[u8], u64)>,
    ) -> Result {
        let mut listed = listed;
        listed.sort_unstable();
        for child in tree.children(node)? {
            let meta = child.payload();
            let is_listed = || {
                let key = (child.name(), meta.private());
                listed.binary_search(&key).is_ok()
            };
            if Self::is_ours(node, &child) && !(meta.is_directory() && is_listed()) {
                let known = tree.child(node, child.name());
                self.resolve(tree, node, lower, child.name(), known)?;
            }
        }
        Ok(())
    }
}

impl Provider for Mirror {
    fn lookup(
        &self,
        dir: &EventInode,
        name: &[u8],
        known: Option<MetaRef>,
    ) -> Result<Option<Found>> {
        let node = dir.private().ok_or(ENOENT)?.node();
        let lower = dir.lower().ok_or(ENOENT)?;
        let tree = dir.super_block().view().tree();
        if node.payload().is_complete() {
            return self.resolve(tree, node, lower, name, known);
        }
        // The first look-up populates the whole directory, so that it is listed in the order of
        // tracefs.
        self.populate(tree, node, lower)?;
        let known = tree.child(node, name);
        self.resolve(tree, node, lower, name, known)
    }

    fn file_exists(&self, _dir: &Node<Meta>, _entry: usize) -> bool {
        // A table holds what tracefs has listed, and tracefs removes no file from a directory.
        true
    }

    fn sync(&self, dir: &EventInode) -> Result {
        let node = dir.private().ok_or(ENOENT)?.node();
        let lower = dir.lower().ok_or(ENOENT)?;
        self.populate(dir.super_block().view().tree(), node, lower)
    }

    fn lower(&self) -> Option<&KernMount> {
        Some(&self.mount)
    }

    fn check_name_free(&self, tree: &EventTree, dir: &Node<Meta>, name: &[u8]) -> Result {
        // Searched before tracefs is asked: its answer says nothing of a node that is added later.
        let known = tree.child(dir, name);
        match self.lower_of(dir)?.lookup(name) {
            Ok(_) => Err(EEXIST),
            Err(error) if error == ENOENT => {
                if let Some(known) = known.filter(|known| Self::is_ours(dir, known)) {
                    tree.remove(&known);
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn lookup_dir(&self, tree: &EventTree, dir: &Node<Meta>, name: &[u8]) -> Result<MetaRef> {
        for _ in 0..RETRIES {
            let known = tree.child(dir, name);
            if known
                .as_ref()
                .is_some_and(|known| !Self::is_ours(dir, known))
            {
                return Err(ENOENT);
            }
            let lower = self.lower_of(dir)?.lookup(name)?;
            if !lower.is_directory() {
                return Err(ENOENT);
            }
            if let Some(found) = Self::reconcile(tree, dir, name, known, lower)? {
                return Ok(found.into_node());
            }
        }
        Err(ENOENT)
    }

    fn node_removed(&self, _tree: &EventTree, _node: Drained<'_, Meta>) {
        // The directory itself belongs to tracefs.
    }
}

/// Removes the nodes of cached directories that have vanished from tracefs: of groups of events,
/// and of events. Invalidates listings. May sleep.
///
/// No path walk leads to such a directory in any case. This frees its memory, and detaches what is
/// mounted on it. Nodes without dentries are removed when their parent is next opened.
pub(crate) fn prune_stale(tree: &EventTree) {
    tree.invalidate_listings();
    let mut index = 0;
    while let Some(view) = tree.view(index) {
        prune_stale_in(tree, &view);
        index += 1;
    }
}

/// Removes the nodes of directories that are cached in a view and have vanished from tracefs.
fn prune_stale_in(tree: &EventTree, view: &Arc<EventView>) {
    let Some(active) = view.get_active() else {
        return;
    };
    let sb = active.super_block();
    let prune = |dir: &ActiveDentry<'_>, below: &mut dyn FnMut(&ActiveDentry<'_>)| {
        let Some(node) = dir.data_in(sb) else {
            return;
        };
        let reader = tree.nodes().read();
        for child in node.children(&reader).filter_map(|seen| seen.try_get()) {
            let Some(dentry) = dir.cached_child(child.name()) else {
                continue;
            };
            if dentry.is_current() {
                below(&dentry);
            } else if dentry.data_in(sb).is_some_and(|of| ptr::eq(of, &*child)) {
                // The dentry is not that of an earlier node of the same name.
                tree.remove(&child);
            }
        }
    };
    let events = active
        .root()
        .ok()
        .and_then(|root| root.cached_child(EVENTS));
    if let Some(events) = events {
        prune(&events, &mut |group| prune(group, &mut |_event| {}));
    }
}
