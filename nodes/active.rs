// SPDX-License-Identifier: GPL-2.0

//! Active references: uses of a node that its removal waits for.
//!
//! A provider lends things to its nodes: tables, operations, data. Code that uses them holds an
//! [`ActiveRef`] meanwhile. A removal marks the node dead and then drains it: [`Node::drain`] waits
//! until there is no active reference. From then on nobody uses what was lent, since a dead node
//! gives out no new ones.
//!
//! Both sides write first and then look at what the other has written, with a full barrier in
//! between. [`Node::get_active`] counts itself, then looks whether the node is dead. The removal
//! marks the node dead, then looks at the count. So at least one of them sees the other.
//!
//! The names are those of `kernfs_get_active()` and `kernfs_drain()` in
//! [`fs/kernfs/dir.c`](srctree/fs/kernfs/dir.c).

use super::node::{
    Node,
    Payload, //
};
use kernel::{
    new_condvar, new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full, //
        },
        barrier::smp_mb,
        CondVar,
        Mutex, //
    },
};

/// The number of active references to a node.
///
/// It is in the node, since a removal drains each node by itself, and cannot allocate.
pub(super) struct ActiveCount(Atomic<u32>);

impl ActiveCount {
    /// The most active references to a node. More, leaked by `mem::forget()`, could make the count
    /// wrap, and a removal would no longer wait for those that are in use.
    const MOST: u32 = 1 << 31;

    /// No active references.
    pub(super) const fn new() -> Self {
        Self(Atomic::new(0))
    }
}

/// The queue in which removals wait for active references: one for all nodes of a tree.
#[pin_data]
pub(super) struct DrainQueue {
    /// Orders the end of a reference against the beginning of a wait. Protects nothing else.
    #[pin]
    lock: Mutex<()>,
    /// Notified when a dead node has lost its last active reference.
    #[pin]
    drained: CondVar,
}

impl DrainQueue {
    /// An empty queue.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            lock <- new_mutex!((), "eventfs_waiting"),
            drained <- new_condvar!("eventfs_drained"),
        })
    }
}

/// An active reference to a node: a use of what its provider has lent to it.
///
/// # Invariants
///
/// It is counted in the [`ActiveCount`] of the node.
pub(crate) struct ActiveRef<'a, P: Payload> {
    /// The node, which the user keeps.
    node: &'a Node<P>,
}

impl<P: Payload> Node<P> {
    /// Takes an active reference; `None` if the node was removed.
    ///
    /// The caller must not drain a node while it holds one to it.
    pub(crate) fn get_active(&self) -> Option<ActiveRef<'_, P>> {
        // Callers that try again and again do not keep the removal waiting.
        if self.is_dead() {
            return None;
        }
        // Full: either the removal sees the count, or this sees that the node is dead.
        let before = self.active_count().0.fetch_add(1, Full);
        // INVARIANT: It was counted just now.
        let active = ActiveRef { node: self };
        (before < ActiveCount::MOST && !self.is_dead()).then_some(active)
    }

    /// Waits until there is no [`ActiveRef`] to the node, which was removed.
    ///
    /// May sleep. To be called without locks that a holder of an active reference may want.
    pub(crate) fn drain(&self) {
        let count = &self.active_count().0;
        // Between the mark and the look at the count: see `get_active()`.
        smp_mb(Full);
        if count.load(Acquire) == 0 {
            return;
        }
        let queue = self.tree().drain_queue();
        let mut lock = queue.lock.lock();
        while count.load(Acquire) != 0 {
            queue.drained.wait(&mut lock);
        }
    }
}

impl<P: Payload> Drop for ActiveRef<'_, P> {
    fn drop(&mut self) {
        // Full: either the removal sees the new count, or this sees that the node is dead.
        if self.node.active_count().0.fetch_sub(1, Full) == 1 && self.node.is_dead() {
            let queue = self.node.tree().drain_queue();
            // Under the lock, so that a removal that is about to wait does not miss it.
            let _lock = queue.lock.lock();
            queue.drained.notify_all();
        }
    }
}
