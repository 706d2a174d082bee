// SPDX-License-Identifier: GPL-2.0

//! Trees of reference-counted nodes that are read under SRCU (L1, L2, L6).
//!
//! A [`Tree`] is pure metadata: it knows nothing of dentries and inodes. Who owns what:
//!
//! - A node is freed when its last counted reference ([`NodeRef`]) is gone and an SRCU and then an
//!   RCU grace period have passed. While it is linked, its tree owns one such reference.
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
    RcuForeign, //
};
use core::{
    alloc::Layout,
    cell::UnsafeCell,
    marker::PhantomData,
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
            Relaxed,
            Release, //
        },
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
        srcu,
        Mutex,
        Refcount,
        Srcu, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
    types::Opaque, //
};

/// The longest name of a node, in bytes (`NAME_MAX`).
pub(crate) const NAME_MAX: usize = bindings::NAME_MAX as usize;

/// What a node carries.
///
/// It is dropped in an RCU callback, that is in softirq context: dropping must not sleep.
pub(crate) trait Payload: Send + Sync + 'static {
    /// Called once, when the last counted reference to the node has gone, and only for nodes that
    /// were once linked. May sleep. Readers under SRCU may still look at the payload.
    fn release(&self) {}
}

/// A node: the metadata of a directory, or of a file that has a name of its own.
///
/// # Invariants
///
/// - `parent` is null (only for the root), or points to a node of the same tree of which this one
///   owns a reference, until its own last reference is gone.
/// - `next`, `first` and `link` lead to nodes whose memory stays valid for those who read them in
///   an SRCU read-side critical section of `tree`, or under the tree lock.
/// - `previous` and `last` are used under the tree lock only.
/// - `rcu` is used for the chain of a [`Removed`] while the tree's reference is in one, and for the
///   grace periods once there are no references; by nobody else.
/// - `tree` is valid as long as the node is.
/// - `name_len` bytes of name follow the struct in the same allocation, and never change.
#[repr(C)]
pub(crate) struct Node<P: Payload> {
    /// First, so that a pointer to it is one to the node.
    link: Link,
    /// Counted references: what `NodeRef`s and the tree own. Zero for good once it is zero.
    refs: Refcount,
    /// Whether the node was removed. Set under the tree lock, read without; never cleared.
    dead: Atomic<bool>,
    /// The bytes of name that follow the struct.
    name_len: u8,
    /// The tree, which waits for the node before it goes.
    tree: NonNull<Tree<P>>,
    /// The directory that the node is in, null for the root. It never changes.
    parent: *const Node<P>,
    /// The sibling that was added after this one. Written under the tree lock; it stays as it is
    /// when the node is removed, for readers that are here.
    next: Atomic<*mut Node<P>>,
    /// The sibling that was added before this one. Under the tree lock.
    previous: UnsafeCell<*mut Node<P>>,
    /// The oldest child. Written under the tree lock, read also under SRCU.
    first: Atomic<*mut Node<P>>,
    /// The newest child, where the next one is appended. Under the tree lock.
    last: UnsafeCell<*mut Node<P>>,
    /// For the chain of a [`Removed`], then for the grace periods: see the invariants.
    rcu: Opaque<bindings::callback_head>,
    /// What the node is for. Dropped after the grace periods.
    payload: P,
}

/// A counted reference to a node.
pub(crate) type NodeRef<P> = ARef<Node<P>>;

