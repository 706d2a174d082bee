// SPDX-License-Identifier: GPL-2.0

//! Changes of a tree, under the tree lock: linking and removal.
//!
//! A [`TreeGuard`] is the tree lock, taken. It protects [`Locked`]. Functions that change links
//! take a `&mut Locked`, so that they cannot be called without the lock.
//!
//! # Linking
//!
//! A [`NewNode`] is complete but not linked. [`TreeGuard::link`] first puts it into the index,
//! then into the list of its siblings: a name that is listed is found.
//!
//! # Removal
//!
//! A removal takes out a whole subtree under one hold of the lock (L6). It walks down to a node
//! without children, marks that dead, takes it out of the index and out of the list of its
//! siblings, and goes on with its parent. So children go before their parents, and the walk needs
//! neither recursion nor memory. The nodes are chained through themselves into a [`Removed`], which
//! owns the tree's references. Its owner drops it after the lock (L3), since that may free nodes.
//!
//! A node that is not dead is linked whenever the lock is free. So a `&Node` that is not dead can
//! be removed, and one that is dead has been removed before.
//!
//! `(L6)` and its like are rules of `Documentation/design.md`.

use super::{
    children::{
        ChildList,
        Generation, //
    },
    index::{
        IndexWriter,
        SpareSegment,
        WriterState, //
    },
    node::{
        Node,
        NodeData,
        NodeRef,
        Payload, //
    },
    tree::Tree,
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
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
    },
};

/// The state that the tree lock protects, besides the links in the nodes.
pub(crate) struct Locked<P: Payload> {
    /// The state of the index for writers.
    index: WriterState,
    /// The root, with the tree's reference to it. `None` before it is made, and while the tree is
    /// destroyed.
    root: Option<NodeRef<P>>,
}

impl<P: Payload> Locked<P> {
    /// The state of a tree without nodes. May sleep.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            index: WriterState::new()?,
            root: None,
        })
    }
}

/// A node that is complete, and not linked yet.
///
/// Not to be dropped under the tree lock: that may drop the last reference to its parent.
///
/// # Invariants
///
/// Nobody else has the node. It owns a reference to its parent, which has a list of children. Its
/// count is 2: one reference will be the tree's, the other one that of the caller of
/// [`TreeGuard::link`].
pub(crate) struct NewNode<P: Payload> {
    /// The node, which is not visible yet.
    node: NonNull<Node<P>>,
    /// Memory for the index to grow, allocated while that may sleep.
    spare: Option<SpareSegment>,
}

// SAFETY: It is the only owner of the node, and nodes are `Send`.
unsafe impl<P: Payload> Send for NewNode<P> {}

impl<P: Payload> NewNode<P> {
    /// A node that was allocated, with memory for the index to grow.
    ///
    /// # Safety
    ///
    /// `node` must come from [`Node::allocate`], with its only reference, and nobody else must have
    /// it. It must own a reference to its parent, which has a list of children.
    pub(super) unsafe fn new(node: NonNull<Node<P>>, spare: Option<SpareSegment>) -> Self {
        // SAFETY: The caller owns the node.
        unsafe { node.as_ref() }.inc_ref();
        // INVARIANT: The node had one reference, and has two now. The rest is as it must be by the
        // safety requirements.
        Self { node, spare }
    }

    /// The data of the node.
    pub(crate) fn payload(&self) -> &NodeData<P> {
        // SAFETY: By the type invariant nobody else has the node, and it has references.
        unsafe { self.node.as_ref() }.payload()
    }

    /// The node with its two references, and the memory.
    fn into_parts(self) -> (NonNull<Node<P>>, Option<SpareSegment>) {
        let mut this = ManuallyDrop::new(self);
        (this.node, this.spare.take())
    }
}

impl<P: Payload> Drop for NewNode<P> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant nobody else has the node, and it owns a reference to its
        // parent. It is not used after this.
        unsafe { Node::discard(self.node) };
    }
}

/// A node that could not be linked, and the reason. To be dropped after the tree lock.
pub(crate) struct LinkError<P: Payload> {
    /// `ENODEV`: the parent is dead. `EEXIST`: it has a child of this name. `EINVAL`: the node is
    /// for another tree.
    pub(crate) error: Error,
    /// Freed with the error, not under the tree lock.
    _node: NewNode<P>,
}

/// Nodes that were removed, children before their parents. It owns the references that were the
/// tree's.
///
/// To be dropped after the tree lock.
///
/// # Invariants
///
/// `head` begins a chain of unlinked nodes, each with the reference that was its tree's; `tail` is
/// the last of them. Both are null if there are none.
pub(crate) struct Removed<P: Payload> {
    /// The first node, null if there are none.
    head: *mut Node<P>,
    /// The last node, null if there are none.
    tail: *mut Node<P>,
}

impl<P: Payload> Removed<P> {
    /// No nodes.
    const fn new() -> Self {
        Self {
            head: ptr::null_mut(),
            tail: ptr::null_mut(),
        }
    }

