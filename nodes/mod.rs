// SPDX-License-Identifier: GPL-2.0

//! Trees of reference-counted nodes that are read under SRCU (L1, L2, L6).
//!
//! A node is the metadata of one directory, or of one file that has a name of its own. Nodes know
//! nothing of dentries, inodes and modules.
//!
//! # Ownership
//!
//! - A tree owns a counted reference to each node that is linked in it.
//! - A node owns a reference to its parent, until its own last reference is dropped.
//! - A node owns its data ([`NodeData`]), until its last reference is dropped.
//! - A tree outlives its nodes: its destructor waits for them.
//!
//! # The life of a node
//!
//! 1. [`Tree::prepare`] allocates the node, and all that linking it will need.
//! 2. [`TreeGuard::link`] makes it visible, under the tree lock.
//! 3. [`TreeGuard::remove`] marks it dead and unlinks it, with everything below it, under the tree
//!    lock. Readers do not find it from then on. Readers that have found it before may go on from
//!    there.
//! 4. [`Removed::drain`] waits until no code uses what its provider has lent to it.
//! 5. The last reference is dropped: its data is dropped, and its memory is freed after an SRCU and
//!    then an RCU grace period.
//!
//! # Locks
//!
//! The tree lock ([`TreeGuard`]) orders all changes. It is innermost, and is held for short times
//! only (L3). Readers take no lock: a [`ReadGuard`](tree::ReadGuard) is an SRCU read-side critical
//! section.
//!
//! # Files
//!
//! | file | subject |
//! |---|---|
//! | `node.rs` | nodes, their references, and their memory |
//! | `refcount.rs` | the count of references |
//! | `active.rs` | active references, and draining |
//! | `drain.rs` | the proof that a removed node was drained |
//! | `children.rs` | the list of the children of a node, and its readers |
//! | `tree.rs` | trees: beginning, reading, preparing nodes, end |
//! | `update.rs` | linking and removal, under the tree lock |
//! | `index.rs` | finding a child by its name |
//! | `once_box.rs` | values that are allocated on first use |
//!
//! Marks such as `(L1)` are rules of `Documentation/design.md`; marks such as `(U06)` are rows of
//! `Documentation/upstream-defects.md`.
//!
//! Corresponds to the links, the `is_freed` flag and the `kref` of `struct eventfs_inode` in
//! [`fs/tracefs/internal.h`](srctree/fs/tracefs/internal.h).

#![allow(unsafe_code)]

mod active;
mod children;
mod drain;
mod index;
mod node;
mod once_box;
mod refcount;
mod tests;
mod tree;
mod update;

pub(crate) use self::{
    active::ActiveRef,
    drain::{
        Drained,
        DrainedNodes, //
    },
    node::{
        Node,
        NodeData,
        NodeRef,
        Payload,
        RcuNode, //
    },
    once_box::OnceBox,
    tree::{
        check_name,
        Tree,
        NAME_MAX, //
    },
    update::{
        Removed,
        TreeGuard, //
    },
};
