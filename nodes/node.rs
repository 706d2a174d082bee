// SPDX-License-Identifier: GPL-2.0

//! Nodes: their layout, their references, and their way back to the allocator.
//!
//! There are as many nodes as there are events, and each byte counts. So a node has no field whose
//! value follows from others (its tree is found through its parent), rarely needed state is
//! allocated on first use ([`NodeExt`]), and two fields are unions ([`Neighbour`], [`DataOrRcu`]).
//!
//! # References
//!
//! A [`NodeRef`] is a counted reference. A `&Node` is borrowed from one, or from the tree lock,
//! under which linked nodes stay linked. It gives access to all of the node.
//!
//! A reader that has come to a node without counting it has a [`RcuNode`]. The node may have lost
//! its last reference, and with that its data. So a [`RcuNode`] gives access to the [`NodeHead`]
//! only, which stays as it is until the memory is freed.
//!
//! # The end of a node
//!
//! When the last counted reference is dropped, the node is *emptied*: its data is dropped, and the
//! callback head takes its place. After an SRCU and then an RCU grace period no reader can have a
//! [`RcuNode`] to it, and its memory is freed. SRCU readers are those of this directory; RCU
//! readers are path walks, which find the node from a dentry (L2).
//!
//! Marks such as `(L2)` are rules of `Documentation/design.md`; marks such as `(U06)` are rows of
//! `Documentation/upstream-defects.md`.

use super::{
    active::ActiveCount,
    children::ChildList,
    index::Link,
    tree::Tree,
    update::Locked,
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
        Allocator,
        NumaNode, //
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
            Relaxed,
            Release, //
        },
        Mutex, //
    },
};

/// The metadata that a node carries for the user of the tree.
///
/// It is dropped with the last counted reference to the node, by the thread that drops that one:
/// never under the tree lock, but maybe within a read-side critical section of the tree. So
/// dropping must not wait for a grace period (L4).
pub(crate) trait Payload: Send + Sync + Sized + 'static {
    /// State that few nodes need. Other nodes take no memory for it.
    type Ext: Send + Sync + 'static;

    /// The initial value of that state.
    fn new_ext() -> Self::Ext;
}

/// The data of a node: its payload, and on demand state that few nodes need.
pub(crate) struct NodeData<P: Payload> {
    /// The metadata.
    payload: P,
    /// Rarely needed state. One pointer for all of it: most nodes are directories without
    /// subdirectories, whose attributes are those of their kind.
    ext: OnceBox<NodeExt<P>>,
}

/// Rarely needed state of a node.
struct NodeExt<P: Payload> {
    /// The children. Behind a pointer of its own, as few nodes need both this and the other.
    children: OnceBox<ChildList<P>>,
    /// The state for the payload.
    payload_ext: P::Ext,
}

impl<P: Payload> NodeData<P> {
    /// A payload without rarely needed state.
    pub(super) fn new(payload: P) -> Self {
        Self {
            payload,
            ext: OnceBox::new(),
        }
    }

    /// The rarely needed state, allocated on first use. May sleep.
    fn make_node_ext(&self) -> Result<&NodeExt<P>> {
        self.ext.get_or_try_init(|| {
            let ext = NodeExt {
                children: OnceBox::new(),
                payload_ext: P::new_ext(),
            };
            Ok(KBox::new(ext, GFP_KERNEL)?)
        })
    }

    /// The rarely needed state of the payload, if it was allocated.
    pub(crate) fn ext(&self) -> Option<&P::Ext> {
        Some(&self.ext.get()?.payload_ext)
    }

    /// The rarely needed state of the payload, allocated on first use. May sleep.
    pub(crate) fn make_ext(&self) -> Result<&P::Ext> {
        Ok(&self.make_node_ext()?.payload_ext)
    }

    /// The list of children, if the node has ever had one.
    pub(super) fn list(&self) -> Option<&ChildList<P>> {
        self.ext.get()?.children.get()
    }