    /// Appends a node to the chain.
    ///
    /// # Safety
    ///
    /// `node` must be valid and unlinked, with the tree's reference to hand over.
    unsafe fn push(&mut self, node: NonNull<Node<P>>) {
        // SAFETY: The node is valid and unlinked, with the tree's reference, and about to be put
        // into this chain.
        unsafe { node.as_ref().set_after(ptr::null_mut()) };
        // INVARIANT: A chain of one node, with the tree's reference to it.
        let last = Self {
            head: node.as_ptr(),
            tail: node.as_ptr(),
        };
        self.append(last);
    }

    /// Appends nodes that were removed later. They may be of another tree.
    pub(crate) fn append(&mut self, later: Self) {
        let later = ManuallyDrop::new(later);
        if later.head.is_null() {
            return;
        }
        // INVARIANT: The chain of `later` becomes the end of this one, with its references.
        // SAFETY: By the type invariant the last node is null, or valid and in this chain, which is
        // borrowed mutably.
        match unsafe { self.tail.as_ref() } {
            // SAFETY: By the type invariant the node is unlinked, with the tree's reference, and in
            // this chain.
            Some(tail) => unsafe { tail.set_after(later.head) },
            None => self.head = later.head,
        }
        self.tail = later.tail;
    }

    /// The nodes, children before their parents.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node<P>> {
        // SAFETY: By the type invariant the first node is null, or valid as long as the chain,
        // which owns a reference to it.
        let first = unsafe { self.head.as_ref() };
        core::iter::successors(first, |node| {
            // SAFETY: By the type invariant the node is in this chain, which is borrowed, and the
            // next one is null, or valid as long as the chain, which owns a reference to it.
            unsafe { node.after().as_ref() }
        })
    }
}

impl<P: Payload> Drop for Removed<P> {
    fn drop(&mut self) {
        while let Some(node) = NonNull::new(self.head) {
            // SAFETY: By the type invariant the node is valid, and in this chain.
            self.head = unsafe { node.as_ref().after() };
            // SAFETY: By the type invariant the chain owns a reference to the node, which has left
            // the chain, and is not used after this.
            unsafe { Node::dec_ref(node) };
        }
    }
}

/// The tree lock, taken.
///
/// # Invariants
///
/// `locked` is the guard of the lock of `tree`.
pub(crate) struct TreeGuard<'a, P: Payload> {
    /// The tree whose lock it is.
    tree: &'a Tree<P>,
    /// The protected state. Releases the lock when it is dropped.
    locked: Guard<'a, Locked<P>, MutexBackend>,
}

impl<'a, P: Payload> TreeGuard<'a, P> {
    /// The lock of a tree, taken.
    ///
    /// # Safety
    ///
    /// `locked` must be the guard of the lock of `tree`.
    pub(super) unsafe fn new(
        tree: &'a Tree<P>,
        locked: Guard<'a, Locked<P>, MutexBackend>,
    ) -> Self {
        // INVARIANT: By the safety requirements.
        Self { tree, locked }
    }
}

