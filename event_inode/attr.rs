// SPDX-License-Identifier: GPL-2.0

//! Owners and modes that outlive the inode.
//!
//! `chmod`, `chown` and `chgrp` change the inode, which may be evicted, so that the change is saved
//! in the node as well (U13). A new node saves the owner of its parent (U15). Saved attributes
//! belong to the tree: all of its views show them.
//!
//! All changes are made under the tree lock, by the holder of an [`AttrWriteGuard`]. It makes
//! [`AttrSeq`] odd, by which a look-up notices a change that it may have missed: see
//! [`View::sync_attrs`](super::view::View::sync_attrs).

use super::{
    meta::Meta,
    tree::EventTree, //
};
use crate::nodes::{
    NodeData,
    OnceBox,
    TreeGuard, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed, //
    },
};

/// An attribute that was set, or was not.
pub(super) struct Saved(Atomic<u64>);

impl Saved {
    /// A bit above the 32 bits of a value.
    const SET: u64 = 1 << 32;

    /// An attribute that is not set.
    const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// The value, if one was set. Needs no lock.
    pub(super) fn get(&self) -> Option<u32> {
        let value = self.0.load(Relaxed);
        // CAST: The lower half is the value.
        (value & Self::SET != 0).then_some(value as u32)
    }

    /// Sets the value, or unsets it. The caller holds the tree lock.
    pub(super) fn set(&self, value: Option<u32>, _guard: &TreeGuard<'_, Meta>) {
        let value = value.map_or(0, |value| Self::SET | u64::from(value));
        self.0.store(value, Relaxed);
    }
}

/// A set of attributes.
#[derive(Clone, Copy, Default)]
pub(super) struct AttrMask {
    /// The mode.
    pub(super) mode: bool,
    /// The owner.
    pub(super) uid: bool,
    /// The group.
    pub(super) gid: bool,
}

/// Attributes that `chmod`, `chown` or `chgrp` has changed.
pub(super) struct Attr {
    /// The permission bits.
    pub(super) mode: Saved,
    /// The owner, as the initial user namespace numbers it.
    pub(super) uid: Saved,
    /// The group, likewise.
    pub(super) gid: Saved,
}

impl Attr {
    /// Attributes of which none was changed.
    const fn new() -> Self {
        Self {
            mode: Saved::new(),
            uid: Saved::new(),
            gid: Saved::new(),
        }
    }

    /// Unsets the attributes of the mask.
    fn forget(&self, mask: AttrMask, guard: &TreeGuard<'_, Meta>) {
        if mask.mode {
            self.mode.set(None, guard);
        }
        if mask.uid {
            self.uid.set(None, guard);
        }
        if mask.gid {
            self.gid.set(None, guard);
        }
    }
}

/// Attributes of a node and of its files that differ from those of the mount.
pub(crate) struct NodeAttr {
    /// The changed attributes of the node itself.
    pub(super) own: Attr,
    /// The owner of the parent when the node was added. The files of the node have it, too.
    base_uid: Saved,
    /// The group of the parent, likewise.
    base_gid: Saved,
    /// The changed attributes of the files, by index.
    files: OnceBox<KVVec<Attr>>,
}

impl NodeAttr {
    /// The owner of the node and of its files, unless their own was changed.
    pub(super) fn base_uid(&self) -> Option<u32> {
        self.base_uid.get()
    }

    /// The group, likewise.
    pub(super) fn base_gid(&self) -> Option<u32> {
        self.base_gid.get()
    }
}

impl NodeData<Meta> {
    /// The saved attributes of the node, if it has any.
    pub(super) fn attr(&self) -> Option<&NodeAttr> {
        self.ext()?.attr.get()
    }

    /// The changed attributes of the node (no `entry`), or of a file of the directory.
    pub(super) fn attr_of(&self, entry: Option<usize>) -> Option<&Attr> {
        let attr = self.attr()?;
        match entry {
            None => Some(&attr.own),
            Some(entry) => attr.files.get()?.get(entry),
        }
    }

