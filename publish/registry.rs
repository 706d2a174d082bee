// SPDX-License-Identifier: GPL-2.0

//! The registry of published nodes.
//!
//! Nodes of one owner and one [`Shape`] share a [`Kind`]. The registry counts the nodes of each
//! kind, so that a kind is dropped with its last node, and so that all nodes of a module that goes
//! are known to be released.

#![allow(unsafe_code)]

use super::{
    clients::{
        client_of,
        Client, //
    },
    entries::UncheckedEntries,
    owner::{
        GoingModule,
        ModuleId, //
    },
    proxy::OpenFiles, //
};
use crate::{
    event_inode::{
        EventTree,
        Kind,
        Meta,
        MetaRef, //
    },
    nodes::{
        Drained,
        Node, //
    },
    vfs::foreign::{
        ForeignData,
        ForeignFile,
        ForeignOperations, //
    },
};
use core::ptr;
use kernel::{
    new_mutex,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
    sync::{
        Arc,
        Mutex, //
    },
};

/// The properties that all nodes of one kind share, besides their owner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// An events directory.
    EventsDir,
    /// A directory without a table.
    Dir,
    /// A directory with the table at this address, which has this many entries.
    Table(usize, usize),
    /// A file with these operations and this mode.
    File(ForeignOperations, u16),
}

/// The node that a request adds, with all that the module gives for it.
pub(super) enum NodeSpec<'a> {
    /// An events directory.
    EventsDir,
    /// A directory without files.
    Dir,
    /// A directory with the files of a table.
    DirWith(UncheckedEntries<'a>),
    /// A file.
    File(ForeignFile),
}

impl NodeSpec<'_> {
    /// The properties that the node shares with others.
    fn shape(&self) -> Shape {
        match self {
            Self::EventsDir => Shape::EventsDir,
            Self::Dir => Shape::Dir,
            Self::DirWith(entries) => Shape::Table(entries.address(), entries.len()),
            Self::File(file) => Shape::File(file.fops(), file.mode()),
        }
    }

    /// The data of the node.
    fn data(&self) -> ForeignData {
        match self {
            Self::EventsDir | Self::Dir => ForeignData::NULL,
            Self::DirWith(entries) => entries.data(),
            Self::File(file) => file.data(),
        }
    }
}

/// The key of a kind in the registry.
pub(super) type Key = (ModuleId, Shape);

/// A kind with the number of its nodes.
struct KindEntry {
    /// The kind.
    kind: Arc<Kind>,
    /// The nodes that are linked or about to be, or were removed and are not released yet; not 0.
    nodes: usize,
}

/// The kinds of which there are nodes.
struct Kinds {
    /// The kinds by owner and shape.
    entries: RBTree<Key, KindEntry>,
    /// Whether no more nodes may be added.
    closed: bool,
}

/// The registry of the nodes that modules have published in a tree.
#[pin_data]
pub(crate) struct Clients {
    /// The kinds of which there are nodes.
    #[pin]
    kinds: Mutex<Kinds>,
    /// The open files of modules.
    #[pin]
    open: OpenFiles,
    /// The counted references that modules have to directories, by owner and address. They are kept
    /// here, since a module that goes may forget its pointers.
    #[pin]
    handles: Mutex<RBTree<(ModuleId, usize), MetaRef>>,
}

