// SPDX-License-Identifier: GPL-2.0

//! Open files of modules that may be unloaded at any time.
//!
//! # Life of an open file
//!
//! `open()` ([`fops`](super::fops)) makes a [`Proxy`] and puts it into `f_op`: a table of file
//! operations of ours, with a function for each operation that the module has. Such a function
//! takes an active reference to the node of the file and calls the operation of the module, or
//! fails with `ENODEV` if the node was removed.
//!
//! The module's `release()` is called once, by the first of two: the last close of the file, or the
//! removal of its node. A removal waits until the active references are gone, then releases each
//! open file of the node ([`OpenFiles::drain`]). Nothing of the module is used after that; the file
//! stays open until the user closes it.
//!
//! # Locks
//!
//! `OpenFiles::open` and `Proxy::state` are innermost. `Proxy::poll` is held while the module's
//! `poll()` is called.
//!
//! Corresponds to the full proxies in [`fs/debugfs/file.c`](srctree/fs/debugfs/file.c), and to
//! `kernfs_drain_open_files()` in [`fs/kernfs/file.c`](srctree/fs/kernfs/file.c).

#![allow(unsafe_code)]

use super::{
    owner::ModuleRef,
    poll::Poll, //
    registry::address_of,
};
use crate::{
    event_inode::Meta,
    nodes::{
        Drained,
        Node, //
    },
};
use core::mem;
use kernel::{
    bindings, new_condvar, new_mutex,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc,
        CondVar,
        Mutex, //
    },
};

/// The key of an open file: the address of its node, then that of the file.
type Key = (usize, usize);

/// The open files of modules.
///
/// # Invariants
///
/// A file is in the list from the end of its `open()`, during which there was an active reference
/// to its node, until it is released.
#[pin_data]
pub(super) struct OpenFiles {
    /// The files that are not released yet.
    #[pin]
    open: Mutex<RBTree<Key, Arc<Proxy>>>,
    /// The number of files in the list. Where it is 0, the list need not be searched.
    count: Atomic<usize>,
}

impl OpenFiles {
    /// An empty list.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            open <- new_mutex!(RBTree::new(), "eventfs_open_files"),
            count: Atomic::new(0),
        })
    }

    /// The number of open files.
    pub(super) fn count(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Allocates memory for a file in the list. May sleep.
    pub(super) fn reserve() -> Result<RBTreeNodeReservation<Key, Arc<Proxy>>> {
        RBTreeNodeReservation::new(GFP_KERNEL)
    }

    /// Adds an open file of a node.
    ///
    /// # Safety
    ///
    /// The caller has an active reference to `node`, and `proxy` is that of a file of this node.
    pub(super) unsafe fn add(
        &self,
        place: RBTreeNodeReservation<Key, Arc<Proxy>>,
        node: &Node<Meta>,
        proxy: Arc<Proxy>,
    ) {
        let key = (address_of(node), proxy.file.addr());
        // INVARIANT: There is an active reference by the safety requirements.
        self.open.lock().insert(place.into_node(key, proxy));
        self.count.fetch_add(1, Relaxed);
    }

    /// Releases all open files of a node that was removed. May sleep.
    pub(super) fn drain(&self, drained: &Drained<'_, Meta>) {
        let node = address_of(drained.node());
        // A file was counted under an active reference, which is gone: its count is seen here.
        // Acquire: if a last close has subtracted a file, the effects of its `release()` are seen.
        while self.count.load(Acquire) != 0 {
            let found = {
                let open = self.open.lock();
                open.cursor_lower_bound(&(node, 0)).and_then(|at| {
                    let (key, proxy) = at.current();
                    (key.0 == node).then(|| (*key, proxy.clone()))
                })
            };
            let Some((key, proxy)) = found else {
                return;
            };
            // SAFETY: The node of the file is drained: there is no active reference, and none can
            // be taken, so that no operation of the module runs or begins for the file.
            unsafe { proxy.release() };
            self.remove(&key);
        }
    }

    /// Takes a file off the list after its last close.
    pub(super) fn remove_released(&self, node: &Node<Meta>, proxy: &Proxy) {
        if proxy.is_released() {
            self.remove(&(address_of(node), proxy.file.addr()));
        }
    }

    /// Takes a file that is released off the list, if it is there.
    fn remove(&self, key: &Key) {
        let removed = self.open.lock().remove_node(key);
        if removed.is_some() {
            self.count.fetch_sub(1, Release);
        }
    }
}

