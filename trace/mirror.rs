// SPDX-License-Identifier: GPL-2.0

//! Which of tracefs's directories and files there are: the events, and the files of the root.
//!
//! tracefs itself is the authority. A directory there becomes a node here when it is first seen, in
//! a look-up of its name or when the directory that it is in is opened. Its inode keeps the dentry
//! there, as an overlay's does, and is good as long as that dentry is; so what vanishes below, by
//! whatever way, has gone above at the next path walk. A node knows the inode number of its
//! directory there, which tells it from a later one of the same name.
//!
//! A listing of a directory of tracefs is a hint only: it may be older than what a look-up has
//! found meanwhile. Where it contradicts the nodes, a look-up there decides.

use super::forward;
use crate::{
    event_inode::{
        EventInode,
        EventTree,
        Meta,
        MetaRef,
        Provider,
        Table,
        Target, //
    },
    nodes::Node,
    vfs::{
        lower::InternalMount,
        Dentry,
        DentryRef,
        Held,
        PERMISSIONS, //
    },
};
use core::{
    any::Any,
    ptr, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// The directory of tracefs's root that is shown; the others are for later.
const EVENTS: &[u8] = b"events";

/// How often a name may change its meaning while it is looked up, before the look-up gives up.
const RETRIES: usize = 8;

/// The events and the control files of the running kernel.
#[pin_data]
pub(crate) struct Mirror {
    /// Our own mount of tracefs, there as long as the nodes are, whoever else mounts it or not.
    mount: InternalMount,
    /// The tables in use: directories with the same files share one. There are a few, one for each
    /// kind of event.
    #[pin]
    tables: Mutex<KVec<Arc<Table>>>,
}

/// A directory of tracefs, as it was listed.
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
    /// `ENODEV`: the kernel has no tracefs. Whatever it fails to mount with.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            mount: InternalMount::tracefs()?,
            tables <- new_mutex!(KVec::new(), "eventfs_tables"),
        })
    }
}

/// Whether a directory of tracefs is shown here.
fn is_shown(parent: &Dentry, name: &[u8]) -> bool {
    !parent.is_root() || name == EVENTS
}