impl<P: Payload> TreeGuard<'_, P> {
    /// The index of the tree, to be changed.
    fn index(&mut self) -> IndexWriter<'_> {
        // SAFETY: By the type invariant the tree lock is held while `self` is borrowed, and the
        // state is what it protects: nothing replaces it. Readers of the index use the SRCU
        // structure of the tree. The tree is pinned, and its destructor waits for the callbacks of
        // the structure before the index is freed.
        unsafe {
            self.tree
                .index()
                .write(&mut self.locked.index, self.tree.srcu_ptr())
        }
    }

    /// Links a node. From then on readers find it.
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
        // SAFETY: By the type invariant `new` owns the node. It is not freed in this function.
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
        // By the type invariant of `NewNode` there is one.
        let Some(list) = parent.payload().list() else {
            return refuse(EINVAL, new);
        };
        // SAFETY: By the type invariant the lock of the tree is held.
        if unsafe { self.tree.find(parent, node.name()) }.is_some() {
            return refuse(EEXIST, new);
        }

        let (node, spare) = new.into_parts();
        let mut index = self.index();
        let spare = index.grow(spare);
        // First where it is looked up, then where it is listed: a name that is listed is found.
        // SAFETY: The node is complete and in no list. It owns the tree's reference from now on,
        // which is dropped after it was removed, and its memory is freed a grace period later.
        //
        // CAST: A node begins with its link, and the pointer is one to the whole node.
        unsafe { index.insert(node.cast()) };
        // SAFETY: By the type invariant of the guard `locked` belongs to the tree of the list,
        // which is that of the parent. The node is complete, was in no list of children so far, and
        // stays in memory until a grace period after it was removed.
        unsafe { list.append(&mut self.locked, node) };
        // SAFETY: By the type invariant of `NewNode` there are two references. One of them is the
        // caller's, the other one the tree's.
        Ok((unsafe { ARef::from_raw(node) }, spare))
    }

    /// Unlinks one node, which has no children, and marks it dead.
    ///
    /// # Safety
    ///
    /// `node` must be linked in this tree, and must not be the root.
    unsafe fn unlink(&mut self, node: &Node<P>, removed: &mut Removed<P>) {
        node.mark_dead();
        self.index().remove(node.link());
        if let Some(list) = node.parent().and_then(|parent| parent.payload().list()) {
            // SAFETY: By the type invariant `locked` belongs to this tree. The node is linked, so
            // it is in the list of its parent.
            unsafe { list.remove(&mut self.locked, node) };
        }
        // SAFETY: The node was linked until here, so there is the tree's reference to hand over.
        unsafe { removed.push(NonNull::from(node)) };
    }

    /// Removes everything below `top`, and `top` itself unless it is the root. No recursion, no
    /// allocation; it cannot fail (L6).
    ///
    /// # Safety
    ///
    /// `top` must be linked in this tree, or be its root.
    unsafe fn remove_subtree(&mut self, top: &Node<P>) -> Removed<P> {
        let mut removed = Removed::new();
        let mut node = top;
        loop {
            if let Some(child) = self.first_child(node) {
                // SAFETY: A child of this tree is linked, so the tree owns a reference to it. When
                // it is unlinked, `removed` owns that reference until the end of this function.
                node = unsafe { &*ptr::from_ref(child) };
                continue;
            }
            let parent = node.parent();
            if parent.is_some() {
                // SAFETY: The node is `top` or below it, and was not unlinked so far: it is linked.
                // It has a parent, so it is not the root.
                unsafe { self.unlink(node, &mut removed) };
            }
            match parent {
                Some(parent) if !ptr::eq(node, top) => node = parent,
                _ => return removed,
            }
        }
    }

    /// Removes a node and everything below it: the nodes are dead, and readers do not find them.
    ///
    /// `None`: the node was removed before, is the root, or is in another tree. Does not sleep,
    /// allocates nothing.
    pub(crate) fn remove(&mut self, node: &Node<P>) -> Option<Removed<P>> {
        if !node.is_in(self.tree) || node.is_dead() || node.parent().is_none() {
            return None;
        }
        // SAFETY: Only `link()` and `set_root()` give out references, and only a removal unlinks,
        // which marks the node dead. So a node with a parent that is not dead is linked.
        Some(unsafe { self.remove_subtree(node) })
    }

    /// Removes everything, the root included, whose reference is the second value. Both are to be
    /// dropped after the lock.
    pub(super) fn remove_all(&mut self) -> Option<(Removed<P>, NodeRef<P>)> {
        let root = self.locked.root.take()?;
        root.mark_dead();
        // SAFETY: It is the root of this tree.
        let removed = unsafe { self.remove_subtree(&root) };
        Some((removed, root))
    }

    /// Makes a node the root.
    ///
    /// # Safety
    ///
    /// `root` must come from [`Node::allocate`], for this tree and without a parent, and have a
    /// list of children. Its only reference is handed over. The tree must not have a root.
    pub(super) unsafe fn set_root(&mut self, root: NonNull<Node<P>>) {
        // SAFETY: The caller hands over the reference.
        self.locked.root = Some(unsafe { ARef::from_raw(root) });
    }

    /// The root; `None` while the tree is destroyed.
    pub(crate) fn root(&self) -> Option<&Node<P>> {
        self.locked.root.as_deref()
    }

    /// The generation of the children of a directory, which differs after each change; `None` if
    /// the directory has never had any.
    pub(crate) fn generation(&mut self, dir: &Node<P>) -> Option<Generation> {
        let list = dir.list_in(self.tree)?;
        Some(list.generation(&mut self.locked))
    }

    /// Records that the children of a directory were verified at a generation.
    pub(crate) fn set_verified(&mut self, dir: &Node<P>, generation: Generation) {
        if let Some(list) = dir.list_in(self.tree) {
            list.set_verified(&mut self.locked, generation);
        }
    }

    /// The number of the children of a directory, and the newest of them, if they have not changed
    /// since they were verified.
    pub(crate) fn verified(&mut self, dir: &Node<P>) -> Option<(usize, NodeRef<P>)> {
        dir.list_in(self.tree)?.verified(&mut self.locked)
    }

    /// The oldest child of a node of this tree.
    fn first_child(&self, node: &Node<P>) -> Option<&Node<P>> {
        node.list_in(self.tree)?.first(&self.locked)
    }

    /// Calls `visit` for each node, parents before their children. The nodes neither come nor go
    /// meanwhile. `visit` must not take the tree lock.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Node<P>)) {
        self.find(|node| {
            visit(node);
            false
        });
    }

    /// The first node that matches: parents are asked before their children. `matches` must not
    /// take the tree lock.
    pub(crate) fn find(&self, mut matches: impl FnMut(&Node<P>) -> bool) -> Option<NodeRef<P>> {
        let mut node = self.root()?;
        loop {
            if matches(node) {
                return Some(node.into());
            }
            if let Some(child) = self.first_child(node) {
                node = child;
                continue;
            }
            // The next sibling of the node, or of the nearest ancestor that has one.
            node = loop {
                match ChildList::after(node, &self.locked) {
                    Some(next) => break next,
                    None => node = node.parent()?,
                }
            };
        }
    }
}
