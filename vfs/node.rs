// SPDX-License-Identifier: GPL-2.0

//! Trees of reference-counted nodes that are read under SRCU (L1, L2, L6).
//!
//! A [`Tree`] is pure metadata: it knows nothing of dentries and inodes. Who owns what:
//!
//! - A node owns what it carries until its last counted reference ([`NodeRef`]) is gone. Its memory
//!   is freed when then an SRCU and an RCU grace period have passed: see [`Seen`]. While it is
//!   linked, its tree owns one such reference.
//! - A node owns a reference to its parent, until its own last reference goes.
//! - A tree outlives its nodes: its destructor waits for them.
//!
//! The tree lock orders all changes. It is innermost and held shortly: see L3.
//!
//! Corresponds to the links, the `is_freed` flag and the `kref` of `struct eventfs_inode` in
//! [`fs/tracefs/internal.h`](srctree/fs/tracefs/internal.h).

use super::{
    index::{
        self,
        Index,
        Link,
        Spare, //
    },
    OnceBox,
    RcuForeign, //
};
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
    new_condvar,
    new_mutex,
    new_srcu,
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
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
        srcu,
        CondVar,
        Mutex,
        Srcu, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// The longest name of a node, in bytes (`NAME_MAX`).
pub(crate) const NAME_MAX: usize = bindings::NAME_MAX as usize;

/// What is known of a node.
///
/// It is dropped with the last counted reference to the node, where that is given up: not under the
/// tree lock, but maybe by a [`Reader`], so that dropping must not wait for a grace period (L4).
pub(crate) trait Payload: Send + Sync + Sized + 'static {
    /// What is not known of most nodes. They pay nothing for it.
    type More: Send + Sync + 'static;

    /// What is in it when it is first needed.
    fn more() -> Self::More;
}

/// What a node carries: its payload, and on demand what most nodes do without.
pub(crate) struct Carried<P: Payload> {
    /// What is known of each node.
    payload: P,
    /// What is not. One pointer for all of it: most nodes are directories without subdirectories,
    /// and are as their kind says.
    extra: OnceBox<Extra<P>>,
}

/// What most nodes do without.
struct Extra<P: Payload> {
    /// The children. Behind a pointer of its own, as what has more seldom has children.
    children: OnceBox<ChildList<P>>,
    /// For the payload.
    more: P::More,
}

/// The children of a node, of which there are some, or were, or will be soon.
struct ChildList<P: Payload> {
    /// The tree. Kept here, and not in each child.
    tree: NonNull<Tree<P>>,
    /// The oldest child. Written under the tree lock, read also under SRCU.
    first: Atomic<*mut Node<P>>,
    /// What is under the tree lock.
    locked: UnsafeCell<LockedList<P>>,
}

/// What is under the tree lock of the children of a node.
struct LockedList<P: Payload> {
    /// The newest child, where the next one is appended.
    last: *mut Node<P>,
    /// How many there are.
    count: usize,
    /// How often one was added or removed, and 1.
    version: u64,
    /// The version that was found to be right by who knows; 0 if none was.
    checked: u64,
}

impl<P: Payload> LockedList<P> {
    /// No children.
    const EMPTY: Self = Self {
        last: ptr::null_mut(),
        count: 0,
        version: 1,
        checked: 0,
    };
}

impl<P: Payload> Carried<P> {
    /// Just the payload.
    fn new(payload: P) -> Self {
        Self {
            payload,
            extra: OnceBox::new(),
        }
    }

    /// The place for what most nodes do without. May sleep.
    fn make_extra(&self) -> Result<&Extra<P>> {
        self.extra.get_or_try_init(|| {
            let extra = Extra {
                children: OnceBox::new(),
                more: P::more(),
            };
            Ok(KBox::new(extra, GFP_KERNEL)?)
        })
    }

    /// What is not known of most nodes, if it is of this one.
    pub(crate) fn more(&self) -> Option<&P::More> {
        Some(&self.extra.get()?.more)
    }

    /// What is not known of most nodes, made if it is not there yet. May sleep.
    pub(crate) fn make_more(&self) -> Result<&P::More> {
        Ok(&self.make_extra()?.more)
    }

    /// The children, if there have ever been some.
    fn list(&self) -> Option<&ChildList<P>> {
        self.extra.get()?.children.get()
    }

