// SPDX-License-Identifier: GPL-2.0

//! Trees of nodes: how a tree begins, is read, gets new nodes, and ends.
//!
//! A tree has an SRCU structure for its readers, a lock for its writers, an index of all names, and
//! a count of its nodes. It ends with its destructor, which removes all nodes and waits until the
//! last one is freed.
//!
//! A new node is made in two steps. [`Tree::prepare`] allocates all that will be needed, without
//! locks. [`TreeGuard::link`] makes the node visible under the tree lock, and allocates nothing
//! (L3).
//!
//! `(L3)` and its like are rules of `Documentation/design.md`.

use super::{
    active::DrainQueue,
    index::{
        self,
        Index, //
    },
    node::{
        Node,
        NodeData,
        NodeRef,
        Payload, //
    },
    update::{
        Locked,
        NewNode,
        TreeGuard, //
    },
};
use core::ptr::{
    self,
    NonNull, //
};
use kernel::{
    bindings, new_mutex, new_srcu,
    prelude::*,
    sync::{
        aref::AlwaysRefCounted,
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        srcu,
        Mutex,
        Srcu, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// The longest name of a node, in bytes (`NAME_MAX`).
pub(crate) const NAME_MAX: usize = bindings::NAME_MAX as usize;

/// An SRCU read-side critical section of a tree.
///
/// Its holder may sleep, but must not wait for a grace period of the tree (L4).
pub(crate) struct ReadGuard<'a, P: Payload> {
    /// The tree whose nodes stay in memory meanwhile.
    tree: &'a Tree<P>,
    /// Leaves the critical section when it is dropped.
    _guard: srcu::Guard<'a>,
}

impl<P: Payload> ReadGuard<'_, P> {
    /// The tree that is read.
    pub(super) fn tree(&self) -> &Tree<P> {
        self.tree
    }
}

/// The numbers of nodes of a tree.
pub(crate) struct Counts {
    /// Nodes that readers find.
    pub(crate) linked: usize,
    /// Nodes that were removed, and still have references.
    pub(crate) removed: usize,
    /// Nodes without references, which wait for grace periods.
    pub(crate) pending: usize,
}

/// A tree of nodes.
///
/// # Invariants
///
/// - `nodes` counts the nodes that are allocated. The tree is not freed before it is zero.
/// - `index` holds exactly the linked nodes but the root, by [`Node::link`]. The state for its
///   writers is under `lock`, and its readers use `srcu`.
#[pin_data(PinnedDrop)]
pub(crate) struct Tree<P: Payload> {
    /// The structure that readers use.
    #[pin]
    srcu: Srcu,
    /// The tree lock (the thread's `eventfs_mutex`): orders all changes of the links between nodes
    /// and of `dead`. Innermost: its holder does not allocate with reclaim, take an `i_rwsem`, put
    /// a dentry or an inode, or call a provider (L3).
    #[pin]
    lock: Mutex<Locked<P>>,
    /// Finds the nodes by parent and name. Changed under the tree lock, read also under SRCU.
    index: Index,
    /// The key of the hash of names, different for each tree.
    key: bindings::siphash_key_t,
    /// The number of nodes that are allocated. The destructor waits until it is zero.
    nodes: Atomic<usize>,
    /// The number of nodes that wait for grace periods, for statistics.
    pub(super) pending: Atomic<usize>,
    /// The queue in which removals wait for active references.
    #[pin]
    drain_queue: DrainQueue,
}