/// The state of an open file of a module.
enum State {
    /// The file is open, and keeps this module loaded.
    Open(Option<ModuleRef>),
    /// A thread is calling the module's `release()`.
    Releasing,
    /// The module's `release()` has returned.
    Released,
}

/// An open file of a module, with the file operations that stand in for the module's.
///
/// # Invariants
///
/// - `foreign` is valid until `state` is [`State::Released`].
/// - `file` is valid until `state` is [`State::Released`]: its last close waits for that.
#[pin_data]
#[repr(C)]
pub(super) struct Proxy {
    /// The operations in `f_op` of the file. First, so that a pointer to them is one to the proxy.
    fops: bindings::file_operations,
    /// The module's operations.
    foreign: *const bindings::file_operations,
    /// The file.
    file: *mut bindings::file,
    /// How far the release of the file is.
    #[pin]
    state: Mutex<State>,
    /// Notified when the file is released.
    #[pin]
    released: CondVar,
    /// The state of polling, once the file was polled.
    #[pin]
    pub(super) poll: Mutex<Option<Poll>>,
}

// SAFETY: The operations, the file, and the entries on wait queues that `poll` has may be used on
// any thread. The other fields are `Send`.
unsafe impl Send for Proxy {}
// SAFETY: The pointers never change. Operations and file may be used by several threads at once.
// The other fields are under locks.
unsafe impl Sync for Proxy {}

impl Proxy {
    /// A proxy for a file that is being opened. It keeps `module` loaded until it is released.
    ///
    /// # Safety
    ///
    /// - `foreign` is valid until the proxy is released, which is before its node is drained or
    ///   while that is done.
    /// - `file` is valid until the proxy is released.
    pub(super) unsafe fn new(
        fops: bindings::file_operations,
        foreign: *const bindings::file_operations,
        file: *mut bindings::file,
        module: Option<ModuleRef>,
    ) -> Result<Arc<Self>> {
        // INVARIANT: The pointers are valid by the safety requirements.
        let proxy = pin_init!(Self {
            fops,
            foreign,
            file,
            state <- new_mutex!(State::Open(module), "eventfs_proxy_state"),
            released <- new_condvar!("eventfs_proxy_released"),
            poll <- new_mutex!(None, "eventfs_proxy_poll"),
        });
        Arc::pin_init(proxy, GFP_KERNEL)
    }

    /// Borrows the proxy of an open file.
    ///
    /// # Safety
    ///
    /// `f_op` of `file` is that of a proxy that the file owns a reference of for `'a`.
    pub(super) unsafe fn of<'a>(file: *mut bindings::file) -> &'a Self {
        // SAFETY: By the safety requirements `f_op` points to the first field of a proxy, which is
        // valid for `'a`.
        unsafe { &*(*file).f_op.cast() }
    }

    /// The operations for `f_op` of the file.
    pub(super) fn fops(&self) -> *const bindings::file_operations {
        &raw const self.fops
    }

    /// The address of the module's operations.
    pub(super) fn foreign(&self) -> *const bindings::file_operations {
        self.foreign
    }

    /// Whether the module's `release()` has returned.
    fn is_released(&self) -> bool {
        matches!(*self.state.lock(), State::Released)
    }

    /// Calls the module's `release()`, unless that was done before. May sleep.
    ///
    /// Nothing of the module is used for this file after this returns. If another thread is calling
    /// `release()`, this waits for it.
    ///
    /// # Safety
    ///
    /// No operation of the module runs or begins for this file: its node is drained, or its last
    /// user is gone.
    pub(super) unsafe fn release(&self) {
        let module = {
            let mut state = self.state.lock();
            while matches!(*state, State::Releasing) {
                self.released.wait(&mut state);
            }
            if matches!(*state, State::Released) {
                return;
            }
            match mem::replace(&mut *state, State::Releasing) {
                State::Open(module) => module,
                _ => None,
            }
        };
        if let Some(poll) = &mut *self.poll.lock() {
            poll.leave();
        }
        // No lock is held: `release()` may remove other nodes, whose files are released then.
        // SAFETY: The file is not released yet, so by the type invariants the operations and the
        // file are valid.
        unsafe {
            if let Some(release) = (*self.foreign).release {
                release((*self.file).f_inode, self.file);
            }
        }
        // The operations may be this module's, so that it is put after the last use.
        drop(module);
        // INVARIANT: Operations and file are not used from here on.
        *self.state.lock() = State::Released;
        self.released.notify_all();
    }
}
