// SPDX-License-Identifier: GPL-2.0

//! eventfs: a file system whose dentries and inodes are instantiated when they are looked up.
//!
//! A tree of nodes holds the directories, and a table, shared by all directories of one kind, holds
//! the names of the files in each of them. The content behind a node comes from its [`Provider`].
//! This file turns nodes into dentries and inodes, and takes both back when a node is removed. It
//! follows a path walk: mount, look-up, revalidation, attributes, open directory; then removal.
//!
//! Marks such as (L3) and (U14) refer to the rules in `Documentation/design.md` and to the rows of
//! `Documentation/upstream-defects.md`.
//!
//! # Who owns what
//!
//! A dentry (`d_fsdata`) and an inode each own a reference to a node: to that of the directory, or,
//! for a file of a table, to that of the directory that the file is in. An open directory owns
//! references to the dentries that it has pinned. A node has no pointer to its dentry: removal
//! finds the dentry by name, from the root of the super block down (L5).
//!
//! # Locks
//!
//! The `i_rwsem` of a directory or `s_umount`, then the list of views, then the tree lock, then the
//! locks of the dcache and that of [`vfs::SharedView`]. Providers are called without the list and
//! without the tree lock (L3).
//!
//! Corresponds to [`fs/tracefs/event_inode.c`](srctree/fs/tracefs/event_inode.c).

mod attr;
mod meta;
mod options;
mod provider;
mod readdir;
mod tree;
mod view;

pub(crate) use self::{
    meta::{
        FileTable,
        Kind,
        Meta,
        MetaRef, //
    },
    provider::{
        Found,
        Provider, //
    },
    tree::EventTree,
    view::{
        EventView,
        View, //
    },
};

use self::{
    options::MountOptions,
    readdir::OpenDir, //
};
use crate::{
    nodes::{
        DrainedNodes,
        Node,
        RcuNode,
        Removed,
        NAME_MAX, //
    },
    vfs::{
        self,
        dir::DirVTable,
        foreign,
        ActiveDentry,
        CollectedDentry,
        FileSystem,
        Inode,
        InodeInit,
        InodeKind,
        New,
        NewInode,
        SetAttr,
        SuperBlock,
        UnhashedDentry, //
    },
};
use core::ptr;
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    str::CStr,
    sync::{
        atomic::Full,
        barrier::smp_mb,
        Arc, //
    },
};

/// The file system.
pub(crate) struct EventFs;

/// A file of another module, tied to the node that it was given for.
pub(crate) type ForeignFile = foreign::ForeignFile<MetaRef>;

/// An inode of eventfs.
pub(crate) type EventInode = Inode<EventFs>;

/// The data of an inode of eventfs.
pub(crate) struct Private {
    /// The node: see [`Found::node`].
    node: MetaRef,
    /// The index of the file in the table of the node: see [`Found::entry`].
    entry: Option<usize>,
    /// The permission bits, unless they were changed: see [`Found::mode`].
    mode: u16,
    /// The file of another module that the inode stands for.
    foreign: Option<ForeignFile>,
}

impl Private {
    /// The node: see [`Found::node`].
    pub(crate) fn node(&self) -> &Node<Meta> {
        &self.node
    }

    /// The file of another module that the inode stands for.
    pub(crate) fn foreign(&self) -> Option<&ForeignFile> {
        self.foreign.as_ref()
    }
}

impl FileSystem for EventFs {
    const NAME: &'static CStr = c"eventfs";
    const INODE_CACHE: &'static CStr = c"eventfs_inode_cache";
    /// "evfs".
    const MAGIC: c_ulong = 0x6576_6673;
    const OPTIONS: &'static [vfs::fs_context::OptionSpec<MountOptions>] = MountOptions::TABLE;

    type OwnerModule = crate::LocalModule;
    type Options = MountOptions;
    type Instance = EventView;
    type View = View;
    type Inode = Private;
    type Dentry = MetaRef;

    fn view(whole_tree: &Arc<EventView>, _options: &MountOptions) -> Result<Arc<EventView>> {
        Ok(whole_tree.clone())
    }

    fn root(sb: &SuperBlock<Self, New>) -> Result<(NewInode<'_, Self>, MetaRef)> {
        let view = sb.view();
        let node = view.root();
        let mut found = Found::directory(node.clone(), view::DEFAULT_MODE);
        if let Some(mount) = node.payload().provider().lower() {
            found = found.with_lower(mount.root()?);
        }
        Ok((new_inode(sb, found)?, node.clone()))
    }

    fn configure(sb: &SuperBlock<Self, New>, options: &MountOptions) -> Result {
        // A removal that looks at the list from now on finds the dentries of this super block.
        sb.view().tree().add_view(sb.shared_view().into())?;
        View::configure(sb, options);
        Ok(())
    }