    /// Makes it possible that there are children. May sleep.
    ///
    /// `tree` must be the one of the node.
    fn make_list(&self, tree: &Tree<P>) -> Result {
        self.make_extra()?.children.get_or_try_init(|| {
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

impl<P: Payload> Deref for Carried<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.payload
    }
}

/// Memory that is of use for one thing after the other: see the invariants of [`Node`].
#[repr(C)]
union Content<P: Payload> {
    /// While there are counted references.
    carried: ManuallyDrop<Carried<P>>,
    /// For the grace periods, after them.
    rcu: bindings::callback_head,
}

/// Another such place: see the invariants of [`Node`].
#[repr(C)]
union Place<P: Payload> {
    /// The sibling that was added before a linked node, null if there is none.
    previous: *mut Node<P>,
    /// The node behind one in the chain of a [`Removed`], null if there is none.
    after: *mut Node<P>,
    /// The tree that a node without references is still counted in.
    tree: *const Tree<P>,
}

/// A node: the metadata of a directory, or of a file that has a name of its own.
///
/// There are many of them, and each byte counts. With 32 bytes of [`Carried`] it takes 80, so that
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
/// - `content` is what the node carries while there are counted references, and is used by their
///   owners only. Then it is for the grace periods. Without a reference (a [`Seen`], a search in
///   the index, an iteration) one reads `link`, `dead`, `next`, the name, and `parent` as an
///   address. None of these shares its memory with anything. (In C, `is_freed` shared it with a
///   list link, and told that a removed node was not (U06).) So nothing that is shared has to tell
///   what it is: who uses it has the reference, or the lock, that says so.
/// - `place` is `previous` while the node is linked, and is used under the tree lock; then `after`,
///   and is used by the [`Removed`] that owns the tree's reference; then `tree`, once there are no
///   references.
/// - The root, and each node that is a parent, carry a [`ChildList`] with their tree. The tree is
///   valid as long as the node is.
#[repr(C)]
pub(crate) struct Node<P: Payload> {
    /// The place in the index, with the counted references: what `NodeRef`s and the tree own. Zero
    /// for good once it is zero. First, so that a pointer to it is one to the node.
    link: Link,
    /// The [`Inside`]s that there are: here, as removal waits for each node by itself, and cannot
    /// allocate anything to count them in.
    calls: Atomic<u32>,
    /// Whether the node was removed. Set under the tree lock, read without; never cleared.
    dead: Atomic<bool>,
    /// The bytes of name that follow the struct: there is no pointer to them.
    name_len: u8,
    /// The directory that the node is in, null for the root. It tells nodes of the same name apart,
    /// leads to the tree, and path by path to the dentries.
    parent: *const Node<P>,
    /// The sibling that was added after this one: the order of listings. Written under the tree
    /// lock; it stays as it is when the node is removed, for readers that are here.
    next: Atomic<*mut Node<P>>,
    /// The sibling before, so that removal need not search for it; then for other things.
    place: UnsafeCell<Place<P>>,
    /// What the node is for, then memory for the grace periods.
    content: UnsafeCell<Content<P>>,
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
    fn layout(name_len: usize) -> Layout {
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
    pub(crate) fn payload(&self) -> &Carried<P> {
        // SAFETY: A reference to `self` is a counted one (others get a `Seen`, which does not give
        // it away), so by the type invariants this is what the content is.
        unsafe { &(*self.content.get()).carried }
    }

    /// Whether the node was removed. Once it was, it stays so.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Acquire)
    }

    /// Begins to use what the payload leads to; `None` if the node was removed. Removal waits for
    /// those who have begun: see [`Tree::wait_until_left`].
    pub(crate) fn enter(&self) -> Option<Inside<'_, P>> {
        // Those who try again and again do not keep the removal waiting.
        if self.is_dead() {
            return None;
        }
        // Full: either the removal sees the count, or the death is seen here.
        self.calls.fetch_add(1, Full);
        let inside = Inside { node: self };
        (!self.is_dead()).then_some(inside)
    }

    /// The directory that the node is in, also after it was removed; `None` for the root.
    pub(crate) fn parent(&self) -> Option<&Node<P>> {
        // SAFETY: A reference to `self` is a counted one (others get a `Seen`, which does not give
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
    fn is_in(&self, tree: &Tree<P>) -> bool {
        ptr::eq(self.tree(), tree)
    }

    /// The children, if there have ever been some, and the node is part of this tree.
    fn list_in(&self, tree: &Tree<P>) -> Option<&ChildList<P>> {
        self.payload()
            .list()
            .filter(|list| ptr::eq(list.tree.as_ptr(), tree))
    }

    /// The oldest child, null if there is none. For those who have the tree lock.
    fn first(&self) -> *mut Node<P> {
        self.payload()
            .list()
            .map_or(ptr::null_mut(), |list| list.first.load(Relaxed))
    }

    /// Finds a child by its name, unless it was removed.
    pub(crate) fn child<'g>(&self, name: &[u8], reader: &'g Reader<'_, P>) -> Option<Seen<'g, P>> {
        self.list_in(reader.tree)?;
        // SAFETY: The reader is in an SRCU read-side critical section of this tree, which nodes
        // wait for between being unlinked and being freed.
        let node = unsafe { reader.tree.find(self, name) }?;
        // INVARIANT: `node` was linked within the critical section, which lasts for `'g`.
        let seen = Seen {
            node,
            _reader: PhantomData,
        };
        // A removal marks a node before it unlinks it, and may be interrupted in between.
        (!seen.is_dead()).then_some(seen)
    }

    /// The children, in the order of their creation.
    pub(crate) fn children<'g>(&self, reader: &'g Reader<'_, P>) -> Children<'g, P> {
        let list = self.list_in(reader.tree);
        Children {
            next: list.map_or(ptr::null_mut(), |list| list.first.load(Acquire)),
            _reader: PhantomData,
        }
    }

    /// The siblings that were added after this node; `None` if it was removed, since then nobody
    /// knows where it was.
    pub(crate) fn siblings_after<'g>(&self, reader: &'g Reader<'_, P>) -> Option<Children<'g, P>> {
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
    unsafe fn empty(&self, tree: &Tree<P>) {
        // INVARIANT: Nobody else uses the place and the content, by the safety requirements. From
        // now on they are for what comes after the last reference.
        // SAFETY: As above; the content is what the node carries until here.
        unsafe {
            (*self.place.get()).tree = tree;
            ManuallyDrop::drop(&mut (*self.content.get()).carried);
        }
    }

    /// Frees a node that nobody can reach any more.
    ///
    /// # Safety
    ///
    /// The caller must be the only one that has the pointer, which is not used afterwards. The node
    /// must have been [emptied](Self::empty).
    unsafe fn free(node: NonNull<Self>) {
        // SAFETY: The node is still valid here, and nobody else has it.
        let (tree, layout) = unsafe {
            let node = node.as_ref();
            let layout = Self::layout(usize::from(node.name_len));
            ((*node.place.get()).tree, layout)
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
    /// `head` is the `content` field of a node that was emptied.
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
        let field = head.cast::<UnsafeCell<Content<P>>>();
        // SAFETY: By the safety requirements this is the field of a node.
        let node = unsafe { kernel::container_of!(field, Self, content) };
        // SAFETY: There is no reference left, and no reader that could have found the node, which
        // was emptied. Its tree is valid until it is freed.
        unsafe {
            (*(*(*node).place.get()).tree).pending.fetch_sub(1, Relaxed);
            Self::free(NonNull::new_unchecked(node));
        }
    }
}

// SAFETY: Nodes are freed an RCU grace period after the last reference has gone.
unsafe impl<P: Payload> RcuForeign for NodeRef<P> {
    type View<'a> = Seen<'a, P>;

    unsafe fn view<'a>(pointer: *mut c_void) -> Seen<'a, P> {
        // INVARIANT: The foreign pointer is one to the node, which is valid for `'a` by the safety
        // requirements and as nodes are freed an RCU grace period after the last reference has
        // gone.
        Seen {
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
            let head = node.content.get().cast();
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
/// It is counted in `calls` of the node.
pub(crate) struct Inside<'a, P: Payload> {
    /// The node, which the user keeps.
    node: &'a Node<P>,
}

impl<P: Payload> Drop for Inside<'_, P> {
    fn drop(&mut self) {
        // Full: as for `enter()`.
        if self.node.calls.fetch_sub(1, Full) == 1 && self.node.is_dead() {
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
pub(crate) struct Seen<'g, P: Payload> {
    /// In memory for `'g`; its count may be zero.
    node: NonNull<Node<P>>,
    /// `'g` ends before the critical section does.
    _reader: PhantomData<&'g ()>,
}

impl<'g, P: Payload> Seen<'g, P> {
    /// The node, for what may be read without a counted reference: not its parent, nor what it
    /// carries. See the invariants of [`Node`].
    fn node(&self) -> &'g Node<P> {
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
    pub(crate) fn get(&self) -> Option<NodeRef<P>> {
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
/// `next` is null, or as [`Seen::node`].
pub(crate) struct Children<'g, P: Payload> {
    /// What the iterator gives next, null at the end.
    next: *mut Node<P>,
    /// `'g` ends before the critical section does.
    _reader: PhantomData<&'g ()>,
}

impl<'g, P: Payload> Iterator for Children<'g, P> {
    type Item = Seen<'g, P>;

    fn next(&mut self) -> Option<Self::Item> {
        let node = NonNull::new(self.next)?;
        // SAFETY: By the type invariant.
        self.next = unsafe { node.as_ref() }.next.load(Acquire);
        // INVARIANT: If the node was unlinked meanwhile, what it leads to was linked when the node
        // was, or came later: it is as valid as the node is.
        Some(Seen {
            node,
            _reader: PhantomData,
        })
    }
}

/// An SRCU read-side critical section of a tree. One may sleep in it, but not wait in it for a
/// grace period (L4).
pub(crate) struct Reader<'a, P: Payload> {
    /// The tree whose nodes stay in memory meanwhile.
    tree: &'a Tree<P>,
    /// Leaves the critical section when it is dropped.
    _guard: srcu::Guard<'a>,
}

/// A node on its way into a tree: complete but for its place.
///
/// # Invariants
///
/// Nobody else has the pointer. The node owns a reference to its parent, and its count is 2: one
/// reference will be the tree's, one that of who links it.
pub(crate) struct NewNode<P: Payload> {
    /// Not visible yet, and ours.
    node: NonNull<Node<P>>,
    /// Memory for the index to grow, taken while that may sleep.
    spare: Option<Spare>,
}

// SAFETY: It owns the node, which may be sent.
unsafe impl<P: Payload> Send for NewNode<P> {}

impl<P: Payload> NewNode<P> {
    /// What the node will carry.
    pub(crate) fn payload(&self) -> &Carried<P> {
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
/// `head` begins a chain through `place.after` of nodes, each with the reference that was the
/// tree's; `tail` is the last of them. Both are null if there are none.
pub(crate) struct Removed<P: Payload> {
    /// The first node, null if there are none.
    head: *mut Node<P>,
    /// The last node, behind which the next one is put.
    tail: *mut Node<P>,
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
        unsafe { (*(*node).place.get()).after = ptr::null_mut() };
        // SAFETY: By the type invariant the nodes of the chain are valid.
        match unsafe { self.tail.as_ref() } {
            // SAFETY: By the type invariant the place is the chain's.
            Some(tail) => unsafe { (*tail.place.get()).after = node },
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
            Some(tail) => unsafe { (*tail.place.get()).after = later.head },
            None => self.head = later.head,
        }
        self.tail = later.tail;
    }

    /// The node behind one of the chain.
    fn after(node: &Node<P>) -> *mut Node<P> {
        // SAFETY: By the type invariant the place is the chain's.
        unsafe { (*node.place.get()).after }
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

/// What the tree lock protects, besides the links in the nodes.
pub(crate) struct Locked<P: Payload> {
    /// What changes to the index need.
    index: index::Writer,
    /// The root, with the tree's reference to it. `None` before it is made, and while the tree goes
    /// away.
    root: Option<NodeRef<P>>,
}

/// How many nodes a tree has.
pub(crate) struct Counts {
    /// Those that readers find.
    pub(crate) linked: usize,
    /// Those that were removed, and are still referred to.
    pub(crate) removed: usize,
    /// Those that only wait for grace periods.
    pub(crate) pending: usize,
}

/// A tree of nodes.
///
/// # Invariants
///
/// `nodes` counts the nodes that are allocated. The tree is not freed before it is zero.
#[pin_data(PinnedDrop)]
pub(crate) struct Tree<P: Payload> {
    /// What readers find nodes under.
    #[pin]
    srcu: Srcu,
    /// The tree lock (the thread's `eventfs_mutex`): protects the links between the nodes and who
    /// is dead. Innermost: under it nothing may sleep for memory, take an `i_rwsem`, put a dentry
    /// or an inode, or call code of others (L3).
    #[pin]
    lock: Mutex<Locked<P>>,
    /// Finds the nodes by parent and name. Changed under the tree lock, read also under SRCU.
    index: Index,
    /// Keys the hash of names, anew for each tree.
    key: bindings::siphash_key_t,
    /// The nodes that are not freed yet. The destructor waits until it is zero.
    nodes: Atomic<usize>,
    /// Those of them without a counted reference, which wait for grace periods.
    pending: Atomic<usize>,
    /// Held to wait for [`Self::left`], and for nothing else.
    #[pin]
    waiting: Mutex<()>,
    /// Tells that a dead node has no [`Inside`] any more.
    #[pin]
    left: CondVar,
}

impl<P: Payload> Tree<P> {
    /// Creates a tree without a root.
    fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            srcu <- new_srcu!("eventfs_srcu"),
            lock <- new_mutex!(
                Locked {
                    index: index::Writer::new()?,
                    root: None,
                },
                "eventfs_tree_lock"
            ),
            index: Index::new(),
            key: random_key(),
            nodes: Atomic::new(0),
            pending: Atomic::new(0),
            waiting <- new_mutex!((), "eventfs_waiting"),
            left <- new_condvar!("eventfs_left"),
        })
    }

    /// Creates a tree with a root that carries `root`.
    pub(crate) fn with_root(root: impl FnOnce() -> Result<P>) -> impl PinInit<Self, Error> {
        Self::new().pin_chain(|tree| {
            let tree = tree.into_ref().get_ref();
            // INVARIANT: The root has a list, which says what tree it is in.
            let carried = Carried::new(root()?);
            carried.make_list(tree)?;
            let node = tree.allocate(ptr::null(), b"", carried)?;
            // SAFETY: Nobody else has the pointer yet. The reference is the tree's.
            tree.lock.lock().root = Some(unsafe { ARef::from_raw(node) });
            Ok(())
        })
    }

    /// The SRCU structure, for `call_srcu()` and `srcu_barrier()`.
    fn srcu_ptr(&self) -> *mut bindings::srcu_struct {
        // CAST: `Srcu` is a transparent wrapper.
        ptr::from_ref(&self.srcu).cast_mut().cast()
    }

    /// How many nodes there are, by what keeps them.
    pub(crate) fn counts(&self) -> Counts {
        let lock = self.lock();
        let linked = self.index.elements() + usize::from(lock.root().is_some());
        let pending = self.pending.load(Relaxed);
        let all = self.nodes.load(Relaxed);
        Counts {
            linked,
            removed: all.saturating_sub(linked + pending),
            pending,
        }
    }

    /// Enters an SRCU read-side critical section.
    pub(crate) fn read(&self) -> Reader<'_, P> {
        Reader {
            tree: self,
            _guard: self.srcu.read_lock(),
        }
    }

    /// Takes the tree lock.
    pub(crate) fn lock(&self) -> TreeLock<'_, P> {
        TreeLock {
            tree: self,
            locked: self.lock.lock(),
        }
    }

    /// The root.
    ///
    /// # Errors
    ///
    /// `ENODEV` while the tree goes away.
    pub(crate) fn root(&self) -> Result<NodeRef<P>> {
        self.lock.lock().root.clone().ok_or(ENODEV)
    }

    /// Waits until nobody is [`Inside`] a node that was removed. May sleep; to be called without
    /// locks that those who are inside may want.
    pub(crate) fn wait_until_left(&self, node: &Node<P>) {
        // Between the death of the node and the look at the count: see `Node::enter()`.
        smp_mb(Full);
        if node.calls.load(Acquire) == 0 {
            return;
        }
        let mut waiting = self.waiting.lock();
        while node.calls.load(Acquire) != 0 {
            self.left.wait(&mut waiting);
        }
    }

    /// The hash of a name in a directory. Different directories have different ones.
    fn hash(&self, parent: *const Node<P>, name: &[u8]) -> u32 {
        let mut key = self.key;
        key.key[0] ^= parent.addr() as u64;
        // SAFETY: `name` and `key` are valid for reads.
        let hash = unsafe { bindings::__siphash_unaligned(name.as_ptr().cast(), name.len(), &key) };
        // CAST: The lower half is as good as any.
        hash as u32
    }

    /// Finds the child of `parent` with this name.
    ///
    /// # Safety
    ///
    /// The caller is in an SRCU read-side critical section of this tree, or holds its lock.
    unsafe fn find(&self, parent: &Node<P>, name: &[u8]) -> Option<NonNull<Node<P>>> {
        let key = index::element_key(self.hash(parent, name));
        // SAFETY: By the safety requirements of this function.
        let link = unsafe {
            self.index.find(key, |link| {
                // SAFETY: Elements of the index are nodes, which begin with their link.
                let node = link.cast::<Node<P>>().as_ref();
                ptr::eq(node.parent, parent) && node.name() == name
            })
        }?;
        Some(link.cast())
    }

    /// Allocates a node that owns no reference to its parent yet.
    fn allocate(
        &self,
        parent: *const Node<P>,
        name: &[u8],
        carried: Carried<P>,
    ) -> Result<NonNull<Node<P>>> {
        let name_len = u8::try_from(name.len()).map_err(|_| ENAMETOOLONG)?;
        let memory = Kmalloc::alloc(Node::<P>::layout(name.len()), GFP_KERNEL, NumaNode::NO_NODE)?;
        let node = memory.cast::<Node<P>>();
        let key = index::element_key(self.hash(parent, name));
        // SAFETY: The memory is valid for writes of a node and its name.
        unsafe {
            node.write(Node {
                link: Link::new(key),
                calls: Atomic::new(0),
                dead: Atomic::new(false),
                name_len,
                parent,
                next: Atomic::new(ptr::null_mut()),
                place: UnsafeCell::new(Place {
                    previous: ptr::null_mut(),
                }),
                content: UnsafeCell::new(Content {
                    carried: ManuallyDrop::new(carried),
                }),
            });
            ptr::copy_nonoverlapping(name.as_ptr(), node.add(1).cast().as_ptr(), name.len());
        }
        self.nodes.fetch_add(1, Relaxed);
        Ok(node)
    }

    /// Makes a node for `parent`. May sleep; no locks needed.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: the name is empty, `.` or `..`, or contains `/` or a zero byte.
    /// - `ENAMETOOLONG`: it has more than [`NAME_MAX`] bytes.
    /// - `ENOMEM`.
    pub(crate) fn prepare(&self, parent: &Node<P>, name: &[u8], payload: P) -> Result<NewNode<P>> {
        check_name(name)?;
        if !parent.is_in(self) {
            return Err(EINVAL);
        }
        // INVARIANT: Who is a parent has a list.
        parent.payload().make_list(self)?;
        let node = self.allocate(parent, name, Carried::new(payload))?;
        parent.inc_ref();
        // SAFETY: The node was allocated just now.
        unsafe { node.as_ref() }.link.refs.set(2);
        // INVARIANT: The references are as they must be.
        Ok(NewNode {
            node,
            spare: self.index.prepare_growth(),
        })
    }
}

#[pinned_drop]
impl<P: Payload> PinnedDrop for Tree<P> {
    fn drop(self: Pin<&mut Self>) {
        let this = self.into_ref().get_ref();
        let all = this.lock().remove_all();
        drop(all);
        // References that others still hold are waited for: to free the tree under them would be
        // worse. The last barrier is for the callback that made the count zero, to return.
        let mut waited = false;
        loop {
            // SAFETY: The SRCU structure is valid until this destructor is through.
            unsafe { bindings::srcu_barrier(this.srcu_ptr()) };
            // SAFETY: No requirements.
            unsafe { bindings::rcu_barrier() };
            if this.nodes.load(Acquire) == 0 {
                break;
            }
            if waited {
                kernel::pr_warn_once!("waiting for references to nodes\n");
            }
            waited = true;
            fsleep(Delta::from_millis(10));
        }
        // SAFETY: No requirements.
        unsafe { bindings::rcu_barrier() };
    }
}

/// The tree lock, taken.
pub(crate) struct TreeLock<'a, P: Payload> {
    /// The tree whose lock it is.
    tree: &'a Tree<P>,
    /// What is under the lock; releases it when it is dropped.
    locked: Guard<'a, Locked<P>, MutexBackend>,
}

/// A state of the children of a directory.
#[derive(Clone, Copy)]
pub(crate) struct Version(u64);

/// What could not be linked, and why. To be dropped after the tree lock.
pub(crate) struct LinkError<P: Payload> {
    /// The reason: `ENODEV` (the parent is dead) or `EEXIST`.
    pub(crate) error: Error,
    /// Freed with the error: that puts its parent, which is not for the tree lock.
    _node: NewNode<P>,
}

impl<P: Payload> TreeLock<'_, P> {
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
    ) -> Result<(NodeRef<P>, Option<Spare>), LinkError<P>> {
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
            locked.version += 1;
            let last = core::mem::replace(&mut locked.last, raw);
            (*node.place.get()).previous = last;
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
            let previous = (*node.place.get()).previous;
            match (previous.as_ref(), list) {
                (Some(previous), _) => previous.next.store(next, Release),
                (None, Some(list)) => list.first.store(next, Release),
                (None, None) => {}
            }
            let locked = list.map(|list| &mut *list.locked.get());
            if let Some(locked) = locked {
                locked.count -= 1;
                locked.version += 1;
                if next.is_null() {
                    locked.last = previous;
                }
            }
            if let Some(next) = next.as_ref() {
                (*next.place.get()).previous = previous;
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

    /// The version of the children of a directory: it differs after each change.
    pub(crate) fn version(&mut self, dir: &Node<P>) -> Option<Version> {
        self.list_of(dir).map(|list| Version(list.version))
    }

    /// Remembers that the children of a directory were what they should be, in this version.
    pub(crate) fn set_checked(&mut self, dir: &Node<P>, version: Version) {
        if let Some(list) = self.list_of(dir) {
            list.checked = version.0;
        }
    }

    /// The number of the children of a directory, and the newest, if they have not changed since
    /// they were checked.
    pub(crate) fn checked(&mut self, dir: &Node<P>) -> Option<(usize, NodeRef<P>)> {
        let list = self.list_of(dir)?;
        if list.checked != list.version {
            return None;
        }
        // SAFETY: Linked nodes are valid under the tree lock.
        let newest = unsafe { list.last.as_ref() }?;
        Some((list.count, newest.into()))
    }

    /// Removes everything: what it returns is to be dropped after the lock.
    fn remove_all(&mut self) -> Option<(Removed<P>, NodeRef<P>)> {
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

/// Checks the name of a node. See [`Tree::prepare`].
pub(crate) fn check_name(name: &[u8]) -> Result {
    if name.len() > NAME_MAX {
        return Err(ENAMETOOLONG);
    }
    if name.is_empty()
        || name == b"."
        || name == b".."
        || name.iter().any(|c| matches!(c, b'/' | 0))
    {
        return Err(EINVAL);
    }
    Ok(())
}

/// A key for the hash of names that nobody can guess.
fn random_key() -> bindings::siphash_key_t {
    let mut key = bindings::siphash_key_t { key: [0; 2] };
    // SAFETY: `key` is valid for writes, and any bytes are a key.
    unsafe { bindings::get_random_bytes((&raw mut key).cast(), size_of_val(&key)) };
    key
}

/// Tests of trees in one thread. Readers and writers in parallel are for the tests in a guest.
#[kunit_tests(rust_eventfs_node)]
mod tests {
    use super::*;
    use kernel::{
        sync::{
            rcu,
            Arc, //
        },
        time::{
            Instant,
            Monotonic, //
        },
    };

    /// A payload for trees that are nothing but names.
    struct Empty;

    impl Payload for Empty {
        type More = ();

        fn more() {}
    }

    /// A tree that has its root only.
    fn tree() -> Result<Pin<KBox<Tree<Empty>>>> {
        KBox::pin_init(Tree::with_root(|| Ok(Empty)), GFP_KERNEL)
    }

    /// Adds a node, as eventfs does: what is left over is dropped after the lock.
    fn add(tree: &Tree<Empty>, parent: &Node<Empty>, name: &[u8]) -> Result<NodeRef<Empty>> {
        let new = tree.prepare(parent, name, Empty)?;
        let linked = tree.lock().link(new);
        let (node, _spare) = linked.map_err(|refused| refused.error)?;
        Ok(node)
    }

    /// Whether a directory has these children, in this order, and no others.
    fn names_are(tree: &Tree<Empty>, parent: &Node<Empty>, names: &[&[u8]]) -> bool {
        let reader = tree.read();
        let mut children = parent.children(&reader);
        names
            .iter()
            .all(|name| children.next().is_some_and(|child| child.name() == *name))
            && children.next().is_none()
    }

    /// What names a node may have, up to the longest one.
    #[test]
    fn names_are_checked() {
        assert_eq!(check_name(b""), Err(EINVAL));
        assert_eq!(check_name(b"."), Err(EINVAL));
        assert_eq!(check_name(b".."), Err(EINVAL));
        assert_eq!(check_name(b"a/b"), Err(EINVAL));
        assert_eq!(check_name(b"a\0b"), Err(EINVAL));
        assert_eq!(check_name(b"..."), Ok(()));
        assert_eq!(check_name(&[b'a'; 255]), Ok(()));
        assert_eq!(check_name(&[b'a'; 256]), Err(ENAMETOOLONG));
    }

    /// Children are listed as they were added, found by name, and never twice there.
    #[test]
    fn children_are_found_and_listed_in_order() -> Result {
        let tree = tree()?;
        let root = tree.root()?;
        for name in [b"one", b"two", b"six"] {
            add(&tree, &root, name)?;
        }
        assert!(names_are(&tree, &root, &[b"one", b"two", b"six"]));
        assert!(root.child(b"two", &tree.read()).is_some());
        assert!(root.child(b"ten", &tree.read()).is_none());
        assert_eq!(add(&tree, &root, b"two").err(), Some(EEXIST));
        Ok(())
    }

    /// What was checked is known to be until the next change, and only if nothing has changed
    /// since it was looked at.
    #[test]
    fn changes_end_what_was_checked() -> Result {
        let tree = tree()?;
        let root = tree.root()?;
        let newest = || tree.lock().checked(&root).map(|(count, _)| count);
        let version = || tree.lock().version(&root).ok_or(ENOENT);
        let one = add(&tree, &root, b"one")?;
        let before = version()?;
        let two = add(&tree, &root, b"two")?;
        assert!(newest().is_none());
        tree.lock().set_checked(&root, before);
        assert!(newest().is_none());
        let now = version()?;
        tree.lock().set_checked(&root, now);
        assert_eq!(newest(), Some(2));
        let last = tree.lock().checked(&root);
        assert!(last.is_some_and(|(_, last)| ptr::eq(&*last, &*two)));
        drop(tree.lock().remove(&one));
        assert!(newest().is_none());
        let now = version()?;
        tree.lock().set_checked(&root, now);
        assert_eq!(newest(), Some(1));
        add(&tree, &root, b"six")?;
        assert!(newest().is_none());
        Ok(())
    }

    /// The first, a middle, the last and the only child are each dead at once (U06).
    #[test]
    fn any_child_can_be_removed() -> Result {
        let tree = tree()?;
        let root = tree.root()?;
        let [a, b, c, d] = [b"a", b"b", b"c", b"d"].map(|name| add(&tree, &root, name));
        let [a, b, c, d] = [a?, b?, c?, d?];
        for (gone, left) in [
            (&b, &[b"a" as &[u8], b"c", b"d"] as &[&[u8]]),
            (&a, &[b"c", b"d"]),
            (&d, &[b"c"]),
            (&c, &[]),
        ] {
            let removed = tree.lock().remove(gone);
            assert!(removed.is_some());
            drop(removed);
            assert!(gone.is_dead());
            assert!(root.child(gone.name(), &tree.read()).is_none());
            assert!(names_are(&tree, &root, left));
            assert!(tree.lock().remove(gone).is_none());
        }
        add(&tree, &root, b"a")?;
        assert!(names_are(&tree, &root, &[b"a"]));
        Ok(())
    }

    /// A subtree goes at once, without recursion, and its nodes in any order (U05, U26).
    #[test]
    fn deep_trees_are_removed() -> Result {
        let tree = tree()?;
        let mut path = KVec::new();
        path.push(tree.root()?, GFP_KERNEL)?;
        for _ in 0..1000 {
            let child = match path.last() {
                Some(parent) => add(&tree, parent, b"deep")?,
                None => return Err(EINVAL),
            };
            path.push(child, GFP_KERNEL)?;
        }
        let top = path.get(1).ok_or(EINVAL)?;
        let removed = tree.lock().remove(top);
        drop(removed);
        assert!(path.iter().skip(1).all(|node| node.is_dead()));
        assert_eq!(add(&tree, top, b"late").err(), Some(ENODEV));
        // The destructor of the tree waits until the last of them is freed.
        Ok(())
    }

    /// A directory without subdirectories pays nothing for being able to have some.
    #[test]
    fn lists_are_made_for_parents() -> Result {
        let tree = tree()?;
        let root = tree.root()?;
        let (dir, other) = (add(&tree, &root, b"dir")?, add(&tree, &root, b"other")?);
        assert!(dir.payload().extra.get().is_none());
        assert!(names_are(&tree, &dir, &[]));
        assert!(dir.child(b"none", &tree.read()).is_none());
        let child = add(&tree, &dir, b"child")?;
        assert!(names_are(&tree, &dir, &[b"child"]));
        for node in [&root, &dir, &other, &child] {
            assert!(node.is_in(&tree));
        }
        let removed = tree.lock().remove(&child);
        drop(removed);
        assert!(names_are(&tree, &dir, &[]));
        add(&tree, &dir, b"child")?;
        assert!(names_are(&tree, &dir, &[b"child"]));
        Ok(())
    }

    /// A payload that counts how many of it were dropped.
    struct Counting(Arc<Atomic<usize>>);

    impl Payload for Counting {
        type More = ();

        fn more() {}
    }

    impl Drop for Counting {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    /// What a node carries goes with the last reference, while those who have seen the node still
    /// read that it is dead, and what it was called (U06).
    #[test]
    fn payloads_go_with_the_last_reference() -> Result {
        let dropped = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let payload = || Counting(dropped.clone());
        let tree = KBox::pin_init(Tree::with_root(|| Ok(payload())), GFP_KERNEL)?;
        let root = tree.root()?;
        let mut nodes = KVec::new();
        for name in [b"one", b"two", b"six"] {
            let linked = tree.lock().link(tree.prepare(&root, name, payload())?);
            let (node, _spare) = linked.map_err(|refused| refused.error)?;
            nodes.push(node, GFP_KERNEL)?;
        }
        assert_eq!(dropped.load(Relaxed), 0);

        let reader = tree.read();
        let mut seen = KVec::new();
        for child in root.children(&reader) {
            seen.push(child, GFP_KERNEL)?;
        }
        for (count, node) in nodes.into_iter().enumerate() {
            let removed = tree.lock().remove(&node);
            drop(removed);
            assert_eq!(dropped.load(Relaxed), count);
            drop(node);
            assert_eq!(dropped.load(Relaxed), count + 1);
        }
        // However long it takes, and whatever other grace periods pass meanwhile.
        // SAFETY: No requirements.
        unsafe { bindings::rcu_barrier() };
        assert_eq!(tree.nodes.load(Relaxed), 4);
        for (child, name) in seen.iter().zip([b"one", b"two", b"six"]) {
            assert!(child.is_dead());
            assert_eq!(child.name(), name);
            assert!(child.get().is_none());
        }
        // From a node that was the first child, one still gets to the end.
        let next = seen.first().map(|child| child.node().next.load(Acquire));
        assert!(next.is_some());
        assert_eq!(next, seen.get(1).map(|child| child.node.as_ptr()));
        drop(seen);
        drop(reader);

        // What is not linked after all goes at once.
        drop(tree.prepare(&root, b"ten", payload())?);
        assert_eq!(dropped.load(Relaxed), 4);
        drop(root);
        drop(tree);
        assert_eq!(dropped.load(Relaxed), 5);
        Ok(())
    }

    /// A node stays in memory for those who have come to it in an RCU path walk (L2).
    #[test]
    fn nodes_wait_for_path_walks() -> Result {
        let tree = tree()?;
        let node = add(&tree, &*tree.root()?, b"one")?;
        let removed = tree.lock().remove(&node);
        drop(removed);

        let walk = rcu::read_lock();
        let seen = Seen {
            node: NonNull::from(&*node),
            _reader: PhantomData,
        };
        drop(node);
        // Time for the SRCU grace period, as there are no readers. (Its callbacks run if this can
        // be preempted, which it is on the debug kernel.)
        let begin = Instant::<Monotonic>::now();
        while begin.elapsed() < Delta::from_millis(200) && tree.nodes.load(Acquire) == 2 {
            core::hint::spin_loop();
        }
        let (nodes, dead) = (tree.nodes.load(Acquire), seen.is_dead());
        let named = seen.name() == b"one";
        // An assertion that fails sleeps.
        drop(walk);
        assert_eq!(nodes, 2);
        assert!(dead && named);
        Ok(())
    }

    /// Whoever looks while a removal has marked a node, and not yet unlinked it, does not find it.
    #[test]
    fn half_removed_children_are_not_found() -> Result {
        let tree = tree()?;
        let root = tree.root()?;
        let node = add(&tree, &root, b"one")?;
        let found = || root.child(b"one", &tree.read()).is_some();
        assert!(found());
        // The first thing that a removal does.
        node.dead.store(true, Release);
        assert!(!found());
        node.dead.store(false, Release);
        assert!(found());
        assert!(tree.lock().remove(&node).is_some());
        assert!(!found());
        Ok(())
    }

    /// Neither adding nor removing mixes up trees.
    #[test]
    fn nodes_of_other_trees_are_refused() -> Result {
        let (one, other) = (tree()?, tree()?);
        let root = other.root()?;
        assert_eq!(add(&one, &root, b"a").err(), Some(EINVAL));
        let node = add(&other, &root, b"a")?;
        assert!(one.lock().remove(&node).is_none());
        assert!(!node.is_dead());
        Ok(())
    }
}
