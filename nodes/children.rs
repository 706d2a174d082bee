// SPDX-License-Identifier: GPL-2.0

//! The children of a directory: the list of siblings, and the readers of it.
//!
//! Children are linked in the order of their creation, which is the order of listings (L11). The
//! list is doubly linked, so that removal need not search. Readers go forward only, under SRCU:
//! each link that they follow is stored with `Release`, after the node that it leads to is complete
//! (L1). A node that is unlinked keeps its `next`, so that a reader that stands there gets to the
//! end.
//!
//! Names are found in the [index](super::index), not here.
//!
//! # Generations
//!
//! Each change of the list increments its *generation*. A provider that has compared the list with
//! its own source records the generation before the comparison as *verified*. As long as both are
//! equal nothing has changed since.
//!
//! `(L11)` and its like are rules of `Documentation/design.md`.

use super::{
    node::{
        Node,
        NodeRef,
        Payload,
        RcuNode, //
    },
    tree::{
        ReadGuard,
        Tree, //
    },
    update::Locked,
};
use core::{
    marker::PhantomData,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::sync::{
    atomic::{
        Acquire,
        Atomic,
        Release, //
    },
    LockedBy,
    Mutex, //
};

/// The list of the children of a node. It may be empty.
///
/// # Invariants
///
/// - `tree` is the tree of the node, is valid as long as the list is in use, and its lock is the
///   one that `locked` is tied to.
/// - `first`, and `next` of each child, lead through all linked children in the order of their
///   creation; `locked.last` is the last of them.
pub(super) struct ChildList<P: Payload> {
    /// The tree. It is here, and not in each child.
    tree: NonNull<Tree<P>>,
    /// The oldest child, null if there is none. Written under the tree lock, read also under SRCU.
    first: Atomic<*mut Node<P>>,
    /// The part that only the holder of the tree lock may use.
    locked: LockedBy<LockedList<P>, Locked<P>>,
}

// SAFETY: The tree is only used by shared reference, and is `Sync`. `first` leads to nodes, which
// are `Send` and `Sync`. `locked` is used under the tree lock only.
unsafe impl<P: Payload> Send for ChildList<P> {}
// SAFETY: Shared references give access to the tree, which is `Sync`, to an atomic pointer, and to
// `locked`, which is used under the tree lock only.
unsafe impl<P: Payload> Sync for ChildList<P> {}

/// The part of a list of children that only the holder of the tree lock may use.
struct LockedList<P: Payload> {
    /// The newest child, null if there is none: the next one is appended there.
    last: *mut Node<P>,
    /// The number of children.
    count: usize,
    /// The number of changes so far, plus 1.
    generation: u64,
    /// The generation that a provider has verified; 0 if there is none.
    verified: u64,
}

// SAFETY: The node that the pointer leads to is `Send` and `Sync`, and does not depend on a thread.
unsafe impl<P: Payload> Send for LockedList<P> {}
// SAFETY: Shared references give access to numbers, and to a pointer to a node, which is `Sync`.
unsafe impl<P: Payload> Sync for LockedList<P> {}

/// A state of the children of a directory.
#[derive(Clone, Copy)]
pub(crate) struct Generation(u64);

impl<P: Payload> ChildList<P> {
    /// An empty list.
    ///
    /// # Safety
    ///
    /// `tree` must be the tree of the node that the list is for, and be valid as long as the list
    /// is in use. `lock` must be the lock of `tree`.
    pub(super) unsafe fn new(tree: &Tree<P>, lock: &Mutex<Locked<P>>) -> Self {
        let list = LockedList {
            last: ptr::null_mut(),
            count: 0,
            generation: 1,
            verified: 0,
        };
        // INVARIANT: The tree and the lock are as they must be by the safety requirements, and
        // there are no children.
        Self {
            tree: NonNull::from(tree),
            first: Atomic::new(ptr::null_mut()),
            locked: LockedBy::new(lock, list),
        }
    }

    /// The tree that the node is part of.
    pub(super) fn tree(&self) -> &Tree<P> {
        // SAFETY: By the type invariant the tree is valid as long as the list is in use.
        unsafe { self.tree.as_ref() }
    }

    /// Appends a child. From then on readers list it.
    ///
    /// # Safety
    ///
    /// `locked` must be what the lock of the tree protects. `node` must be complete and in no list,
    /// and the node of the list must be its parent. After it was removed, it must stay in memory
    /// until a grace period of the readers of the tree has passed.
    pub(super) unsafe fn append(&self, locked: &mut Locked<P>, node: NonNull<Node<P>>) {
        let list = self.locked.access_mut(locked);
        let previous = core::mem::replace(&mut list.last, node.as_ptr());
        list.count += 1;
        list.generation += 1;
        // INVARIANT: The node is the last one from now on, for writers and for readers.
        // SAFETY: `locked` is evidence of the tree lock. The node is valid and about to be linked;
        // the previous one is null, or linked by the type invariant, and so valid under the lock.
        // The new node was added after it.
        unsafe {
            node.as_ref().set_previous(previous);
            match previous.as_ref() {
                Some(previous) => previous.set_next(node.as_ptr()),
                None => self.first.store(node.as_ptr(), Release),
            }
        }
    }

    /// Takes a child out of the list. Readers that stand there can go on.
    ///
    /// # Safety
    ///
    /// `locked` must be what the lock of the tree protects, and `node` must be in the list.
    pub(super) unsafe fn remove(&self, locked: &mut Locked<P>, node: &Node<P>) {
        let list = self.locked.access_mut(locked);
        let next = node.next();
        // INVARIANT: The neighbours of the node are neighbours of each other from now on.
        // SAFETY: `locked` is evidence of the tree lock. The node is linked, so by the type
        // invariant its neighbours are null or linked, and so valid under the lock. Siblings are
        // in the order of their creation.
        unsafe {
            let previous = node.previous();
            match previous.as_ref() {
                Some(previous) => previous.set_next(next),
                None => self.first.store(next, Release),
            }
            match next.as_ref() {
                Some(next) => next.set_previous(previous),
                None => list.last = previous,
            }
        }
        list.count -= 1;
        list.generation += 1;
    }

    /// The oldest child. `locked` must be what the lock of the tree protects.
    pub(super) fn first<'a>(&self, locked: &'a Locked<P>) -> Option<&'a Node<P>> {
        self.check(locked);
        // SAFETY: By the type invariant the oldest child is linked. It stays so for `'a`, since to
        // unlink it one needs a mutable reference to what the lock protects. A linked node is
        // valid.
        unsafe { self.first.load(Acquire).as_ref() }
    }

    /// The sibling after a node, unless the node was removed. `locked` must be what the lock of its
    /// tree protects.
    pub(super) fn after<'a>(node: &Node<P>, locked: &'a Locked<P>) -> Option<&'a Node<P>> {
        node.parent()?.payload().list()?.check(locked);
        if node.is_dead() {
            return None;
        }
        // SAFETY: `locked` is evidence of the tree lock for `'a`. Under it a node that is not dead
        // is linked. By the type invariant the next sibling is null or linked, stays so for as
        // long, and is valid.
        unsafe { node.next().as_ref() }
    }

    /// Checks that `locked` is what the lock of the tree protects. Panics if it is not: no caller
    /// in this directory mixes up trees, as all of them have compared the tree before.
    fn check(&self, locked: &Locked<P>) {
        self.locked.access(locked);
    }

    /// The present generation.
    pub(super) fn generation(&self, locked: &mut Locked<P>) -> Generation {
        Generation(self.locked.access_mut(locked).generation)
    }

    /// Records that the children were verified at a generation.
    pub(super) fn set_verified(&self, locked: &mut Locked<P>, generation: Generation) {
        self.locked.access_mut(locked).verified = generation.0;
    }

    /// The number of children and the newest of them, if the present generation is verified and
    /// there are children.
    pub(super) fn verified(&self, locked: &mut Locked<P>) -> Option<(usize, NodeRef<P>)> {
        let list = self.locked.access_mut(locked);
        if list.verified != list.generation {
            return None;
        }
        // SAFETY: By the type invariant the newest child is null or linked, and so valid under the
        // tree lock, of which `locked` is evidence.
        let newest = unsafe { list.last.as_ref() }?;
        Some((list.count, newest.into()))
    }
}

