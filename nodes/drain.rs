// SPDX-License-Identifier: GPL-2.0

//! Draining removed nodes: waiting until their active references are gone.
//!
//! A removed node is drained once. The proof of that is a [`Drained`], which cannot be copied: code
//! that takes one by value runs at most once for each node, after the last user of the node.
//!
//! Corresponds to `kernfs_drain()` in [`fs/kernfs/dir.c`](srctree/fs/kernfs/dir.c).

use super::{
    node::{
        Node,
        Payload, //
    },
    update::Removed, //
};

/// A removed node without active references. None can be taken any longer.
///
/// # Invariants
///
/// The node is dead, and its last active reference is gone. No other value was made for the node.
pub(crate) struct Drained<'a, P: Payload>(&'a Node<P>);

impl<'a, P: Payload> Drained<'a, P> {
    /// The node.
    pub(crate) fn node(&self) -> &'a Node<P> {
        self.0
    }
}

/// Removed nodes that were drained, with the references that were the tree's.
///
/// To be dropped after the tree lock.
pub(crate) struct DrainedNodes<P: Payload>(Removed<P>);

impl<P: Payload> DrainedNodes<P> {
    /// Appends nodes that were drained later.
    pub(crate) fn append(&mut self, later: Self) {
        self.0.append(later.0);
    }
}

impl<P: Payload> Removed<P> {
    /// Drains the nodes one after the other, and calls `release` for each. May sleep.
    ///
    /// The caller holds no lock that an owner of an active reference, or `release`, may take.
    pub(crate) fn drain(self, mut release: impl FnMut(Drained<'_, P>)) -> DrainedNodes<P> {
        for node in self.nodes() {
            node.drain();
            // INVARIANT: Nodes of a `Removed` are dead, so that after the wait there is no active
            // reference, and none can be taken. A node is removed once, and is then in one
            // `Removed`, which is consumed here: this is the only value for the node.
            release(Drained(node));
        }
        DrainedNodes(self)
    }
}