    /// Makes sure that there is a list of children. May sleep.
    ///
    /// # Safety
    ///
    /// The data must be that of a node of `tree`, or become that. `lock` must be the lock of
    /// `tree`.
    pub(super) unsafe fn make_list(&self, tree: &Tree<P>, lock: &Mutex<Locked<P>>) -> Result {
        self.make_node_ext()?.children.get_or_try_init(|| {
            // SAFETY: `lock` is the lock of `tree`. The list is that of a node of the tree, which
            // is not freed before the node: its destructor waits.
            let list = unsafe { ChildList::new(tree, lock) };
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

/// The data, later the callback head: see the invariants of [`Node`].
#[repr(C)]
union DataOrRcu<P: Payload> {
    /// While there are counted references.
    data: ManuallyDrop<NodeData<P>>,
    /// Afterwards, for the grace periods.
    rcu: bindings::callback_head,
}

/// One pointer, whose meaning changes with the state of the node: see the invariants of [`Node`].
#[repr(C)]
union Neighbour<P: Payload> {
    /// Of a linked node: the sibling that was added before it, null if there is none.
    previous: *mut Node<P>,
    /// Of a node in a chain of removed nodes: the next one, null at the end.
    after: *mut Node<P>,
    /// Of a node without references: the tree that it is still counted in.
    tree: *const Tree<P>,
}

/// The part of a node that is valid until its memory is freed, with or without counted references.
///
/// In C, `is_freed` shared its memory with a list link, and reported a removed node as alive (U06).
/// Here nothing in the head shares its memory.
///
/// # Invariants
///
/// - It is at the beginning of a [`Node`] that [`Node::allocate`] made, and `name_len` bytes of
///   name follow that in the same allocation.
/// - The key in `link`, `name_len`, `parent` and the name never change.
/// - `next` is null, or a node that is in memory for every caller that holds the tree lock while
///   this node is linked, or is in a read-side critical section of the tree that began before this
///   node was unlinked.
#[repr(C)]
pub(super) struct NodeHead<P: Payload> {
    /// The place in the index, and the counted references: [`NodeRef`]s, and that of the tree. The
    /// first field, so that a pointer to it is one to the node.
    link: Link,
    /// The active references.
    active: ActiveCount,
    /// Whether the node was removed. Set under the tree lock, read without; never cleared.
    dead: Atomic<bool>,
    /// The length of the name, which follows the node: there is no pointer to it.
    name_len: u8,
    /// The directory that the node is in, null for the root. It distinguishes nodes of the same
    /// name, leads to the tree, and step by step to the dentries.
    parent: *const Node<P>,
    /// The sibling that was added after this one, null if there is none: the order of listings.
    /// Written under the tree lock. It keeps its value when the node is removed, for readers that
    /// stand here.
    next: Atomic<*mut Node<P>>,
}

/// A node: the metadata of a directory, or of a file that has a name of its own.
///
/// With 32 bytes of [`NodeData`] it takes 80, so that it fits into 96 with a name of up to 16
/// bytes, as most are.
///
/// # Invariants
///
/// - While there is a `&Node`, the node is not emptied. It is borrowed from a counted reference, or
///   from the tree lock under which the node is linked; or it belongs to the thread that has just
///   allocated the node, or has just dropped its last reference.
/// - `parent` is null (only for the root), or a node of the same tree, of which this one owns a
///   reference until its own last one is dropped.
/// - `data` holds the node's data until the node is emptied, and the callback head for the grace
///   periods afterwards.
/// - `neighbour` is `previous` while the node is linked, and belongs to the tree lock; then
///   `after`, and belongs to the [`Removed`](super::update::Removed) that owns the tree's
///   reference; then `tree`, once the node is emptied.
/// - The root, and each node that is a parent, have a [`ChildList`] of their tree. The tree is
///   valid as long as the node is.
#[repr(C)]
pub(crate) struct Node<P: Payload> {
    /// The part that readers without a reference may use.
    head: NodeHead<P>,
    /// The previous sibling, so that removal need not search for it; then other things.
    neighbour: UnsafeCell<Neighbour<P>>,
    /// The data, then memory for the grace periods.
    data: UnsafeCell<DataOrRcu<P>>,
}

/// A counted reference to a node.
pub(crate) type NodeRef<P> = ARef<Node<P>>;

// SAFETY: `head` consists of atomics, and of fields that never change. `neighbour` is used under
// the tree lock, by the owner of a chain of removed nodes, or by the thread that has dropped the
// last reference, and by no two of them at a time. The data is `Send` and `Sync`; it is dropped by
// the thread that drops the last reference, and the callback head is used by that thread and then
// by the callbacks.
unsafe impl<P: Payload> Send for Node<P> {}
// SAFETY: Shared references to a node give access to `head`, which consists of atomics and of
// fields that never change, and to the data, which is `Sync`. `neighbour` is only used by the
// holder of the tree lock, or by the owner of a chain of removed nodes.
unsafe impl<P: Payload> Sync for Node<P> {}

impl<P: Payload> NodeHead<P> {
    /// The name, without a terminating zero. Empty for the root.
    pub(super) fn name(&self) -> &[u8] {
        // A pointer that is made from `self` may be used for the head only. The allocation has
        // exposed its provenance, which this one gets.
        let node = ptr::from_ref(self).addr();
        let name = ptr::with_exposed_provenance(node.wrapping_add(size_of::<Node<P>>()));
        // SAFETY: By the type invariants `name_len` bytes of name follow the node in the same
        // allocation, whose provenance `Node::allocate()` has exposed, and do not change. The
        // allocation is not freed while there is a reference to the head.
        unsafe { core::slice::from_raw_parts(name, usize::from(self.name_len)) }
    }

    /// Whether the node was removed.
    fn is_dead(&self) -> bool {
        self.dead.load(Acquire)
    }
}

impl<P: Payload> Node<P> {
    /// The memory layout of a node with a name of this length.
    fn layout(name_len: u8) -> Layout {
        let size = size_of::<Self>() + usize::from(name_len);
        // SAFETY: The alignment is that of a type, so it is a power of two. The size is that of a
        // type and at most 255 more, so rounding it up does not overflow.
        unsafe { Layout::from_size_align_unchecked(size, align_of::<Self>()) }
    }

    /// Allocates a node with one reference, and counts it in `tree`. May sleep.
    ///
    /// It does not own a reference to `parent` yet.
    ///
    /// # Errors
    ///
    /// - `ENAMETOOLONG`: the name does not fit.
    /// - `ENOMEM`.
    pub(super) fn allocate(
        tree: &Tree<P>,
        parent: *const Node<P>,
        name: &[u8],
        data: NodeData<P>,
    ) -> Result<NonNull<Self>> {
        let name_len = u8::try_from(name.len()).map_err(|_| ENAMETOOLONG)?;
        let memory = Kmalloc::alloc(Self::layout(name_len), GFP_KERNEL, NumaNode::NO_NODE)?;
        let node = memory.cast::<Self>();
        let head = NodeHead {
            link: Link::new(tree.key_of(parent, name)),
            active: ActiveCount::new(),
            dead: Atomic::new(false),
            name_len,
            parent,
            next: Atomic::new(ptr::null_mut()),
        };
        // INVARIANT: The name follows the node. `data` holds the data, and the node is not emptied.
        // `neighbour` is `previous`, as it will be when the node is linked.
        // SAFETY: The memory is valid for writes of a node and `name_len` bytes, by its layout, and
        // nobody else has it.
        unsafe {
            node.write(Self {
                head,
                neighbour: UnsafeCell::new(Neighbour {
                    previous: ptr::null_mut(),
                }),
                data: UnsafeCell::new(DataOrRcu {
                    data: ManuallyDrop::new(data),
                }),
            });
            ptr::copy_nonoverlapping(name.as_ptr(), node.add(1).cast().as_ptr(), name.len());
        }
        // For `NodeHead::name()`.
        let _address = node.as_ptr().expose_provenance();
        tree.node_allocated();
        Ok(node)
    }

    /// The name, without a terminating zero. Empty for the root.
    pub(crate) fn name(&self) -> &[u8] {
        self.head.name()
    }

    /// The data of the node.
    pub(crate) fn payload(&self) -> &NodeData<P> {
        // SAFETY: By the type invariants the node is not emptied while there is a `&Node`, and
        // until then `data` holds the node's data, which is only written when it is emptied.
        unsafe { &(*self.data.get()).data }
    }

    /// Whether the node was removed. A dead node stays dead.
    pub(crate) fn is_dead(&self) -> bool {
        self.head.is_dead()
    }

    /// Marks the node as removed.
    pub(super) fn mark_dead(&self) {
        self.head.dead.store(true, Release);
    }

    /// The directory that the node is in, also after it was removed; `None` for the root.
    pub(crate) fn parent(&self) -> Option<&Node<P>> {
        // SAFETY: By the type invariants the parent is null, or the node owns a reference to it
        // until its own last one is dropped. The thread that drops that one gives up the reference
        // to the parent after it has emptied the node, and there is no `&Node` then.
        unsafe { self.head.parent.as_ref() }
    }

    /// The tree that the node is part of.
    pub(crate) fn tree(&self) -> &Tree<P> {
        let list = self.parent().unwrap_or(self).payload().list();
        // SAFETY: By the type invariants each parent, and the root, have a list. Once made it is
        // never taken away.
        unsafe { list.unwrap_unchecked() }.tree()
    }

    /// Whether the node is part of this tree.
    pub(super) fn is_in(&self, tree: &Tree<P>) -> bool {
        ptr::eq(self.tree(), tree)
    }

    /// The list of children, if the node has ever had one and is part of this tree.
    pub(super) fn list_in(&self, tree: &Tree<P>) -> Option<&ChildList<P>> {
        self.payload()
            .list()
            .filter(|list| ptr::eq(list.tree(), tree))
    }

    /// The place in the index.
    pub(super) fn link(&self) -> &Link {
        &self.head.link
    }

    /// The active references.
    pub(super) fn active_count(&self) -> &ActiveCount {
        &self.head.active
    }

    /// The sibling that was added after this node, null if there is none. Of a dead node: when it
    /// was removed.
    pub(super) fn next(&self) -> *mut Node<P> {
        self.head.next.load(Acquire)
    }

    /// Changes the next sibling. Readers find it from then on.
    ///
    /// # Safety
    ///
    /// The caller must hold the tree lock. `next` must be null, or a complete sibling that was
    /// added after this node, and is linked or becomes so by this.
    pub(super) unsafe fn set_next(&self, next: *mut Node<P>) {
        // INVARIANT: A linked node is in memory under the tree lock, and for every reader whose
        // critical section begins before a grace period after it was unlinked.
        self.head.next.store(next, Release);
    }

    /// The sibling that was added before this node, null if there is none.
    ///
    /// # Safety
    ///
    /// The node must be linked, and the caller must hold the tree lock.
    pub(super) unsafe fn previous(&self) -> *mut Node<P> {
        // SAFETY: By the type invariants `neighbour` of a linked node is `previous`, and belongs to
        // the tree lock, which the caller holds.
        unsafe { (*self.neighbour.get()).previous }
    }

    /// Changes the previous sibling.
    ///
    /// # Safety
    ///
    /// The node must be linked, or about to be, and the caller must hold the tree lock.
    pub(super) unsafe fn set_previous(&self, previous: *mut Node<P>) {
        // SAFETY: By the type invariants `neighbour` of a linked node belongs to the tree lock,
        // which the caller holds; that of a new node belongs to the caller.
        unsafe { (*self.neighbour.get()).previous = previous };
    }

    /// The next node in a chain of removed nodes, null at the end.
    ///
    /// # Safety
    ///
    /// The node must be in a chain that the caller owns or has borrowed.
    pub(super) unsafe fn after(&self) -> *mut Node<P> {
        // SAFETY: By the type invariants `neighbour` of a removed node is `after`, and belongs to
        // the chain, which the caller has.
        unsafe { (*self.neighbour.get()).after }
    }

    /// Changes the next node in a chain of removed nodes.
    ///
    /// # Safety
    ///
    /// The node must be unlinked, with the tree's reference to it, and the caller must own the
    /// chain that it is in, or be about to put it into one.
    pub(super) unsafe fn set_after(&self, after: *mut Node<P>) {
        // SAFETY: By the type invariants `neighbour` of an unlinked node belongs to the owner of
        // the tree's reference: the chain, which the caller owns.
        unsafe { (*self.neighbour.get()).after = after };
    }

    /// Whether a node is the child of `parent` with this name.
    ///
    /// # Safety
    ///
    /// `node` must be in memory; it need not have counted references.
    pub(super) unsafe fn is_child(node: NonNull<Self>, parent: &Node<P>, name: &[u8]) -> bool {
        // SAFETY: The node is in memory, and nobody writes to its head except by atomics. A
        // reference to the head asserts nothing of the rest of the node.
        let head = unsafe { &(*node.as_ptr()).head };
        ptr::eq(head.parent, parent) && head.name() == name
    }

    /// Drops the data of a node. What remains is for those that have a [`RcuNode`] to it.
    ///
    /// # Safety
    ///
    /// The caller must have dropped the last counted reference, or be the only one that has the
    /// node. It must not have been emptied before, and no `&Node` of it must be left.
    /// `tree` must be the tree of the node.
    unsafe fn empty(node: NonNull<Self>, tree: *const Tree<P>) {
        let node = node.as_ptr();
        // INVARIANT: `neighbour` is `tree`, and `data` is for the callback head from now on.
        // SAFETY: The node is in memory, as only an emptied one is freed. There is no counted
        // reference and no `&Node`, so nobody else uses `neighbour` and `data`. The latter holds
        // the node's data, as the node was not emptied before.
        unsafe {
            (*(*node).neighbour.get()).tree = tree;
            ManuallyDrop::drop(&mut (*(*node).data.get()).data);
        }
    }

    /// Frees the memory of a node.
    ///
    /// # Safety
    ///
    /// The node must have been [emptied](Self::empty), and nobody else must be able to reach it. It
    /// must not be used afterwards. `free` may be the last use of its tree.
    unsafe fn free(node: NonNull<Self>) {
        let raw = node.as_ptr();
        // SAFETY: The node is still in memory. It was emptied, so `neighbour` is `tree`.
        let (tree, name_len) = unsafe { ((*(*raw).neighbour.get()).tree, (*raw).head.name_len) };
        // SAFETY: `allocate()` got the memory from `Kmalloc` with this layout, and it is not used
        // after this. A node that was emptied has nothing left to drop.
        unsafe { Kmalloc::free(node.cast(), Self::layout(name_len)) };
        // SAFETY: The tree is valid, as the node is counted in it until here.
        unsafe { Tree::node_freed(tree) };
    }

    /// Frees a node that has never been visible, and drops its reference to its parent.
    ///
    /// # Safety
    ///
    /// The caller must be the only one that has the node, which must own a reference to its parent.
    /// It must not be used afterwards.
    pub(super) unsafe fn discard(node: NonNull<Self>) {
        let (parent, tree) = {
            // SAFETY: The caller has the node, with all its references.
            let node = unsafe { node.as_ref() };
            (node.head.parent, ptr::from_ref(node.tree()))
        };
        // SAFETY: Nobody else has the node, so all references to it are given up here, no reader
        // can reach it, and `tree` is its tree: the parent keeps it until below.
        unsafe {
            Self::empty(node, tree);
            Self::free(node);
        }
        if let Some(parent) = NonNull::new(parent.cast_mut()) {
            // SAFETY: The node owned a reference to its parent, which is given up here.
            unsafe { Self::dec_ref(parent) };
        }
    }

    /// Called after an SRCU grace period without references.
    ///
    /// # Safety
    ///
    /// `head` must be the `data` field of a node that was emptied, and was not reachable for new
    /// SRCU readers when the grace period began.
    unsafe extern "C" fn after_srcu(head: *mut bindings::callback_head) {
        // Path walks read the node from a dentry under RCU (L2): the second grace period is for
        // them.
        // SAFETY: By the type invariants of `Node` the field is for the callback head, once the
        // node was emptied. The node stays in memory until `after_rcu()` frees it.
        unsafe { bindings::call_rcu(head, Some(Self::after_rcu)) };
    }

    /// Called after the SRCU and then an RCU grace period without references.
    ///
    /// # Safety
    ///
    /// `head` must be the `data` field of a node that was emptied, and was not reachable for new
    /// readers when the grace periods began. Nobody must use the node afterwards.
    unsafe extern "C" fn after_rcu(head: *mut bindings::callback_head) {
        let field = head.cast::<UnsafeCell<DataOrRcu<P>>>();
        // SAFETY: `head` is the `data` field of a node.
        let node = unsafe { kernel::container_of!(field, Self, data) };
        // SAFETY: The node was emptied, so `neighbour` is its tree, which is valid until the node
        // is freed. The grace periods have passed, so no reader has a `RcuNode` to it. The pointer
        // is not null, as it points to a node.
        unsafe {
            (*(*(*node).neighbour.get()).tree)
                .pending
                .fetch_sub(1, Relaxed);
            Self::free(NonNull::new_unchecked(node));
        }
    }
}

// SAFETY: The count keeps the node valid: it is emptied and freed after the count has become zero,
// which `dec_ref()` does only with the last reference.
unsafe impl<P: Payload> AlwaysRefCounted for Node<P> {
    fn inc_ref(&self) {
        self.head.link.refs.inc();
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        let mut obj = obj;
        // A loop over the ancestors: their number is the user's choice, the stack is not (L6).
        loop {
            let raw = obj.as_ptr();
            // SAFETY: The caller, or the child that was emptied, owns a reference, and gives it up.
            if !unsafe { (*raw).head.link.refs.dec_and_test() } {
                return;
            }
            // Until the node is emptied all is as it was with the reference, which was the last.
            // SAFETY: The count has become zero here, so this thread, and no other, empties the
            // node below. Until then it has its data, and owns its reference to its parent.
            let (parent, tree) = unsafe { ((*raw).head.parent, (*raw).tree()) };
            // SAFETY: The last reference was given up above, and `tree` is the tree of the node.
            unsafe { Self::empty(obj, tree) };
            tree.pending.fetch_add(1, Relaxed);
            let srcu = tree.srcu_ptr();
            // SAFETY: The node is still in memory. It was emptied, so by the type invariants `data`
            // is for the callback head. Readers do not find the node: the tree's reference was
            // dropped, which happens after the node was unlinked. `srcu` is the structure that they
            // use; it is valid, as the tree waits for its nodes. The node is not used after this.
            unsafe {
                let head = (&raw mut (*raw).data).cast();
                bindings::call_srcu(srcu, head, Some(Self::after_srcu));
            }
            match NonNull::new(parent.cast_mut()) {
                Some(parent) => obj = parent,
                None => return,
            }
        }
    }
}

/// A node that a reader under SRCU, or a path walk under RCU, has found: in memory, but not
/// counted.
///
/// # Invariants
///
/// `node` is in memory for `'g`: it has had a counted reference at some time in the SRCU or RCU
/// read-side critical section that lasts for `'g`, or has one for all of `'g`.
pub(crate) struct RcuNode<'g, P: Payload> {
    /// In memory for `'g`; its count may be zero.
    node: NonNull<Node<P>>,
    /// `'g` ends before the critical section does.
    _reader: PhantomData<&'g ()>,
}

impl<'g, P: Payload> RcuNode<'g, P> {
    /// A node that was found.
    ///
    /// # Safety
    ///
    /// `node` must have had a counted reference at some time in an SRCU read-side critical section
    /// of its tree, or in an RCU read-side critical section, that lasts for `'g`; or it must have
    /// one for all of `'g`.
    pub(super) unsafe fn new(node: NonNull<Node<P>>) -> Self {
        // INVARIANT: A node is freed an SRCU and an RCU grace period after it has lost its last
        // counted reference, so by the safety requirements it is in memory for `'g`.
        Self {
            node,
            _reader: PhantomData,
        }
    }

    /// The part of the node that is valid without a counted reference.
    pub(super) fn head(&self) -> &'g NodeHead<P> {
        // SAFETY: By the type invariant the node is in memory for `'g`, and nobody writes to its
        // head except by atomics. A reference to the head asserts nothing of the rest of the node.
        unsafe { &(*self.node.as_ptr()).head }
    }

    /// Whether the node was removed.
    pub(crate) fn is_dead(&self) -> bool {
        self.head().is_dead()
    }

    /// The sibling that was added after this node, null if there is none. Of a dead node: when it
    /// was removed.
    pub(super) fn next(&self) -> *mut Node<P> {
        self.head().next.load(Acquire)
    }

    /// Takes a reference, unless the last one is gone already.
    pub(crate) fn try_get(&self) -> Option<NodeRef<P>> {
        if !self.head().link.refs.try_inc() {
            return None;
        }
        // SAFETY: The node is in memory, and its count was incremented just now for this reference
        // (or is saturated, and the node immortal).
        Some(unsafe { ARef::from_raw(self.node) })
    }
}

// SAFETY: A node is freed an RCU grace period after its last reference was dropped, and the view
// gives access to the part that is valid until then.
unsafe impl<P: Payload> RcuForeign for NodeRef<P> {
    type RcuBorrowed<'a> = RcuNode<'a, P>;

    unsafe fn rcu_borrow<'a>(pointer: *mut c_void) -> RcuNode<'a, P> {
        // SAFETY: The foreign pointer of a `NodeRef` is the address of its node, and not null. By
        // the safety requirements it has been a counted reference at some time in an RCU read-side
        // critical section that lasts for `'a`.
        unsafe { RcuNode::new(NonNull::new_unchecked(pointer.cast())) }
    }
}
