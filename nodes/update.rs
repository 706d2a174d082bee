// SPDX-License-Identifier: GPL-2.0

//! Changes of a tree, which the tree lock orders.

use super::{
    index::SpareSegment,
    node::{
        LockedList,
        Node,
        NodeData,
        NodeRef,
        Payload, //
    },
    tree::{
        Locked,
        Tree, //
    },
};
use core::{
    mem::ManuallyDrop,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        aref::{
            ARef,
            AlwaysRefCounted, //
        },
        atomic::{
            Relaxed,
            Release, //
        },
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
    },
};

/// A node on its way into a tree: complete but for its place.
///
/// # Invariants
///
/// Nobody else has the pointer. The node owns a reference to its parent, and its count is 2: one
/// reference will be the tree's, one that of who links it.
pub(crate) struct NewNode<P: Payload> {
    /// Not visible yet, and ours.
    pub(super) node: NonNull<Node<P>>,
    /// Memory for the index to grow, taken while that may sleep.
    pub(super) spare: Option<SpareSegment>,
}

// SAFETY: It owns the node, which may be sent.
unsafe impl<P: Payload> Send for NewNode<P> {}

impl<P: Payload> NewNode<P> {
    /// What the node will carry.
    pub(crate) fn payload(&self) -> &NodeData<P> {
        // SAFETY: By the type invariant.
        unsafe { self.node.as_ref() }.payload()
    }
}

impl<P: Payload> Drop for NewNode<P> {
    fn drop(&mut self) {
        // SAFETY: Nobody else has the pointer.
        let node = unsafe { self.node.as_ref() };
        let parent = node.parent;
        // SAFETY: As above; the node does not become visible any more.
        unsafe {
            node.empty(node.tree());
            Node::free(self.node);
        }
        if let Some(parent) = NonNull::new(parent.cast_mut()) {
            // SAFETY: The node owned a reference to its parent, which is given up here.
            unsafe { Node::dec_ref(parent) };
        }
    }
}

/// Nodes that were removed, each after those below it. It owns the references that were the tree's.
///
/// To be dropped after the tree lock.
///
/// # Invariants
///
/// `head` begins a chain through `neighbour.after` of nodes, each with the reference that was the
/// tree's; `tail` is the last of them. Both are null if there are none.
pub(crate) struct Removed<P: Payload> {
    /// The first node, null if there are none.
    pub(super) head: *mut Node<P>,
    /// The last node, behind which the next one is put.
    pub(super) tail: *mut Node<P>,
}

impl<P: Payload> Removed<P> {
    /// Puts a node at the end of the chain.
    ///
    /// # Safety
    ///
    /// `node` must be valid and not linked any more, with the tree's reference to hand over.
    unsafe fn push(&mut self, node: *mut Node<P>) {
        // INVARIANT: By the safety requirements of this function.
        // SAFETY: As above. The place of a node that is not linked any more is the chain's.
        unsafe { (*(*node).neighbour.get()).after = ptr::null_mut() };
        // SAFETY: By the type invariant the nodes of the chain are valid.
        match unsafe { self.tail.as_ref() } {
            // SAFETY: By the type invariant the place is the chain's.
            Some(tail) => unsafe { (*tail.neighbour.get()).after = node },
            None => self.head = node,
        }
        self.tail = node;
    }

    /// Puts what was removed later behind it.
    pub(crate) fn append(&mut self, later: Self) {
        let later = ManuallyDrop::new(later);
        if later.head.is_null() {
            return;
        }
        // INVARIANT: The chain of `later` becomes the end of this one.
        // SAFETY: By the type invariant the nodes of the chain are valid.
        match unsafe { self.tail.as_ref() } {
            // SAFETY: By the type invariant the place is the chain's.
            Some(tail) => unsafe { (*tail.neighbour.get()).after = later.head },
            None => self.head = later.head,
        }
        self.tail = later.tail;
    }

    /// The node behind one of the chain.
    fn after(node: &Node<P>) -> *mut Node<P> {
        // SAFETY: By the type invariant the place is the chain's.
        unsafe { (*node.neighbour.get()).after }
    }

    /// The nodes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node<P>> {
        // SAFETY: By the type invariant the nodes of the chain are valid as long as it is.
        let first = unsafe { self.head.as_ref() };
        // SAFETY: As above.
        core::iter::successors(first, |node| unsafe { Self::after(node).as_ref() })
    }
}

