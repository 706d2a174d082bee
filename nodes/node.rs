// SPDX-License-Identifier: GPL-2.0

//! Nodes, and what a reader sees of them.

use super::{
    index::Link,
    tree::{
        ReadGuard,
        Tree, //
    },
    OnceBox, //
};
use crate::vfs::RcuForeign;
use core::{
    alloc::Layout,
    cell::UnsafeCell,
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    alloc::{
        allocator::Kmalloc,
        Allocator, //
    },
    bindings,
    prelude::*,
    sync::{
        aref::{
            ARef,
            AlwaysRefCounted, //
        },
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed,
            Release, //
        },
        barrier::smp_mb,
    },
};

/// What is known of a node.
///
/// It is dropped with the last counted reference to the node, where that is given up: not under the
/// tree lock, but maybe by a [`ReadGuard`], so that dropping must not wait for a grace period (L4).
pub(crate) trait Payload: Send + Sync + Sized + 'static {
    /// What is not known of most nodes. They pay nothing for it.
    type Ext: Send + Sync + 'static;

    /// What is in it when it is first needed.
    fn new_ext() -> Self::Ext;
}

/// What a node carries: its payload, and on demand what most nodes do without.
pub(crate) struct NodeData<P: Payload> {
    /// What is known of each node.
    pub(super) payload: P,
    /// What is not. One pointer for all of it: most nodes are directories without subdirectories,
    /// and are as their kind says.
    pub(super) ext: OnceBox<NodeExt<P>>,
}

/// What most nodes do without.
pub(super) struct NodeExt<P: Payload> {
    /// The children. Behind a pointer of its own, as what has more seldom has children.
    pub(super) children: OnceBox<ChildList<P>>,
    /// For the payload.
    pub(super) payload_ext: P::Ext,
}

/// The children of a node, of which there are some, or were, or will be soon.
pub(super) struct ChildList<P: Payload> {
    /// The tree. Kept here, and not in each child.
    pub(super) tree: NonNull<Tree<P>>,
    /// The oldest child. Written under the tree lock, read also under SRCU.
    pub(super) first: Atomic<*mut Node<P>>,
    /// What is under the tree lock.
    pub(super) locked: UnsafeCell<LockedList<P>>,
}

/// What is under the tree lock of the children of a node.
pub(super) struct LockedList<P: Payload> {
    /// The newest child, where the next one is appended.
    pub(super) last: *mut Node<P>,
    /// How many there are.
    pub(super) count: usize,
    /// How often one was added or removed, and 1.
    pub(super) generation: u64,
    /// The generation that was found to be right by who knows; 0 if none was.
    pub(super) verified: u64,
}

impl<P: Payload> LockedList<P> {
    /// No children.
    pub(super) const EMPTY: Self = Self {
        last: ptr::null_mut(),
        count: 0,
        generation: 1,
        verified: 0,
    };
}

impl<P: Payload> NodeData<P> {
    /// Just the payload.
    pub(super) fn new(payload: P) -> Self {
        Self {
            payload,
            ext: OnceBox::new(),
        }
    }

    /// The place for what most nodes do without. May sleep.
    fn make_node_ext(&self) -> Result<&NodeExt<P>> {
        self.ext.get_or_try_init(|| {
            let ext = NodeExt {
                children: OnceBox::new(),
                payload_ext: P::new_ext(),
            };
            Ok(KBox::new(ext, GFP_KERNEL)?)
        })
    }

    /// What is not known of most nodes, if it is of this one.
    pub(crate) fn ext(&self) -> Option<&P::Ext> {
        Some(&self.ext.get()?.payload_ext)
    }

    /// What is not known of most nodes, made if it is not there yet. May sleep.
    pub(crate) fn make_ext(&self) -> Result<&P::Ext> {
        Ok(&self.make_node_ext()?.payload_ext)
    }

    /// The children, if there have ever been some.
    pub(super) fn list(&self) -> Option<&ChildList<P>> {
        self.ext.get()?.children.get()
    }

    /// Makes it possible that there are children. May sleep.
    ///
    /// `tree` must be the one of the node.
    pub(super) fn make_list(&self, tree: &Tree<P>) -> Result {
        self.make_node_ext()?.children.get_or_try_init(|| {
            let list = ChildList {
                tree: NonNull::from(tree),
                first: Atomic::new(ptr::null_mut()),
                locked: UnsafeCell::new(LockedList::EMPTY),
            };
            Ok(KBox::new(list, GFP_KERNEL)?)
        })?;
        Ok(())
    }
}