// SAFETY: The fields that are not thread-safe by themselves are used under the tree lock, or by the
// one who dropped the last reference, by the type invariants. The payload is `Send` and `Sync`.
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
    pub(crate) fn payload(&self) -> &P {
        &self.payload
    }

    /// Whether the node was removed. Once it was, it stays so.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Acquire)
    }

    /// The directory that the node is in, also after it was removed; `None` for the root.
    pub(crate) fn parent(&self) -> Option<&Node<P>> {
        // SAFETY: A reference to `self` is a counted one (others get a `Seen`, which does not give
        // it away), so by the type invariants the node owns a reference to its parent.
        unsafe { self.parent.as_ref() }
    }

    /// The tree that the node is part of.
    pub(crate) fn tree(&self) -> &Tree<P> {
        // SAFETY: By the type invariants.
        unsafe { self.tree.as_ref() }
    }

    /// Whether the node is part of this tree.
    fn is_in(&self, tree: &Tree<P>) -> bool {
        ptr::eq(self.tree.as_ptr(), tree)
    }

    /// Finds a child by its name.
    pub(crate) fn child<'g>(&self, name: &[u8], reader: &'g Reader<'_, P>) -> Option<Seen<'g, P>> {
        if !self.is_in(reader.tree) {
            return None;
        }
        // SAFETY: The reader is in an SRCU read-side critical section of this tree, which nodes
        // wait for between being unlinked and being freed.
        let node = unsafe { reader.tree.find(self, name) }?;
        // INVARIANT: `node` was linked within the critical section, which lasts for `'g`.
        Some(Seen {
            node,
            _reader: PhantomData,
        })
    }

    /// The children, in the order of their creation.
    pub(crate) fn children<'g>(&self, reader: &'g Reader<'_, P>) -> Children<'g, P> {
        let first = if self.is_in(reader.tree) {
            self.first.load(Acquire)
        } else {
            ptr::null_mut()
        };
        Children {
            next: first,
            _reader: PhantomData,
        }
    }

    /// Frees a node that nobody can reach any more.
    ///
    /// # Safety
    ///
    /// The caller must be the only one that has the pointer, which is not used afterwards.
    unsafe fn free(node: NonNull<Self>) {
        // SAFETY: The node is still valid here.
        let tree = unsafe { node.as_ref() }.tree;
        // SAFETY: As above.
        let layout = Self::layout(usize::from(unsafe { node.as_ref() }.name_len));
        // SAFETY: The caller is the only one that has the pointer.
        unsafe { ptr::drop_in_place(node.as_ptr()) };
        // SAFETY: The memory came from `Kmalloc` with this layout.
        unsafe { Kmalloc::free(node.cast(), layout) };
        // SAFETY: By its invariant the tree waits for the node to be subtracted here.
        unsafe { tree.as_ref() }.nodes.fetch_sub(1, Release);
    }

    /// Called after an SRCU grace period without references.
    ///
    /// # Safety
    ///
    /// `head` is the `rcu` field of a node whose last reference is gone.
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
        let field = Opaque::cast_from(head);
        // SAFETY: By the safety requirements this is the field of a node.
        let node = unsafe { kernel::container_of!(field, Self, rcu) };
        // SAFETY: There is no reference left, and no reader that could have found the node.
        unsafe { Self::free(NonNull::new_unchecked(node.cast_mut())) };
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
        self.refs.inc();
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        let mut obj = obj;
        // A loop where the parent's turn comes: depth is the user's, the stack is not (L6).
        loop {
            // SAFETY: The caller (later: the child) owns a reference.
            let node = unsafe { obj.as_ref() };
            if !node.refs.dec_and_test() {
                return;
            }
            node.payload.release();
            let parent = node.parent;
            let srcu = node.tree().srcu_ptr();
            // SAFETY: The count is zero, so `rcu` is ours, by the type invariants. The node is not
            // used after this.
            unsafe { bindings::call_srcu(srcu, node.rcu.get(), Some(Self::after_srcu)) };
            match NonNull::new(parent.cast_mut()) {
                Some(parent) => obj = parent,
                None => return,
            }
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
    /// The node, for what may be read without a counted reference: not its parent.
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
        let refs = self.node().refs.as_atomic();
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
    pub(crate) fn payload(&self) -> &P {
        // SAFETY: By the type invariant.
        unsafe { &self.node.as_ref().payload }
    }
}