impl Mirror {
    /// The directory of tracefs that a node stands for.
    fn lower_of(&self, node: &Node<Meta>) -> Result<DentryRef> {
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

    /// Reads a directory of tracefs.
    fn list(&self, lower: &Dentry) -> Result<Listing> {
        let mut listing = Listing {
            files: KVec::new(),
            dirs: KVVec::new(),
        };
        self.mount.list(lower, 0, |name, number, directory| {
            if directory && !is_shown(lower, name) {
                return Ok(());
            }
            let mut own = KVec::with_capacity(name.len(), GFP_KERNEL)?;
            own.extend_from_slice(name, GFP_KERNEL)?;
            if directory {
                listing.dirs.push((own, number), GFP_KERNEL)?;
            } else {
                listing.files.push(own, GFP_KERNEL)?;
            }
            Ok(())
        })?;
        Ok(listing)
    }

    /// The table for these names: one that is in use, or a new one.
    fn table(&self, names: KVec<KVec<u8>>) -> Result<Arc<Table>> {
        let mut tables = self.tables.lock();
        let same = |table: &&Arc<Table>| {
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
        let table = Arc::new(Table::new(names), GFP_KERNEL)?;
        tables.push(table.clone(), GFP_KERNEL)?;
        Ok(table)
    }

    /// Whether a node is tracefs's, as the directory that it is in is.
    fn is_ours(dir: &Node<Meta>, child: &Node<Meta>) -> bool {
        Arc::ptr_eq(child.payload().provider(), dir.payload().provider())
    }

    /// Finds, or makes, the node for what a name in tracefs leads to. `None`: it has changed
    /// meanwhile, look again.
    fn settle(
        tree: &EventTree,
        dir: &Node<Meta>,
        name: &[u8],
        lower: &Dentry,
    ) -> Result<Option<MetaRef>> {
        let identity = lower.inode_number();
        let directory = lower.is_directory();
        if let Some(known) = tree.child(dir, name) {
            let meta = known.payload();
            if !Self::is_ours(dir, &known) {
                return Ok(None);
            }
            if meta.word() == identity && meta.is_directory() == directory {
                return Ok(Some(known));
            }
            // Either the node is that of an earlier directory, or what was looked up is.
            if lower.is_current() {
                tree.remove(&known);
            }
            return Ok(None);
        }
        let kind = if directory {
            dir.payload().kind().clone()
        } else {
            dir.payload().kind().of_files()?
        };
        match tree.add(dir, name, kind, identity) {
            Ok(node) => Ok(Some(node)),
            // Somebody else was faster.
            Err(error) if error == EEXIST => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks tracefs for a name, and makes the nodes agree.
    fn resolve(
        &self,
        tree: &EventTree,
        dir: &Node<Meta>,
        lower_dir: &Dentry,
        name: &[u8],
    ) -> Result<Option<Target>> {
        for _ in 0..RETRIES {
            // Before the question: the answer says nothing of a node that came later.
            let known = tree.child(dir, name);
            // What a module has published hides what tracefs has.
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
            let permissions = lower.mode() & PERMISSIONS;
            if lower.is_directory() {
                if !is_shown(lower_dir, name) {
                    return Ok(None);
                }
                if let Some(node) = Self::settle(tree, dir, name, &lower)? {
                    return Ok(Some(Target {
                        node,
                        entry: None,
                        permissions,
                        operations: None,
                        lower: Some(lower),
                        foreign: None,
                    }));
                }
                continue;
            }
            if !lower.is_regular() {
                return Ok(None);
            }
            let entry = dir.payload().table().and_then(|table| table.position(name));
            let node = match entry {
                Some(_) => Some(dir.into()),
                None => Self::settle(tree, dir, name, &lower)?,
            };
            if let Some(node) = node {
                return Ok(Some(Target {
                    node,
                    entry,
                    permissions,
                    operations: Some(forward::operations_for(&lower)),
                    lower: Some(lower),
                    foreign: None,
                }));
            }
        }
        // Path walks try once more, and then tell.
        Err(ESTALE)
    }

    /// Whether a listing of tracefs's directory says what is known already, in the same order.
    ///
    /// That is what it mostly does, and costs little more than the listing itself.
    fn is_as_listed(&self, tree: &EventTree, node: &Node<Meta>, lower: &Dentry) -> bool {
        let Some(table) = node.payload().table() else {
            return false;
        };
        let mut files = table.names().iter();
        let reader = tree.nodes().read();
        let mut children = node
            .children(&reader)
            .filter_map(|seen| seen.get())
            .filter(|child| Self::is_ours(node, child));
        let compared = self.mount.list(lower, 0, |name, number, directory| {
            let same = if !directory {
                files.next().is_some_and(|file| file.as_slice() == name)
            } else if is_shown(lower, name) {
                children.next().is_some_and(|child| {
                    let meta = child.payload();
                    meta.is_directory() && meta.word() == number && child.name() == name
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

    /// Whether nothing has come or gone in tracefs's directory since a listing of it said what is
    /// known. It may also say no if that is so.
    ///
    /// The kernel's eventfs appends a new directory to its list, and counts positions: first all
    /// files, then the directories. If as many as were listed are there, and the newest of them is
    /// the last, then none was added, for it would come behind that one, and so none was removed.
    fn is_unchanged(&self, tree: &EventTree, node: &Node<Meta>, lower: &Dentry) -> bool {
        let checked = || {
            // The root is of another kind.
            let files = node.payload().table().filter(|_| !lower.is_root())?;
            let (children, newest) = tree.nodes().lock().checked(node)?;
            Some((files.names().len() + children - 1, newest))
        };
        let Some((others, newest)) = checked() else {
            return false;
        };
        let mut found = false;
        let listed = self.mount.list(lower, others, |name, number, directory| {
            let meta = newest.payload();
            let same = directory
                && Self::is_ours(node, &newest)
                && meta.is_directory()
                && meta.word() == number
                && newest.name() == name;
            if found || !same {
                return Err(EAGAIN);
            }
            found = true;
            Ok(())
        });
        listed.is_ok() && found
    }

    /// Whether the nodes below a directory are known to be what tracefs's directory says.
    fn is_up_to_date(&self, tree: &EventTree, node: &Node<Meta>, lower: &Dentry) -> bool {
        if !node.payload().is_complete() {
            return false;
        }
        if self.is_unchanged(tree, node, lower) {
            return true;
        }
        let version = tree.nodes().lock().version(node);
        let right = self.is_as_listed(tree, node, lower);
        if let Some(version) = version.filter(|_| right) {
            tree.nodes().lock().set_checked(node, version);
        }
        right
    }

    /// Makes the nodes below a directory what a listing of tracefs's directory says.
    fn take_in(&self, tree: &EventTree, node: &Node<Meta>, lower: &Dentry) -> Result {
        if self.is_up_to_date(tree, node, lower) {
            return Ok(());
        }
        let mut listing = self.list(lower).map_err(|error| {
            // A directory that has vanished meanwhile cannot be read, in one way or another.
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
        for (name, number) in &listing.dirs {
            listed.push((name.as_slice(), *number), GFP_KERNEL)?;
            match tree.child(node, name) {
                Some(known) if known.payload().word() == *number => {}
                Some(_) => drop(self.resolve(tree, node, lower, name)?),
                None => self.take_in_dir(tree, node, name, *number)?,
            }
        }
        // What is known, but was not listed, has probably gone: tracefs is asked. Nodes of others
        // are not looked at.
        listed.sort_unstable();
        for child in children(tree, node)? {
            let meta = child.payload();
            let is_listed = || {
                let key = (child.name(), meta.word());
                listed.binary_search(&key).is_ok()
            };
            if Self::is_ours(node, &child) && !(meta.is_directory() && is_listed()) {
                self.resolve(tree, node, lower, child.name())?;
            }
        }
        // The root of tracefs gets new files now and then.
        let table = node.payload().table();
        for name in &listing.files {
            let has = table.is_some_and(|table| table.position(name).is_some());
            if !has && tree.child(node, name).is_none() {
                self.resolve(tree, node, lower, name)?;
            }
        }
        node.payload().set_complete();
        Ok(())
    }

    /// Makes a node for a directory that was listed and is not known.
    fn take_in_dir(
        &self,
        tree: &EventTree,
        parent: &Node<Meta>,
        name: &[u8],
        identity: u64,
    ) -> Result {
        match tree.add(parent, name, parent.payload().kind().clone(), identity) {
            // Somebody else was faster. Who is right turns out at the next look-up.
            Err(error) if error == EEXIST => Ok(()),
            added => added.map(drop),
        }
    }
}

impl Provider for Mirror {
    fn find(&self, dir: &EventInode, name: &[u8]) -> Result<Option<Target>> {
        let node = dir.private().ok_or(ENOENT)?.node();
        let lower = dir.lower().ok_or(ENOENT)?;
        let tree = dir.super_block().instance();
        // A directory that is looked into for the first time is taken in as a whole, so that it is
        // listed in the order of tracefs.
        if !node.payload().is_complete() {
            self.take_in(tree, node, lower)?;
        }
        self.resolve(tree, node, lower, name)
    }

    fn describe(&self, dir: &EventInode, node: &Node<Meta>) -> Result<Option<Target>> {
        self.find(dir, node.name())
    }

    fn has_file(&self, _dir: &Node<Meta>, _entry: usize) -> bool {
        // A table is what tracefs has listed.
        true
    }

    fn refresh(&self, dir: &EventInode) -> Result {
        let node = dir.private().ok_or(ENOENT)?.node();
        let lower = dir.lower().ok_or(ENOENT)?;
        self.take_in(dir.super_block().instance(), node, lower)
    }

    fn lower(&self) -> Option<&InternalMount> {
        Some(&self.mount)
    }

    fn check_free(&self, tree: &EventTree, dir: &Node<Meta>, name: &[u8]) -> Result {
        // As in `resolve()`: before the question.
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

    fn known_dir(&self, tree: &EventTree, dir: &Node<Meta>, name: &[u8]) -> Result<MetaRef> {
        let lower = self.lower_of(dir)?.lookup(name)?;
        if !lower.is_directory() {
            return Err(ENOENT);
        }
        for _ in 0..RETRIES {
            if let Some(node) = Self::settle(tree, dir, name, &lower)? {
                return Ok(node);
            }
        }
        Err(ENOENT)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn removed(&self, _tree: &EventTree, _node: &Node<Meta>) {
        // What a node stands for is tracefs's business.
    }
}

/// The children that a node has now. May sleep.
fn children(tree: &EventTree, node: &Node<Meta>) -> Result<KVVec<MetaRef>> {
    let reader = tree.nodes().read();
    let mut children = KVVec::new();
    for child in node.children(&reader).filter_map(|seen| seen.get()) {
        children.push(child, GFP_KERNEL)?;
    }
    Ok(children)
}

/// Removes the nodes of directories in the cache that have vanished from tracefs: of groups, and of
/// their events. May sleep.
///
/// Path walks do not lead there in any case; this is for the memory, and for what is mounted there.
/// Nodes without dentries are found when their directory is next opened.
pub(crate) fn forget_vanished(tree: &EventTree) {
    tree.doubt();
    let Some(active) = tree.active_super() else {
        return;
    };
    let sb = active.super_block();
    let forget = |dir: &Held<'_>, below: &mut dyn FnMut(&Held<'_>)| {
        let Some(node) = dir.data_in(sb) else {
            return;
        };
        let reader = tree.nodes().read();
        for child in node.children(&reader).filter_map(|seen| seen.get()) {
            let Some(dentry) = dir.cached_child(child.name()) else {
                continue;
            };
            if dentry.is_current() {
                below(&dentry);
            } else if dentry.data_in(sb).is_some_and(|of| ptr::eq(of, &*child)) {
                // Not that of an earlier node of the same name.
                tree.remove(&child);
            }
        }
    };
    let events = active.root().ok();
    if let Some(events) = events.and_then(|root| root.cached_child(EVENTS)) {
        forget(&events, &mut |group| forget(group, &mut |_event| {}));
    }
}