impl<P: Payload> Deref for NodeData<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.payload
    }
}

/// Memory that is of use for one thing after the other: see the invariants of [`Node`].
#[repr(C)]
pub(super) union DataOrRcu<P: Payload> {
    /// While there are counted references.
    pub(super) data: ManuallyDrop<NodeData<P>>,
    /// For the grace periods, after them.
    pub(super) rcu: bindings::callback_head,
}

/// Another such place: see the invariants of [`Node`].
#[repr(C)]
pub(super) union Neighbour<P: Payload> {
    /// The sibling that was added before a linked node, null if there is none.
    pub(super) previous: *mut Node<P>,
    /// The node behind one in the chain of a [`Removed`], null if there is none.
    pub(super) after: *mut Node<P>,
    /// The tree that a node without references is still counted in.
    pub(super) tree: *const Tree<P>,
}

/// A node: the metadata of a directory, or of a file that has a name of its own.
///
/// There are many of them, and each byte counts. With 32 bytes of [`NodeData`] it takes 80, so that
/// the most usual names, of up to 16 bytes, fit with it into 96. What is not here: the tree, which
/// the parent knows; the children, which most do not have; memory for the grace periods.
///
/// # Invariants
///
/// - `parent` is null (only for the root), or points to a node of the same tree of which this one
///   owns a reference, until its own last reference is gone.
/// - `next`, `link`, and `first` of a [`ChildList`] lead to nodes whose memory stays valid for who
///   reads them in an SRCU read-side critical section of the tree, or under the tree lock.
/// - `name_len` bytes of name follow the struct in the same allocation. They, `name_len`, `parent`
///   and the key in `link` never change.
/// - `data` is what the node carries while there are counted references, and is used by their
///   owners only. Then it is for the grace periods. Without a reference (a [`RcuNode`], a search in
///   the index, an iteration) one reads `link`, `dead`, `next`, the name, and `parent` as an
///   address. None of these shares its memory with anything. (In C, `is_freed` shared it with a
///   list link, and told that a removed node was not (U06).) So nothing that is shared has to tell
///   what it is: who uses it has the reference, or the lock, that says so.
/// - `neighbour` is `previous` while the node is linked, and is used under the tree lock; then `after`,
///   and is used by the [`Removed`] that owns the tree's reference; then `tree`, once there are no
///   references.
/// - The root, and each node that is a parent, carry a [`ChildList`] with their tree. The tree is
///   valid as long as the node is.
#[repr(C)]
pub(crate) struct Node<P: Payload> {
    /// The place in the index, with the counted references: what `NodeRef`s and the tree own. Zero
    /// for good once it is zero. First, so that a pointer to it is one to the node.
    pub(super) link: Link,
    /// The [`ActiveRef`]s that there are: here, as removal waits for each node by itself, and cannot
    /// allocate anything to count them in.
    pub(super) active: Atomic<u32>,
    /// Whether the node was removed. Set under the tree lock, read without; never cleared.
    pub(super) dead: Atomic<bool>,
    /// The bytes of name that follow the struct: there is no pointer to them.
    pub(super) name_len: u8,
    /// The directory that the node is in, null for the root. It tells nodes of the same name apart,
    /// leads to the tree, and path by path to the dentries.
    pub(super) parent: *const Node<P>,
    /// The sibling that was added after this one: the order of listings. Written under the tree
    /// lock; it stays as it is when the node is removed, for readers that are here.
    pub(super) next: Atomic<*mut Node<P>>,
    /// The sibling before, so that removal need not search for it; then for other things.
    pub(super) neighbour: UnsafeCell<Neighbour<P>>,
    /// What the node is for, then memory for the grace periods.
    pub(super) data: UnsafeCell<DataOrRcu<P>>,
}

/// A counted reference to a node.
pub(crate) type NodeRef<P> = ARef<Node<P>>;

// SAFETY: The fields that are not thread-safe by themselves are used under the tree lock, by a
// `Removed`, or by the one who dropped the last reference, by the type invariants. What is carried
// is `Send` and `Sync`, but for the ends of the list of children, for which the same holds.
unsafe impl<P: Payload> Send for Node<P> {}
// SAFETY: As above.
unsafe impl<P: Payload> Sync for Node<P> {}