    fn reconfigure(sb: &SuperBlock<Self>, options: &MountOptions) {
        View::reconfigure(sb, options);
    }

    fn show_options(view: &View, m: &SeqFile) {
        view.show_options(m);
    }

    fn shut_down(view: &EventView) {
        view.tree().remove_view(view);
    }

    fn lookup(dir: &EventInode, dentry: UnhashedDentry<'_, Self>) -> Result {
        let name = dentry.name();
        if name.len() > NAME_MAX {
            return Err(ENAMETOOLONG);
        }
        let parent = dir.private().ok_or(ENOENT)?.node();
        if parent.is_dead() {
            return Ok(());
        }
        let sb = dir.super_block();
        let known = sb.view().tree().child(parent, name);
        let owner = known.clone();
        let provider = owner.as_deref().unwrap_or(parent).payload().provider();
        let Some(found) = provider.lookup(dir, name, known)? else {
            // Nothing remembers that the name does not exist (L8).
            return Ok(());
        };

        let node = found.node.clone();
        let inode = new_inode(sb, found)?;
        sb.view().sync_attrs(inode.inode());
        let spliced = dentry.splice(inode, node.clone())?;

        // A removal marks the node dead, and then searches the dcache, with a barrier in between as
        // here. So either the removal finds the dentry, or the mark is visible here (L7).
        smp_mb(Full);
        if node.is_dead() {
            spliced.undo();
            // The name may have been added again: the path walk looks again.
            return Err(ESTALE);
        }
        Ok(())
    }

    fn is_stale(node: RcuNode<'_, Meta>) -> bool {
        node.is_dead()
    }

    fn set_attributes(inode: &EventInode, change: SetAttr<'_>) -> Result {
        let private = inode.private().ok_or(ENODEV)?;
        let meta = private.node.payload();
        if private.node.is_dead() {
            return Err(ENODEV);
        }
        change.check()?;

        // Entries that exist before the owner of their directory changes do not inherit the new
        // owner: they are added before it changes.
        let (mode, uid, gid) = (change.mode(), change.uid(), change.gid());
        if inode.is_directory() && (uid || gid) {
            meta.provider().sync(inode)?;
        }
        // Times and sizes belong to the inode alone, and are not saved.
        if !(mode || uid || gid) {
            change.resize();
            change.apply();
            return Ok(());
        }
        let attr = meta.make_attr_of(private.entry)?;
        change.resize();

        let own = inode.super_block().view();
        let views = own.tree().views();
        let write = own.tree().write_attr();
        if private.node.is_dead() {
            return Err(ENODEV);
        }
        // A remount may have changed the owner meanwhile (U31). This does not sleep, since the
        // inode has no extended attributes that it could remove.
        change.check()?;
        change.apply();
        let (owner, group) = inode.owner();
        if mode {
            let mode = inode.mode() & vfs::PERMISSIONS;
            attr.mode.set(Some(mode.into()), write.guard());
        }
        if uid {
            attr.uid.set(Some(owner), write.guard());
        }
        if gid {
            attr.gid.set(Some(group), write.guard());
        }
        // Other views show the same attributes.
        for mounted in views.iter().filter(|other| !ptr::eq(&**other.view, own)) {
            if let Some(active) = mounted.view.get_active() {
                mounted.view.apply_attr_like(active.super_block(), private);
            }
        }
        Ok(())
    }
}

/// Makes the inode of a name. May sleep.
fn new_inode<S>(sb: &SuperBlock<EventFs, S>, found: Found) -> Result<NewInode<'_, EventFs>> {
    let meta = found.node.payload();
    let ino = match found.entry {
        None => meta.ino(),
        Some(entry) => meta.file_ino(entry).ok_or(ENOENT)?,
    };
    let kind = match found.fops {
        None => InodeKind::Directory(DirVTable::new::<OpenDir>()),
        Some(fops) => InodeKind::Regular(fops),
    };
    let attr = sb.view().attr_of(&found.node, found.entry, found.mode);
    let init = InodeInit {
        kind,
        ino,
        mode: attr.mode,
        owner: (attr.uid, attr.gid),
        lower: found.lower,
        private: Private {
            node: found.node,
            entry: found.entry,
            mode: found.mode,
            foreign: found.foreign,
        },
    };
    NewInode::new(sb, init)
}

