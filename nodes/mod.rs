// SPDX-License-Identifier: GPL-2.0

//! Trees of reference-counted nodes that are read under SRCU (L1, L2, L6).
//!
//! A [`Tree`] is pure metadata: it knows nothing of dentries and inodes. Who owns what:
//!
//! - A node owns what it carries until its last counted reference ([`NodeRef`]) is gone. Its memory
//!   is freed when then an SRCU and an RCU grace period have passed: see [`RcuNode`]. While it is
//!   linked, its tree owns one such reference.
//! - A node owns a reference to its parent, until its own last reference goes.
//! - A tree outlives its nodes: its destructor waits for them.
//!
//! The tree lock orders all changes. It is innermost and held shortly: see L3.
//!
//! Corresponds to the links, the `is_freed` flag and the `kref` of `struct eventfs_inode` in
//! [`fs/tracefs/internal.h`](srctree/fs/tracefs/internal.h).

#![allow(unsafe_code)]

mod index;
mod node;
mod once_box;
mod tests;
mod tree;
mod update;

pub(crate) use self::{
    node::{
        ActiveRef,
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