impl<P: Payload> Node<P> {
    /// How to allocate a node with a name of this length.
    pub(super) fn layout(name_len: usize) -> Layout {
        let size = size_of::<Self>() + name_len;
        // SAFETY: The alignment is that of a type. The name is short, so the size is far from
        // overflowing.
        unsafe { Layout::from_size_align_unchecked(size, align_of::<Self>()) }
    }

    /// The name, without a terminating zero. Empty for the root.
    pub(crate) fn name(&self) -> &[u8] {
        let start = ptr::from_ref(self).wrapping_add(1).cast::<u8>();
        // The pointer is one into the allocation that the node is at the beginning of.
        // SAFETY: By the type invariants the name follows the struct and does not change.
        unsafe { core::slice::from_raw_parts(start, usize::from(self.name_len)) }
    }

    /// What the node carries.
    pub(crate) fn payload(&self) -> &NodeData<P> {
        // SAFETY: A reference to `self` is a counted one (others get a `RcuNode`, which does not give
        // it away), so by the type invariants this is what the content is.
        unsafe { &(*self.data.get()).data }
    }

    /// Whether the node was removed. Once it was, it stays so.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Acquire)
    }

    /// Begins to use what the payload leads to; `None` if the node was removed. Removal waits for
    /// those who have begun: see [`Node::drain`].
    pub(crate) fn get_active(&self) -> Option<ActiveRef<'_, P>> {
        // Those who try again and again do not keep the removal waiting.
        if self.is_dead() {
            return None;
        }
        // Full: either the removal sees the count, or the death is seen here.
        self.active.fetch_add(1, Full);
        let active = ActiveRef { node: self };
        (!self.is_dead()).then_some(active)
    }

    /// Waits until there is no [`ActiveRef`] to the node, which was removed. May sleep; to be called
    /// without locks that those who have one may want.
    pub(crate) fn drain(&self) {
        // Between the death of the node and the look at the count: see `Node::get_active()`.
        smp_mb(Full);
        if self.active.load(Acquire) == 0 {
            return;
        }
        let tree = self.tree();
        let mut waiting = tree.waiting.lock();
        while self.active.load(Acquire) != 0 {
            tree.left.wait(&mut waiting);
        }
    }

    /// The directory that the node is in, also after it was removed; `None` for the root.
    pub(crate) fn parent(&self) -> Option<&Node<P>> {
        // SAFETY: A reference to `self` is a counted one (others get a `RcuNode`, which does not give
        // it away), so by the type invariants the node owns a reference to its parent.
        unsafe { self.parent.as_ref() }
    }

    /// The tree that the node is part of.
    pub(crate) fn tree(&self) -> &Tree<P> {
        let list = self.parent().unwrap_or(self).payload().list();
        // SAFETY: By the type invariants a parent, and the root, have a list. Its tree is valid.
        unsafe { list.unwrap_unchecked().tree.as_ref() }
    }

    /// Whether the node is part of this tree.
    pub(super) fn is_in(&self, tree: &Tree<P>) -> bool {
        ptr::eq(self.tree(), tree)
    }

    /// The children, if there have ever been some, and the node is part of this tree.
    pub(super) fn list_in(&self, tree: &Tree<P>) -> Option<&ChildList<P>> {
        self.payload()
            .list()
            .filter(|list| ptr::eq(list.tree.as_ptr(), tree))
    }

    /// The oldest child, null if there is none. For those who have the tree lock.
    pub(super) fn first(&self) -> *mut Node<P> {
        self.payload()
            .list()
            .map_or(ptr::null_mut(), |list| list.first.load(Relaxed))
    }

    /// Finds a child by its name, unless it was removed.
    pub(crate) fn child<'g>(
        &self,
        name: &[u8],
        reader: &'g ReadGuard<'_, P>,
    ) -> Option<RcuNode<'g, P>> {
        self.list_in(reader.tree)?;
        // SAFETY: The reader is in an SRCU read-side critical section of this tree, which nodes
        // wait for between being unlinked and being freed.
        let node = unsafe { reader.tree.find(self, name) }?;
        // INVARIANT: `node` was linked within the critical section, which lasts for `'g`.
        let seen = RcuNode {
            node,
            _reader: PhantomData,
        };
        // A removal marks a node before it unlinks it, and may be interrupted in between.
        (!seen.is_dead()).then_some(seen)
    }

    /// The children, in the order of their creation.
    pub(crate) fn children<'g>(&self, reader: &'g ReadGuard<'_, P>) -> Children<'g, P> {
        let list = self.list_in(reader.tree);
        Children {
            next: list.map_or(ptr::null_mut(), |list| list.first.load(Acquire)),
            _reader: PhantomData,
        }
    }

    /// The siblings that were added after this node; `None` if it was removed, since then nobody
    /// knows where it was.
    pub(crate) fn siblings_after<'g>(
        &self,
        reader: &'g ReadGuard<'_, P>,
    ) -> Option<Children<'g, P>> {
        // Within the critical section: if the node is linked now, what is behind it is in memory
        // until the section ends.
        if !self.is_in(reader.tree) || self.is_dead() {
            return None;
        }
        Some(Children {
            next: self.next.load(Acquire),
            _reader: PhantomData,
        })
    }

    /// Drops what a node carries. What is left is for those who still see it.
    ///
    /// # Safety
    ///
    /// There must be no counted reference to the node any more but that of the caller, who gives it
    /// up. `tree` must be the one of the node.
    pub(super) unsafe fn empty(&self, tree: &Tree<P>) {
        // INVARIANT: Nobody else uses the place and the data, by the safety requirements. From
        // now on they are for what comes after the last reference.
        // SAFETY: As above; the content is what the node carries until here.
        unsafe {
            (*self.neighbour.get()).tree = tree;
            ManuallyDrop::drop(&mut (*self.data.get()).data);
        }
    }

    /// Frees a node that nobody can reach any more.
    ///
    /// # Safety
    ///
    /// The caller must be the only one that has the pointer, which is not used afterwards. The node
    /// must have been [emptied](Self::empty).
    pub(super) unsafe fn free(node: NonNull<Self>) {
        // SAFETY: The node is still valid here, and nobody else has it.
        let (tree, layout) = unsafe {
            let node = node.as_ref();
            let layout = Self::layout(usize::from(node.name_len));
            ((*node.neighbour.get()).tree, layout)
        };
        // What is left in a node needs no dropping.
        // SAFETY: The memory came from `Kmalloc` with this layout.
        unsafe { Kmalloc::free(node.cast(), layout) };
        // SAFETY: By its invariant the tree waits for the node to be subtracted here.
        unsafe { (*tree).nodes.fetch_sub(1, Release) };
    }

    /// Called after an SRCU grace period without references.
    ///
    /// # Safety
    ///
    /// `head` is the `data` field of a node that was emptied.
    unsafe extern "C" fn after_srcu(head: *mut bindings::callback_head) {
        // SAFETY: The field is free for this, by the type invariants of `Node`. RCU path walks
        // read the node from the dentry (L2): they are what this grace period is for.
        unsafe { bindings::call_rcu(head, Some(Self::after_rcu)) };
    }

    /// Called after the SRCU and the RCU grace period.
    ///
    /// # Safety
    ///
    /// As for [`Self::after_srcu`].
    unsafe extern "C" fn after_rcu(head: *mut bindings::callback_head) {
        let field = head.cast::<UnsafeCell<DataOrRcu<P>>>();
        // SAFETY: By the safety requirements this is the field of a node.
        let node = unsafe { kernel::container_of!(field, Self, data) };
        // SAFETY: There is no reference left, and no reader that could have found the node, which
        // was emptied. Its tree is valid until it is freed.
        unsafe {
            (*(*(*node).neighbour.get()).tree)
                .pending
                .fetch_sub(1, Relaxed);
            Self::free(NonNull::new_unchecked(node));
        }
    }
}