/// Removal (L6).
///
/// Under the tree lock the subtree is unlinked and marked dead, and the dentry of its top is
/// collected in each view. Behind the lock these dentries are invalidated and put, calls that run
/// in the removed nodes are drained, and the providers are notified.
impl EventTree {
    /// Removes a node and all nodes below it. When this returns, no path leads to them. It cannot
    /// fail.
    ///
    /// May sleep. The caller holds neither the tree lock nor the list of views, and no lock that a
    /// call into the provider takes: the removal waits for such calls.
    pub(crate) fn remove(&self, node: &Node<Meta>) {
        drop(self.take_out(node));
    }

    /// Removes a node as [`Self::remove`] does, and returns the removed nodes. `None`: the node was
    /// removed before, or another thread is removing it and may not be done.
    pub(crate) fn take_out(&self, node: &Node<Meta>) -> Option<DrainedNodes<Meta>> {
        let removed = self.unlink(node)?;
        Some(removed.drain(|drained| {
            let provider = drained.node().payload().provider();
            provider.node_removed(self, drained);
        }))
    }

    /// Unlinks a node and all nodes below it from the tree and from the dcache. `None`: this was
    /// done before.
    fn unlink(&self, node: &Node<Meta>) -> Option<Removed<Meta>> {
        // Serialises removals, so that no other one uses the places for collected dentries.
        let mut views = self.views();
        let removed = {
            let mut guard = self.nodes().lock();
            let removed = guard.remove(node)?;
            // Between the mark and the search of the dcache: see `EventFs::lookup()`.
            smp_mb(Full);
            for mounted in views.iter_mut() {
                mounted.collected = collect(&mounted.view, node);
            }
            removed
        };
        for mounted in views.iter_mut() {
            if let Some(collected) = mounted.collected.take() {
                invalidate(&collected, node, &removed);
            }
        }
        Some(removed)
    }
}

/// Collects the dentry of a node in a view, or the last one on the way there. Does not sleep, and
/// allocates nothing.
///
/// The caller holds the tree lock, so that the way to the node does not change, and drops the
/// result behind it (L3).
fn collect(view: &Arc<EventView>, node: &Node<Meta>) -> Option<CollectedDentry<EventFs>> {
    if !view.shows(node) {
        return None;
    }
    CollectedDentry::collect(view, |root| match cached_below(root, view.root(), node) {
        Ok(dentry) | Err(dentry) => dentry,
    })
}

/// Invalidates the collected dentry of a removed node, and those below it. May sleep.
fn invalidate(collected: &CollectedDentry<EventFs>, node: &Node<Meta>, removed: &Removed<Meta>) {
    let top = collected.dentry();
    let is_of_node = top
        .data_in(collected.super_block())
        .is_some_and(|owner| ptr::eq(owner, node));
    if !is_of_node {
        return;
    }
    // Dentries still in use stay allocated but are unhashed, children before parents, so no path
    // reaches them and the last `dput()` frees dentry and node. Nothing new is cached below, since
    // the nodes are dead.
    let unhash = |dentry: &ActiveDentry<'_>, node: &Node<Meta>| {
        for name in node
            .payload()
            .table()
            .into_iter()
            .flat_map(FileTable::names)
        {
            if let Some(file) = dentry.cached_child(name) {
                file.invalidate();
            }
        }
        dentry.invalidate();
    };
    for below in removed.nodes().filter(|below| !ptr::eq(*below, node)) {
        if let Ok(dentry) = cached_below(top.clone(), node, below) {
            unhash(&dentry, below);
        }
    }
    unhash(&top, node);
}

/// The number of directories above a node.
fn depth_of(node: &Node<Meta>) -> usize {
    let mut depth = 0;
    let mut at = node;
    while let Some(parent) = at.parent() {
        depth += 1;
        at = parent;
    }
    depth
}

/// The ancestor of a node (or the node itself) that has `depth` directories above it.
fn ancestor_at(node: &Node<Meta>, depth: usize) -> &Node<Meta> {
    let mut at = node;
    for _ in depth..depth_of(node) {
        at = at.parent().unwrap_or(at);
    }
    at
}

/// Finds the dentry of a node in the dcache, from `top`, the dentry of the ancestor `above`, down.
/// The error is the last dentry on the way: a dentry that is not in the dcache has no descendants
/// there. Does not sleep.
///
/// No dentry is put here for the last time: each is kept by the one below it.
fn cached_below<'a>(
    top: ActiveDentry<'a>,
    above: &Node<Meta>,
    node: &Node<Meta>,
) -> Result<ActiveDentry<'a>, ActiveDentry<'a>> {
    let mut dentry = top;
    for depth in depth_of(above) + 1..=depth_of(node) {
        match dentry.cached_child(ancestor_at(node, depth).name()) {
            Some(child) => dentry = child,
            None => return Err(dentry),
        }
    }
    Ok(dentry)
}
