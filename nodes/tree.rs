// SPDX-License-Identifier: GPL-2.0

//! Trees of nodes, and their readers.

use super::{
    index::{
        self,
        Index,
        Link, //
    },
    node::{
        DataOrRcu,
        Neighbour, //
        Node,
        NodeData,
        NodeRef,
        Payload,
    },
    update::{
        NewNode,
        TreeGuard, //
    },
};
use core::{
    cell::UnsafeCell,
    mem::ManuallyDrop,
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
    bindings, new_condvar, new_mutex, new_srcu,
    prelude::*,
    sync::{
        aref::{
            ARef,
            AlwaysRefCounted, //
        },
        atomic::{
            Acquire,
            Atomic,
            Relaxed, //
        },
        srcu,
        CondVar,
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

/// An SRCU read-side critical section of a tree. One may sleep in it, but not wait in it for a
/// grace period (L4).
pub(crate) struct ReadGuard<'a, P: Payload> {
    /// The tree whose nodes stay in memory meanwhile.
    pub(super) tree: &'a Tree<P>,
    /// Leaves the critical section when it is dropped.
    pub(super) _guard: srcu::Guard<'a>,
}

/// What the tree lock protects, besides the links in the nodes.
pub(crate) struct Locked<P: Payload> {
    /// What changes to the index need.
    pub(super) index: index::Writer,
    /// The root, with the tree's reference to it. `None` before it is made, and while the tree goes
    /// away.
    pub(super) root: Option<NodeRef<P>>,
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
    pub(super) srcu: Srcu,
    /// The tree lock (the thread's `eventfs_mutex`): protects the links between the nodes and who
    /// is dead. Innermost: under it nothing may sleep for memory, take an `i_rwsem`, put a dentry
    /// or an inode, or call code of others (L3).
    #[pin]
    pub(super) lock: Mutex<Locked<P>>,
    /// Finds the nodes by parent and name. Changed under the tree lock, read also under SRCU.
    pub(super) index: Index,
    /// Keys the hash of names, anew for each tree.
    pub(super) key: bindings::siphash_key_t,
    /// The nodes that are not freed yet. The destructor waits until it is zero.
    pub(super) nodes: Atomic<usize>,
    /// Those of them without a counted reference, which wait for grace periods.
    pub(super) pending: Atomic<usize>,
    /// Held to wait for [`Self::left`], and for nothing else.
    #[pin]
    pub(super) waiting: Mutex<()>,
    /// Tells that a dead node has no [`ActiveRef`] any more.
    #[pin]
    pub(super) left: CondVar,
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
            let data = NodeData::new(root()?);
            data.make_list(tree)?;
            let node = tree.allocate(ptr::null(), b"", data)?;
            // SAFETY: Nobody else has the pointer yet. The reference is the tree's.
            tree.lock.lock().root = Some(unsafe { ARef::from_raw(node) });
            Ok(())
        })
    }

    /// The SRCU structure, for `call_srcu()` and `srcu_barrier()`.
    pub(super) fn srcu_ptr(&self) -> *mut bindings::srcu_struct {
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
    pub(crate) fn read(&self) -> ReadGuard<'_, P> {
        ReadGuard {
            tree: self,
            _guard: self.srcu.read_lock(),
        }
    }

    /// Takes the tree lock.
    pub(crate) fn lock(&self) -> TreeGuard<'_, P> {
        TreeGuard {
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
    pub(super) fn hash(&self, parent: *const Node<P>, name: &[u8]) -> u32 {
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
    pub(super) unsafe fn find(&self, parent: &Node<P>, name: &[u8]) -> Option<NonNull<Node<P>>> {
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
        data: NodeData<P>,
    ) -> Result<NonNull<Node<P>>> {
        let name_len = u8::try_from(name.len()).map_err(|_| ENAMETOOLONG)?;
        let memory = Kmalloc::alloc(Node::<P>::layout(name.len()), GFP_KERNEL, NumaNode::NO_NODE)?;
        let node = memory.cast::<Node<P>>();
        let key = index::element_key(self.hash(parent, name));
        // SAFETY: The memory is valid for writes of a node and its name.
        unsafe {
            node.write(Node {
                link: Link::new(key),
                active: Atomic::new(0),
                dead: Atomic::new(false),
                name_len,
                parent,
                next: Atomic::new(ptr::null_mut()),
                neighbour: UnsafeCell::new(Neighbour {
                    previous: ptr::null_mut(),
                }),
                data: UnsafeCell::new(DataOrRcu {
                    data: ManuallyDrop::new(data),
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
        let node = self.allocate(parent, name, NodeData::new(payload))?;
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