impl<P: Payload> Drop for NewNode<P> {
    fn drop(&mut self) {
        // SAFETY: Nobody else has the pointer. `release` is not called: it was never linked.
        let parent = unsafe { self.node.as_ref() }.parent;
        // SAFETY: As above; the node does not become visible any more.
        unsafe { Node::free(self.node) };
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
/// `head` begins a chain through `rcu.next` of nodes, each with the reference that was the tree's;
/// `tail` is the last of them. Both are null if there are none.
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
    /// `node` must be valid, with a reference to hand over, and its `rcu` in nobody's use.
    unsafe fn push(&mut self, node: *mut Node<P>) {
        // INVARIANT: By the safety requirements of this function.
        // SAFETY: As above.
        unsafe { (*(*node).rcu.get()).next = ptr::null_mut() };
        // SAFETY: By the type invariant the nodes of the chain are valid.
        match unsafe { self.tail.as_ref() } {
            // SAFETY: By the type invariant `rcu` is the chain's.
            Some(tail) => unsafe { (*tail.rcu.get()).next = node.cast() },
            None => self.head = node,
        }
        self.tail = node;
    }

    /// The node behind one of the chain.
    fn after(node: &Node<P>) -> *mut Node<P> {
        // SAFETY: By the type invariant `rcu` is the chain's.
        unsafe { (*node.rcu.get()).next }.cast()
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
        })
    }

    /// Creates a tree with a root that carries `root`.
    pub(crate) fn with_root(root: impl FnOnce() -> Result<P>) -> impl PinInit<Self, Error> {
        Self::new().pin_chain(|tree| {
            let tree = tree.into_ref().get_ref();
            let node = tree.allocate(ptr::null(), b"", root()?)?;
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
        payload: P,
    ) -> Result<NonNull<Node<P>>> {
        let name_len = u8::try_from(name.len()).map_err(|_| ENAMETOOLONG)?;
        let memory = Kmalloc::alloc(Node::<P>::layout(name.len()), GFP_KERNEL, NumaNode::NO_NODE)?;
        let node = memory.cast::<Node<P>>();
        let key = index::element_key(self.hash(parent, name));
        // SAFETY: The memory is valid for writes of a node and its name.
        unsafe {
            node.write(Node {
                link: Link::new(key),
                refs: Refcount::new(1),
                dead: Atomic::new(false),
                name_len,
                tree: NonNull::from(self),
                parent,
                next: Atomic::new(ptr::null_mut()),
                previous: UnsafeCell::new(ptr::null_mut()),
                first: Atomic::new(ptr::null_mut()),
                last: UnsafeCell::new(ptr::null_mut()),
                rcu: Opaque::zeroed(),
                payload,
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
        let node = self.allocate(parent, name, payload)?;
        parent.inc_ref();
        // SAFETY: The node was allocated just now.
        unsafe { node.as_ref() }.refs.set(2);
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
        // The callbacks of a node may put its parent, so that one round need not be the last.
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
        // SAFETY: The tree lock is held, which these fields are under.
        unsafe {
            let last = *parent.last.get();
            *node.previous.get() = last;
            *parent.last.get() = raw;
            match last.as_ref() {
                Some(last) => last.next.store(raw, Release),
                None => parent.first.store(raw, Release),
            }
        }
        // SAFETY: The tree lock is held, and the node is new and complete.
        //
        // CAST: A node begins with its link. The pointer is one to the whole node.
        unsafe {
            self.tree
                .index
                .insert(&mut self.locked.index, new.node.cast());
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
        // SAFETY: The tree lock is held, which these fields are under; neighbours of a linked node
        // are linked, and so valid.
        unsafe {
            let previous = *node.previous.get();
            match (previous.as_ref(), node.parent.as_ref()) {
                (Some(previous), _) => previous.next.store(next, Release),
                (None, Some(parent)) => parent.first.store(next, Release),
                (None, None) => {}
            }
            match (next.as_ref(), node.parent.as_ref()) {
                (Some(next), _) => *next.previous.get() = previous,
                (None, Some(parent)) => *parent.last.get() = previous,
                (None, None) => {}
            }
        }
        // SAFETY: The node was linked, so there is the tree's reference to hand over, and `rcu` is
        // in nobody's use.
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
            if let Some(child) = unsafe { node.first.load(Relaxed).as_ref() } {
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
        let Some(root) = &self.locked.root else {
            return;
        };
        let mut node: &Node<P> = root;
        loop {
            visit(node);
            // SAFETY: Under the tree lock linked nodes stay linked, and valid.
            if let Some(child) = unsafe { node.first.load(Relaxed).as_ref() } {
                node = child;
                continue;
            }
            loop {
                // SAFETY: As above.
                if let Some(next) = unsafe { node.next.load(Relaxed).as_ref() } {
                    node = next;
                    break;
                }
                match node.parent() {
                    Some(parent) => node = parent,
                    None => return,
                }
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

    /// A payload for trees that are nothing but names.
    struct Empty;

    impl Payload for Empty {}

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
        for _ in 0..200 {
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