impl<P: Payload> Drop for Removed<P> {
    fn drop(&mut self) {
        while let Some(node) = NonNull::new(self.head) {
            // SAFETY: By the type invariant the node is valid.
            self.head = Self::after(unsafe { node.as_ref() });
            // SAFETY: By the type invariant this reference is ours.
            unsafe { Node::dec_ref(node) };
        }
    }
}

/// The tree lock, taken.
pub(crate) struct TreeGuard<'a, P: Payload> {
    /// The tree whose lock it is.
    pub(super) tree: &'a Tree<P>,
    /// What is under the lock; releases it when it is dropped.
    pub(super) locked: Guard<'a, Locked<P>, MutexBackend>,
}

/// A state of the children of a directory.
#[derive(Clone, Copy)]
pub(crate) struct Generation(u64);

/// What could not be linked, and why. To be dropped after the tree lock.
pub(crate) struct LinkError<P: Payload> {
    /// The reason: `ENODEV` (the parent is dead) or `EEXIST`.
    pub(crate) error: Error,
    /// Freed with the error: that puts its parent, which is not for the tree lock.
    _node: NewNode<P>,
}

impl<P: Payload> TreeGuard<'_, P> {
    /// Puts a node into the tree. From then on readers find it.
    ///
    /// Does not sleep. The second value is memory that was not needed: to be dropped after the
    /// lock.
    ///
    /// # Errors
    ///
    /// See [`LinkError`].
    pub(crate) fn link(
        &mut self,
        new: NewNode<P>,
    ) -> Result<(NodeRef<P>, Option<SpareSegment>), LinkError<P>> {
        let refuse = |error, node| Err(LinkError { error, _node: node });
        // SAFETY: `new` owns the node.
        let node = unsafe { new.node.as_ref() };
        if !node.is_in(self.tree) {
            return refuse(EINVAL, new);
        }
        let Some(parent) = node.parent() else {
            return refuse(EINVAL, new);
        };
        if parent.is_dead() {
            return refuse(ENODEV, new);
        }
        // By the type invariants there is one.
        let Some(list) = parent.payload().list() else {
            return refuse(EINVAL, new);
        };
        // SAFETY: The tree lock is held.
        if unsafe { self.tree.find(parent, node.name()) }.is_some() {
            return refuse(EEXIST, new);
        }

        let mut new = core::mem::ManuallyDrop::new(new);
        let spare = self
            .tree
            .index
            .grow(&mut self.locked.index, new.spare.take());
        let raw = new.node.as_ptr();
        // First where it is looked up, then where it is listed: what is listed is found.
        // SAFETY: The tree lock is held, and the node is new and complete.
        //
        // CAST: A node begins with its link. The pointer is one to the whole node.
        unsafe {
            self.tree
                .index
                .insert(&mut self.locked.index, new.node.cast());
        }
        // SAFETY: The tree lock is held, which these fields are under.
        unsafe {
            let locked = &mut *list.locked.get();
            locked.count += 1;
            locked.generation += 1;
            let last = core::mem::replace(&mut locked.last, raw);
            (*node.neighbour.get()).previous = last;
            match last.as_ref() {
                Some(last) => last.next.store(raw, Release),
                None => list.first.store(raw, Release),
            }
        }
        // SAFETY: One of the two references is the caller's, the other from now on the tree's.
        Ok((unsafe { ARef::from_raw(new.node) }, spare))
    }

    /// Takes one node, which has no children, out of the tree.
    ///
    /// # Safety
    ///
    /// `node` must be linked, and its parent (not null) with it.
    unsafe fn unlink(&mut self, node: &Node<P>, removed: &mut Removed<P>) {
        let raw = ptr::from_ref(node).cast_mut();
        node.dead.store(true, Release);
        // SAFETY: The tree lock is held, and the caller says that the node is linked. The tree,
        // which is pinned, waits for callbacks of its SRCU structure before it goes.
        unsafe {
            let srcu = self.tree.srcu_ptr();
            let writer = &mut self.locked.index;
            self.tree.index.remove(writer, &node.link, srcu);
        }
        let next = node.next.load(Relaxed);
        let list = node.parent().and_then(|parent| parent.payload().list());
        // SAFETY: The tree lock is held, which these fields are under; neighbours of a linked node
        // are linked, and so valid.
        unsafe {
            let previous = (*node.neighbour.get()).previous;
            match (previous.as_ref(), list) {
                (Some(previous), _) => previous.next.store(next, Release),
                (None, Some(list)) => list.first.store(next, Release),
                (None, None) => {}
            }
            let locked = list.map(|list| &mut *list.locked.get());
            if let Some(locked) = locked {
                locked.count -= 1;
                locked.generation += 1;
                if next.is_null() {
                    locked.last = previous;
                }
            }
            if let Some(next) = next.as_ref() {
                (*next.neighbour.get()).previous = previous;
            }
        }
        // SAFETY: The node was linked until here, so there is the tree's reference to hand over.
        unsafe { removed.push(raw) };
    }

    /// Removes everything below `top`, and `top` itself unless it is the root. No recursion, no
    /// allocation; it cannot fail.
    ///
    /// # Safety
    ///
    /// `top` must be linked or be the root.
    unsafe fn remove_subtree(&mut self, top: &Node<P>) -> Removed<P> {
        let mut removed = Removed {
            head: ptr::null_mut(),
            tail: ptr::null_mut(),
        };
        let mut node = top;
        loop {
            // SAFETY: Children of linked nodes are linked, and stay valid under the tree lock.
            if let Some(child) = unsafe { node.first().as_ref() } {
                node = child;
                continue;
            }
            let parent = node.parent();
            if let Some(_parent) = parent {
                // SAFETY: The node is linked and has no children any more.
                unsafe { self.unlink(node, &mut removed) };
            }
            match parent {
                Some(parent) if !ptr::eq(node, top) => node = parent,
                _ => return removed,
            }
        }
    }

    /// Removes a node and all that is below it: it is dead, and readers do not find it any more.
    ///
    /// `None` if that was done before. Does not sleep, allocates nothing.
    pub(crate) fn remove(&mut self, node: &Node<P>) -> Option<Removed<P>> {
        if !node.is_in(self.tree) || node.is_dead() || node.parent().is_none() {
            return None;
        }
        // SAFETY: A node that is not dead is linked: only `link()` hands out references.
        Some(unsafe { self.remove_subtree(node) })
    }

    /// What is under the tree lock of the children of a directory of this tree; `None` if it never
    /// had any.
    fn list_of<'a>(&'a mut self, dir: &'a Node<P>) -> Option<&'a mut LockedList<P>> {
        let list = dir.list_in(self.tree)?;
        // SAFETY: The tree lock is held, and the node is there, for as long as the result is used.
        Some(unsafe { &mut *list.locked.get() })
    }

    /// The generation of the children of a directory: it differs after each change.
    pub(crate) fn generation(&mut self, dir: &Node<P>) -> Option<Generation> {
        self.list_of(dir).map(|list| Generation(list.generation))
    }

    /// Remembers that the children of a directory were what they should be, in this generation.
    pub(crate) fn set_verified(&mut self, dir: &Node<P>, generation: Generation) {
        if let Some(list) = self.list_of(dir) {
            list.verified = generation.0;
        }
    }

    /// The number of the children of a directory, and the newest, if they have not changed since
    /// they were verified.
    pub(crate) fn verified(&mut self, dir: &Node<P>) -> Option<(usize, NodeRef<P>)> {
        let list = self.list_of(dir)?;
        if list.verified != list.generation {
            return None;
        }
        // SAFETY: Linked nodes are valid under the tree lock.
        let newest = unsafe { list.last.as_ref() }?;
        Some((list.count, newest.into()))
    }

    /// Removes everything: what it returns is to be dropped after the lock.
    pub(super) fn remove_all(&mut self) -> Option<(Removed<P>, NodeRef<P>)> {
        let root = self.locked.root.take()?;
        root.dead.store(true, Release);
        // SAFETY: It is the root.
        let removed = unsafe { self.remove_subtree(&root) };
        Some((removed, root))
    }

    /// The root; `None` while the tree goes away.
    pub(crate) fn root(&self) -> Option<&Node<P>> {
        self.locked.root.as_deref()
    }

    /// Calls `visit` for each node. Under the lock nodes neither come nor go.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Node<P>)) {
        self.find(|node| {
            visit(node);
            false
        });
    }

    /// The first node that `is_it` says so of: parents are asked before their children.
    pub(crate) fn find(&self, mut is_it: impl FnMut(&Node<P>) -> bool) -> Option<NodeRef<P>> {
        let root = self.locked.root.as_ref()?;
        let mut node: &Node<P> = root;
        loop {
            if is_it(node) {
                return Some(node.into());
            }
            // SAFETY: Under the tree lock linked nodes stay linked, and valid.
            if let Some(child) = unsafe { node.first().as_ref() } {
                node = child;
                continue;
            }
            loop {
                // SAFETY: As above.
                if let Some(next) = unsafe { node.next.load(Relaxed).as_ref() } {
                    node = next;
                    break;
                }
                node = node.parent()?;
            }
        }
    }
}