impl Clients {
    /// An empty registry.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            kinds <- new_mutex!(
                Kinds {
                    entries: RBTree::new(),
                    closed: false,
                },
                "eventfs_kinds"
            ),
            open <- OpenFiles::new(),
            handles <- new_mutex!(RBTree::new(), "eventfs_handles"),
        })
    }

    /// Finds or makes the kind for a new node, and counts the node. May sleep.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the registry is closed. Errors of [`UncheckedEntries::check`]. `ENOMEM`.
    pub(super) fn count_node(
        self: &Arc<Self>,
        owner: ModuleId,
        node: NodeSpec<'_>,
    ) -> Result<CountedNode<'_>> {
        let key = (owner, node.shape());
        let data = node.data();
        let counted = |entry: &mut KindEntry| {
            entry.nodes += 1;
            CountedNode {
                clients: self,
                key,
                kind: entry.kind.clone(),
                data,
                linked: false,
            }
        };
        {
            let mut kinds = self.kinds.lock();
            if kinds.closed {
                return Err(ENODEV);
            }
            if let Some(entry) = kinds.entries.get_mut(&key) {
                return Ok(counted(entry));
            }
        }
        // Declared before the guard, so that it is dropped after the lock.
        let mut entry = KindEntry {
            kind: Client::new_kind(self.clone(), key, node)?,
            nodes: 0,
        };
        let place = RBTreeNodeReservation::new(GFP_KERNEL)?;
        let mut kinds = self.kinds.lock();
        if kinds.closed {
            return Err(ENODEV);
        }
        // Another thread may have been faster.
        if let Some(known) = kinds.entries.get_mut(&key) {
            return Ok(counted(known));
        }
        let counted = counted(&mut entry);
        kinds.entries.insert(place.into_node(key, entry));
        Ok(counted)
    }

    /// Subtracts a node that was drained, and whose data is released.
    pub(super) fn uncount_drained(&self, drained: Drained<'_, Meta>) {
        if let Some(client) = client_of(drained.node()) {
            self.uncount_node(client.key());
        }
    }

    /// Subtracts a node that was released, or not added.
    fn uncount_node(&self, key: &Key) {
        // Dropped after the lock.
        let mut unused = None;
        let mut kinds = self.kinds.lock();
        if let Some(entry) = kinds.entries.get_mut(key) {
            entry.nodes -= 1;
            if entry.nodes == 0 {
                unused = kinds.entries.remove_node(key);
            }
        }
        drop(kinds);
        drop(unused);
    }

    /// Refuses new nodes from now on.
    pub(super) fn close(&self) {
        self.kinds.lock().closed = true;
    }

    /// Whether there are nodes, of this owner if one is given.
    pub(super) fn has_nodes(&self, owner: Option<ModuleId>) -> bool {
        let kinds = self.kinds.lock();
        let found = kinds
            .entries
            .keys()
            .any(|(of, _)| owner.is_none_or(|owner| *of == owner));
        found
    }

    /// Keeps a reference to a directory for its owner, until [`Self::put_handle`] or until the
    /// owner goes.
    pub(super) fn add_handle(&self, place: HandleReservation, node: &Node<Meta>) {
        if let Some(client) = client_of(node) {
            let handle = place
                .0
                .into_node((client.owner(), address_of(node)), node.into());
            self.handles.lock().insert(handle);
        }
    }

    /// Drops the reference that [`Self::add_handle`] has kept.
    ///
    /// # Safety
    ///
    /// The owner does not use its pointer to the directory afterwards.
    pub(super) unsafe fn put_handle(&self, node: &Node<Meta>) {
        if let Some(client) = client_of(node) {
            let handle = self
                .handles
                .lock()
                .remove(&(client.owner(), address_of(node)));
            // Put after the lock.
            drop(handle);
        }
    }

    /// Drops all references that a module has forgotten.
    pub(super) fn put_all_handles(&self, module: &GoingModule<'_>) {
        loop {
            let handle = {
                let mut handles = self.handles.lock();
                let first = handles
                    .cursor_lower_bound(&(module.id(), 0))
                    .map(|at| *at.current().0)
                    .filter(|key| key.0 == module.id());
                first.and_then(|key| handles.remove(&key))
            };
            if handle.is_none() {
                return;
            }
        }
    }

    /// The open files of modules.
    pub(super) fn open_files(&self) -> &OpenFiles {
        &self.open
    }

    /// The number of open files of modules.
    pub(crate) fn open_count(&self) -> usize {
        self.open.count()
    }
}

/// Memory for a counted reference to a directory.
pub(super) struct HandleReservation(RBTreeNodeReservation<(ModuleId, usize), MetaRef>);

impl HandleReservation {
    /// Allocates the memory. May sleep.
    pub(super) fn new() -> Result<Self> {
        Ok(Self(RBTreeNodeReservation::new(GFP_KERNEL)?))
    }
}

/// A node that is counted, and not linked yet. Unless it is [linked](Self::link), the drop
/// subtracts it.
pub(super) struct CountedNode<'a> {
    /// The registry that has counted it.
    clients: &'a Clients,
    /// The key of its kind.
    key: Key,
    /// Its kind.
    kind: Arc<Kind>,
    /// Its data.
    data: ForeignData,
    /// Whether it was linked. Then its release subtracts it.
    linked: bool,
}

impl CountedNode<'_> {
    /// Links the node. May sleep.
    ///
    /// # Errors
    ///
    /// Errors of [`EventTree::add`].
    pub(super) fn link(
        mut self,
        tree: &EventTree,
        parent: &Node<Meta>,
        name: &[u8],
    ) -> Result<MetaRef> {
        let node = tree.add(parent, name, self.kind.clone(), self.data.into_word())?;
        self.linked = true;
        Ok(node)
    }
}

impl Drop for CountedNode<'_> {
    fn drop(&mut self) {
        if !self.linked {
            self.clients.uncount_node(&self.key);
        }
    }
}

/// The address of a node, as a key in registries.
pub(super) fn address_of(node: &Node<Meta>) -> usize {
    ptr::from_ref(node).addr()
}