impl<P: Payload> Tree<P> {
    /// Creates a tree without a root.
    fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            srcu <- new_srcu!("eventfs_srcu"),
            lock <- new_mutex!(Locked::new()?, "eventfs_tree_lock"),
            index: Index::new(),
            key: random_key(),
            nodes: Atomic::new(0),
            pending: Atomic::new(0),
            drain_queue <- DrainQueue::new(),
        })
    }

    /// Creates a tree whose root has the payload that `root` returns.
    pub(crate) fn with_root(root: impl FnOnce() -> Result<P>) -> impl PinInit<Self, Error> {
        Self::new().pin_chain(|tree| {
            let tree = tree.into_ref().get_ref();
            let data = NodeData::new(root()?);
            // INVARIANT: The root has a list of children, which leads to the tree.
            // SAFETY: The data becomes that of the root, and the lock is that of the tree.
            unsafe { data.make_list(tree, &tree.lock) }?;
            let node = Node::allocate(tree, ptr::null(), b"", data)?;
            // SAFETY: The node was allocated just now as the root of this tree, which has none yet.
            // Its only reference is handed over.
            unsafe { tree.lock().set_root(node) };
            Ok(())
        })
    }

    /// The SRCU structure, for `call_srcu()` and `srcu_barrier()`.
    pub(super) fn srcu_ptr(&self) -> *mut bindings::srcu_struct {
        // CAST: `Srcu` is a transparent wrapper.
        ptr::from_ref(&self.srcu).cast_mut().cast()
    }

    /// The index.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// The queue in which removals wait for active references.
    pub(super) fn drain_queue(&self) -> &DrainQueue {
        &self.drain_queue
    }

    /// The number of nodes that are allocated.
    pub(super) fn allocated(&self) -> usize {
        self.nodes.load(Acquire)
    }

    /// Counts a node that was allocated.
    pub(super) fn node_allocated(&self) {
        self.nodes.fetch_add(1, Relaxed);
    }

    /// Counts a node that was freed.
    ///
    /// # Safety
    ///
    /// A node that was counted in `tree` must have been freed, which is counted once. The tree may
    /// be freed at any time from then on, unless the caller has another reason why it is valid.
    pub(super) unsafe fn node_freed(tree: *const Self) {
        // SAFETY: By the type invariant the tree is valid until the count is zero, and the node was
        // counted until here.
        unsafe { (*tree).nodes.fetch_sub(1, Release) };
    }

    /// The numbers of nodes, by what keeps them.
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
    pub(crate) fn read(&self) -> ReadGuard<'_, P> {
        ReadGuard {
            tree: self,
            _guard: self.srcu.read_lock(),
        }
    }

    /// Takes the tree lock.
    pub(crate) fn lock(&self) -> TreeGuard<'_, P> {
        // SAFETY: The lock is that of this tree.
        unsafe { TreeGuard::new(self, self.lock.lock()) }
    }

    /// The root.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the tree is being destroyed.
    pub(crate) fn root(&self) -> Result<NodeRef<P>> {
        self.lock().root().map(NodeRef::from).ok_or(ENODEV)
    }

    /// The position in the index of a name in a directory. It depends on both.
    pub(super) fn key_of(&self, parent: *const Node<P>, name: &[u8]) -> u32 {
        let mut key = self.key;
        key.key[0] ^= parent.addr() as u64;
        // SAFETY: `name` and `key` are valid for reads.
        let hash = unsafe { bindings::__siphash_unaligned(name.as_ptr().cast(), name.len(), &key) };
        // CAST: The lower half is as good as any.
        index::element_key(hash as u32)
    }

    /// Finds the child of `parent` with this name.
    ///
    /// # Safety
    ///
    /// The caller must be in an SRCU read-side critical section of this tree, or hold its lock.
    pub(super) unsafe fn find(&self, parent: &Node<P>, name: &[u8]) -> Option<NonNull<Node<P>>> {
        // SAFETY: An element of the index is the link at the beginning of a node of this tree. It
        // is in memory while the caller is in a read-side critical section, or holds the lock.
        let matches =
            |link: NonNull<index::Link>| unsafe { Node::is_child(link.cast(), parent, name) };
        // SAFETY: The caller is in a read-side critical section of `srcu`, which is the structure
        // that `TreeGuard` gives to `Index::write()`, or holds the lock.
        let link = unsafe { self.index.find(self.key_of(parent, name), matches) }?;
        Some(link.cast())
    }

    /// Makes a node for `parent`, to be linked. May sleep; needs no locks.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: the name is empty, `.` or `..`, or contains `/` or a zero byte; or `parent` is
    ///   in another tree.
    /// - `ENAMETOOLONG`: the name has more than [`NAME_MAX`] bytes.
    /// - `ENOMEM`.
    pub(crate) fn prepare(&self, parent: &Node<P>, name: &[u8], payload: P) -> Result<NewNode<P>> {
        check_name(name)?;
        if !parent.is_in(self) {
            return Err(EINVAL);
        }
        // INVARIANT: A node that becomes a parent has a list of children.
        // SAFETY: The data is that of a node of this tree, and the lock is that of the tree.
        unsafe { parent.payload().make_list(self, &self.lock) }?;
        let node = Node::allocate(self, parent, name, NodeData::new(payload))?;
        parent.inc_ref();
        // SAFETY: The node was allocated just now, and nobody else has it. The reference to its
        // parent, which has a list, was taken just now.
        Ok(unsafe { NewNode::new(node, self.index.prepare_growth()) })
    }
}

#[pinned_drop]
impl<P: Payload> PinnedDrop for Tree<P> {
    fn drop(self: Pin<&mut Self>) {
        let this = self.into_ref().get_ref();
        let all = this.lock().remove_all();
        drop(all);
        // References that others still hold are waited for, since to free the tree under them would
        // be worse.
        let mut waited = false;
        loop {
            // SAFETY: The SRCU structure is valid until this destructor returns.
            unsafe { bindings::srcu_barrier(this.srcu_ptr()) };
            // SAFETY: `rcu_barrier()` has no requirements but that it may sleep here.
            unsafe { bindings::rcu_barrier() };
            if this.allocated() == 0 {
                break;
            }
            if waited {
                kernel::pr_warn_once!("waiting for references to nodes\n");
            }
            waited = true;
            fsleep(Delta::from_millis(10));
        }
        // The callback that has made the count zero may still have to return.
        // SAFETY: `rcu_barrier()` has no requirements but that it may sleep here.
        unsafe { bindings::rcu_barrier() };
    }
}

/// Checks the name of a node.
///
/// # Errors
///
/// See [`Tree::prepare`].
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

/// A random key for the hash of names, so that nobody can choose names that collide.
fn random_key() -> bindings::siphash_key_t {
    let mut key = bindings::siphash_key_t { key: [0; 2] };
    // SAFETY: `key` is valid for writes, and any bytes are a key.
    unsafe { bindings::get_random_bytes((&raw mut key).cast(), size_of_val(&key)) };
    key
}