/// Iterates over the children of a node, in the order of their creation.
///
/// # Invariants
///
/// `next` is null, or a node that [`RcuNode::new`] takes for `'g`.
pub(crate) struct Children<'g, P: Payload> {
    /// The next node, null at the end.
    next: *mut Node<P>,
    /// `'g` ends before the critical section does.
    _reader: PhantomData<&'g ()>,
}

impl<'g, P: Payload> Iterator for Children<'g, P> {
    type Item = RcuNode<'g, P>;

    fn next(&mut self) -> Option<Self::Item> {
        let node = NonNull::new(self.next)?;
        // SAFETY: By the type invariant the node is one that `RcuNode::new()` takes.
        let node = unsafe { RcuNode::new(node) };
        // INVARIANT: If the node was unlinked meanwhile, its next sibling was linked when the node
        // was, or was added later. So it was linked, and had the tree's reference, within the
        // critical section, too.
        self.next = node.next();
        Some(node)
    }
}

impl<P: Payload> Node<P> {
    /// Finds a child by its name, unless it was removed.
    pub(crate) fn child<'g>(
        &self,
        name: &[u8],
        reader: &'g ReadGuard<'_, P>,
    ) -> Option<RcuNode<'g, P>> {
        self.list_in(reader.tree())?;
        // SAFETY: The reader is in an SRCU read-side critical section of this tree.
        let node = unsafe { reader.tree().find(self, name) }?;
        // SAFETY: The node was linked, and had the tree's reference, within the critical section,
        // which lasts for `'g`.
        let seen = unsafe { RcuNode::new(node) };
        // A removal marks a node before it unlinks it, and may be interrupted in between.
        (!seen.is_dead()).then_some(seen)
    }

    /// The children, in the order of their creation.
    pub(crate) fn children<'g>(&self, reader: &'g ReadGuard<'_, P>) -> Children<'g, P> {
        let list = self.list_in(reader.tree());
        // INVARIANT: The reader is in an SRCU read-side critical section of this tree, in which the
        // child is linked, or was when it was read, and had the tree's reference.
        Children {
            next: list.map_or(ptr::null_mut(), |list| list.first.load(Acquire)),
            _reader: PhantomData,
        }
    }

    /// The siblings that were added after this node; `None` if the node was removed, since its
    /// place in the list is unknown then.
    pub(crate) fn siblings_after<'g>(
        &self,
        reader: &'g ReadGuard<'_, P>,
    ) -> Option<Children<'g, P>> {
        if !self.is_in(reader.tree()) || self.is_dead() {
            return None;
        }
        // INVARIANT: The node was linked within the critical section, which is one of this tree. So
        // the next sibling was linked, and had the tree's reference, within it, too.
        Some(Children {
            next: self.next(),
            _reader: PhantomData,
        })
    }
}
