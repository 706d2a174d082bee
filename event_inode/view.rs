// SPDX-License-Identifier: GPL-2.0

//! Views: what one super block shows of a tree.
//!
//! A view has a root node and mount options. The nodes, and what `chmod` and `chown` changed,
//! belong to the tree, so that views of one tree agree on them (L15).
//!
//! The view of the whole tree is made once. A view is on the list of its tree from the time that
//! its super block is filled in until that is shut down. Removal goes through that list.

use super::{
    ancestor_at,
    attr::{
        Attr,
        AttrMask,
        AttrWriteGuard, //
    },
    depth_of,
    meta::{
        Meta,
        MetaRef, //
    },
    options::{
        MountOptions,
        ViewOptions, //
    },
    tree::{
        EventTree,
        MountedViews, //
    },
    EventFs,
    EventInode,
    Private, //
};
use crate::{
    nodes::{
        Node, //
        NodeData,
    },
    vfs::{
        New,
        SharedView,
        SuperBlock, //
    },
};
use core::ptr;
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    sync::{
        atomic::Full,
        barrier::smp_mb,
        Arc, //
    },
};

/// The permission bits of the root directory if no option sets them.
pub(super) const DEFAULT_MODE: u16 = 0o700;

/// A view with the link to its super block.
pub(crate) type EventView = SharedView<EventFs>;

/// The part of a tree that one super block shows, with mount options.
pub(crate) struct View {
    /// The node of the root directory. Dropped before the tree, which waits for it.
    root: MetaRef,
    /// The mount options in force.
    options: ViewOptions,
    /// The tree.
    tree: Arc<EventTree>,
}

/// The mode and the owner of an inode.
pub(super) struct InodeAttr {
    /// The permission bits.
    pub(super) mode: u16,
    /// The owner.
    pub(super) uid: u32,
    /// The group.
    pub(super) gid: u32,
}