// SAFETY: Nodes are freed an RCU grace period after the last reference has gone.
unsafe impl<P: Payload> RcuForeign for NodeRef<P> {
    type RcuBorrowed<'a> = RcuNode<'a, P>;

    unsafe fn rcu_borrow<'a>(pointer: *mut c_void) -> RcuNode<'a, P> {
        // INVARIANT: The foreign pointer is one to the node, which is valid for `'a` by the safety
        // requirements and as nodes are freed an RCU grace period after the last reference has
        // gone.
        RcuNode {
            // SAFETY: Foreign pointers are not null.
            node: unsafe { NonNull::new_unchecked(pointer.cast()) },
            _reader: PhantomData,
        }
    }
}

// SAFETY: `refs` keeps the node valid: it is freed after the count has become zero.
unsafe impl<P: Payload> AlwaysRefCounted for Node<P> {
    fn inc_ref(&self) {
        self.link.refs.inc();
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        let mut obj = obj;
        // A loop where the parent's turn comes: depth is the user's, the stack is not (L6).
        loop {
            // SAFETY: The caller (later: the child) owns a reference.
            let node = unsafe { obj.as_ref() };
            if !node.link.refs.dec_and_test() {
                return;
            }
            // Until it is emptied all is as it was with the reference, which was the last one.
            let (parent, tree) = (node.parent, node.tree());
            // SAFETY: The count is zero.
            unsafe { node.empty(tree) };
            tree.pending.fetch_add(1, Relaxed);
            let head = node.data.get().cast();
            // SAFETY: By the type invariants the content is for this now. The node is not used
            // after this.
            unsafe { bindings::call_srcu(tree.srcu_ptr(), head, Some(Self::after_srcu)) };
            match NonNull::new(parent.cast_mut()) {
                Some(parent) => obj = parent,
                None => return,
            }
        }
    }
}