    /// The saved attributes of the node, allocated on first use. May sleep.
    pub(super) fn make_attr(&self) -> Result<&NodeAttr> {
        self.make_ext()?.attr.get_or_try_init(|| {
            let attr = NodeAttr {
                own: Attr::new(),
                base_uid: Saved::new(),
                base_gid: Saved::new(),
                files: OnceBox::new(),
            };
            Ok(KBox::new(attr, GFP_KERNEL)?)
        })
    }

    /// The changed attributes of the node (no `entry`), or of a file of the directory, allocated on
    /// first use. May sleep.
    pub(super) fn make_attr_of(&self, entry: Option<usize>) -> Result<&Attr> {
        let attr = self.make_attr()?;
        let Some(entry) = entry else {
            return Ok(&attr.own);
        };
        let count = self.table().ok_or(ENODEV)?.names().len();
        let files = attr.files.get_or_try_init(|| {
            let mut files = KVVec::with_capacity(count, GFP_KERNEL)?;
            for _ in 0..count {
                files.push(Attr::new(), GFP_KERNEL)?;
            }
            Ok(KBox::new(files, GFP_KERNEL)?)
        })?;
        files.get(entry).ok_or(ENODEV)
    }

    /// Makes a new node, which is not linked yet, inherit the owner of its parent, if that is not
    /// the owner of the mount (U15). [`Self::make_attr`] has allocated the place.
    pub(super) fn inherit_owner(&self, parent: &NodeData<Meta>, guard: &TreeGuard<'_, Meta>) {
        let (Some(attr), Some(of_parent)) = (self.attr(), parent.attr()) else {
            return;
        };
        let uid = of_parent.own.uid.get().or(of_parent.base_uid());
        let gid = of_parent.own.gid.get().or(of_parent.base_gid());
        attr.base_uid.set(uid, guard);
        attr.base_gid.set(gid, guard);
    }

    /// Unsets attributes of the node and of its files.
    pub(super) fn forget_attr(&self, mask: AttrMask, guard: &TreeGuard<'_, Meta>) {
        let Some(attr) = self.attr() else {
            return;
        };
        attr.own.forget(mask, guard);
        if mask.uid {
            attr.base_uid.set(None, guard);
        }
        if mask.gid {
            attr.base_gid.set(None, guard);
        }
        for file in attr.files.get().into_iter().flatten() {
            file.forget(mask, guard);
        }
    }
}

/// The number of changes of attributes in a tree, times two: odd while a change is being made.
pub(super) struct AttrSeq(Atomic<u64>);

impl AttrSeq {
    /// No changes.
    pub(super) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// The number, to compare with a later one; `None` while a change is being made.
    pub(super) fn begin_read(&self) -> Option<u64> {
        let seq = self.0.load(Acquire);
        (seq & 1 == 0).then_some(seq)
    }

    /// Whether the number is still `seq`. The caller orders this behind its accesses.
    pub(super) fn is(&self, seq: u64) -> bool {
        self.0.load(Relaxed) == seq
    }
}

/// The right to change attributes: the tree lock, while [`AttrSeq`] is odd.
pub(super) struct AttrWriteGuard<'a> {
    /// The number of changes.
    seq: &'a AttrSeq,
    /// The tree lock.
    guard: TreeGuard<'a, Meta>,
}

impl<'a> AttrWriteGuard<'a> {
    /// Begins a change, with the tree lock of `tree`.
    pub(super) fn new(tree: &'a EventTree, guard: TreeGuard<'a, Meta>) -> Self {
        let seq = tree.attr_seq();
        // Full: orders the number before anything that is written, and before the walk over the
        // inodes.
        seq.0.fetch_add(1, Full);
        Self { seq, guard }
    }

    /// The tree lock.
    pub(super) fn guard(&self) -> &TreeGuard<'a, Meta> {
        &self.guard
    }
}

impl Drop for AttrWriteGuard<'_> {
    fn drop(&mut self) {
        // Full: orders all that was written before the number. The tree lock is dropped behind it.
        self.seq.0.fetch_add(1, Full);
    }
}