impl View {
    /// The view of a whole tree. No super block shows it yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn of_tree(tree: Arc<EventTree>) -> Result<Arc<EventView>> {
        let view = Self {
            root: tree.nodes().root()?,
            options: ViewOptions::new(),
            tree,
        };
        Arc::pin_init(SharedView::new(view), GFP_KERNEL)
    }

    /// The tree.
    pub(crate) fn tree(&self) -> &EventTree {
        &self.tree
    }

    /// The node of the root directory.
    pub(super) fn root(&self) -> &MetaRef {
        &self.root
    }

    /// The mount options in force.
    pub(super) fn options(&self) -> &ViewOptions {
        &self.options
    }

    /// Whether the view shows a node: the root, or a node below it.
    pub(super) fn shows(&self, node: &Node<Meta>) -> bool {
        // All nodes are below the root of the tree.
        self.root.parent().is_none()
            || ptr::eq(ancestor_at(node, depth_of(&self.root)), &*self.root)
    }

    /// Applies the options of the first mount (U23). May sleep.
    pub(super) fn configure(sb: &SuperBlock<EventFs, New>, options: &MountOptions) {
        let this = sb.view();
        let views = this.tree.views();
        let write = this.tree.write_attr();
        this.options.reset(&write);
        let all = AttrMask {
            mode: true,
            uid: true,
            gid: true,
        };
        this.apply(sb, options, all, &views, &write);
    }

    /// Applies the options of a remount or of another mount (U14). May sleep.
    pub(super) fn reconfigure(sb: &SuperBlock<EventFs>, options: &MountOptions) {
        let this = sb.view();
        let views = this.tree.views();
        let write = this.tree.write_attr();
        this.apply(sb, options, options.attr_mask(), &views, &write);
    }

    /// Applies the options that were given, unsets the changed attributes of `forget`, and brings
    /// all inodes up to date.
    fn apply<S>(
        &self,
        sb: &SuperBlock<EventFs, S>,
        options: &MountOptions,
        forget: AttrMask,
        views: &MountedViews,
        write: &AttrWriteGuard<'_>,
    ) {
        self.options.apply(options, write);
        if options.sets_mode() {
            if let Some(attr) = self.root.payload().attr() {
                attr.own.mode.set(None, write.guard());
            }
        }
        if forget.uid || forget.gid {
            write.guard().for_each(|node| {
                if self.shows(node) {
                    node.payload().forget_attr(forget, write.guard());
                }
            });
        }
        sb.for_each_inode(|inode| self.apply_attr(inode));
        // Changed attributes belong to the tree: other views have lost them, too.
        for mounted in views.iter().filter(|other| !ptr::eq(&**other.view, self)) {
            if let Some(active) = mounted.view.get_active() {
                let sb = active.super_block();
                sb.for_each_inode(|inode| mounted.view.apply_attr(inode));
            }
        }
    }

    /// Prints the options for `/proc/mounts`.
    pub(super) fn show_options(&self, m: &SeqFile) {
        self.options.show(m);
    }

    /// The mode and the owner of a node (no `entry`) or of a file of its table. `mode` is the mode
    /// that the provider has given.
    pub(super) fn attr_of(&self, node: &Node<Meta>, entry: Option<usize>, mode: u16) -> InodeAttr {
        let meta = node.payload();
        let changed = meta.attr_of(entry);
        let default = if entry.is_none() && ptr::eq(node, &*self.root) {
            self.options.mode()
        } else {
            mode
        };
        let (uid, gid) = self.owner_of(meta, changed);
        InodeAttr {
            mode: changed
                .and_then(|attr| attr.mode.get())
                // CAST: Only permission bits are saved.
                .map_or(default, |mode| mode as u16),
            uid,
            gid,
        }
    }

    /// The owner and the group of a node or of a file of its table, whose own were changed to
    /// `changed`.
    fn owner_of(&self, meta: &NodeData<Meta>, changed: Option<&Attr>) -> (u32, u32) {
        let base = meta.attr();
        let uid = changed
            .and_then(|attr| attr.uid.get())
            .or_else(|| base?.base_uid());
        let gid = changed
            .and_then(|attr| attr.gid.get())
            .or_else(|| base?.base_gid());
        (
            uid.unwrap_or_else(|| self.options.uid()),
            gid.unwrap_or_else(|| self.options.gid()),
        )
    }

    /// Brings the mode and the owner of an inode up to date. The caller holds the tree lock, or
    /// checks the number of changes as [`Self::sync_attrs`] does.
    pub(super) fn apply_attr(&self, inode: &EventInode) {
        if let Some(private) = inode.private() {
            let attr = self.attr_of(private.node(), private.entry, private.mode);
            inode.set_mode_and_owner(attr.mode, attr.uid, attr.gid);
        }
    }

    /// Brings the mode and the owner of a new inode up to date, which the super block lists by now.
    /// May sleep.
    ///
    /// A change of attributes either walks over the inode, or is noticed here by the number of
    /// changes. So look-ups do not take the tree lock for that, and do not wait for each other.
    pub(super) fn sync_attrs(&self, inode: &EventInode) {
        let seq = self.tree.attr_seq();
        if let Some(before) = seq.begin_read() {
            self.apply_attr(inode);
            smp_mb(Full);
            if seq.is(before) {
                return;
            }
        }
        let _guard = self.tree.nodes().lock();
        self.apply_attr(inode);
    }

    /// Brings the inode of `changed` up to date in this view, if the view has it in memory.
    pub(super) fn apply_attr_like(&self, sb: &SuperBlock<EventFs>, changed: &Private) {
        sb.for_each_inode(|inode| {
            let same = |private: &Private| {
                ptr::eq(private.node(), changed.node()) && private.entry == changed.entry
            };
            if inode.private().is_some_and(same) {
                self.apply_attr(inode);
            }
        });
    }
}