/// A use of what the payload of a node leads to, which is not over yet.
///
/// # Invariants
///
/// It is counted in `active` of the node.
pub(crate) struct ActiveRef<'a, P: Payload> {
    /// The node, which the user keeps.
    node: &'a Node<P>,
}

impl<P: Payload> Drop for ActiveRef<'_, P> {
    fn drop(&mut self) {
        // Full: as for `get_active()`.
        if self.node.active.fetch_sub(1, Full) == 1 && self.node.is_dead() {
            let tree = self.node.tree();
            // Under the lock, so that who is about to wait does not miss it.
            let _waiting = tree.waiting.lock();
            tree.left.notify_all();
        }
    }
}

/// A node that a reader under SRCU has found, or a path walk under RCU: valid, but not counted.
///
/// # Invariants
///
/// `node` is in memory for `'g`: it had a counted reference at some time in the SRCU or RCU
/// read-side critical section that lasts for `'g`, or has one for all of it.
pub(crate) struct RcuNode<'g, P: Payload> {
    /// In memory for `'g`; its count may be zero.
    pub(super) node: NonNull<Node<P>>,
    /// `'g` ends before the critical section does.
    pub(super) _reader: PhantomData<&'g ()>,
}

impl<'g, P: Payload> RcuNode<'g, P> {
    /// The node, for what may be read without a counted reference: not its parent, nor what it
    /// carries. See the invariants of [`Node`].
    pub(super) fn node(&self) -> &'g Node<P> {
        // SAFETY: By the type invariant: nodes are freed an SRCU and an RCU grace period after the
        // last counted reference has gone.
        unsafe { self.node.as_ref() }
    }

    /// Whether the node was removed.
    pub(crate) fn is_dead(&self) -> bool {
        self.node().is_dead()
    }

    /// The name of the node.
    pub(crate) fn name(&self) -> &'g [u8] {
        self.node().name()
    }

    /// Takes a reference, unless the last one is gone already.
    pub(crate) fn try_get(&self) -> Option<NodeRef<P>> {
        let refs = self.node().link.refs.as_atomic();
        let mut count = refs.load(Relaxed);
        // `refcount_inc_not_zero()`, which the kernel crate does not have: what overflows is
        // saturated (`REFCOUNT_SATURATED`), and stays so.
        loop {
            let next = match count {
                0 => return None,
                i32::MIN..0 => break,
                i32::MAX => i32::MIN / 2,
                _ => count + 1,
            };
            match refs.cmpxchg(count, next, Relaxed) {
                Ok(_) => break,
                Err(now) => count = now,
            }
        }
        // SAFETY: The count was incremented just now (or is saturated, and the node immortal).
        Some(unsafe { ARef::from_raw(self.node) })
    }
}

/// Iterates over the children of a node, in the order of their creation.
///
/// # Invariants
///
/// `next` is null, or as [`RcuNode::node`].
pub(crate) struct Children<'g, P: Payload> {
    /// What the iterator gives next, null at the end.
    pub(super) next: *mut Node<P>,
    /// `'g` ends before the critical section does.
    pub(super) _reader: PhantomData<&'g ()>,
}

impl<'g, P: Payload> Iterator for Children<'g, P> {
    type Item = RcuNode<'g, P>;

    fn next(&mut self) -> Option<Self::Item> {
        let node = NonNull::new(self.next)?;
        // SAFETY: By the type invariant.
        self.next = unsafe { node.as_ref() }.next.load(Acquire);
        // INVARIANT: If the node was unlinked meanwhile, what it leads to was linked when the node
        // was, or came later: it is as valid as the node is.
        Some(RcuNode {
            node,
            _reader: PhantomData,
        })
    }
}
