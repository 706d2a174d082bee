// SPDX-License-Identifier: GPL-2.0

//! The provider of published nodes.
//!
//! It answers look-ups with the module's callbacks, and releases open files and data of a node that
//! was removed.

#![allow(unsafe_code)]

use super::{
    entries::ForeignEntries,
    fops,
    owner::ModuleId,
    proxy::OpenFiles,
    registry::{
        Clients,
        Key,
        NodeSpec,
        Shape, //
    },
};
use crate::{
    event_inode::{
        EventInode, EventTree, FileTable, ForeignFile as AnchoredFile, Found, Kind, Meta, MetaRef,
        Provider,
    },
    nodes::{
        Drained,
        Node, //
    },
    vfs::{
        foreign::{
            ForeignData,
            ForeignFile, //
        },
        lower::KernMount, //
    },
};
use core::ptr;
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The mode of directories.
const DIRECTORY_MODE: u16 = 0o755;

/// The provider of a kind of published nodes.
///
/// # Invariants
///
/// Each node of this provider was added by
/// [`CountedNode::link`](super::registry::CountedNode::link) for the owner in `key`. Its `private`
/// is the data that the module has given with the table `entries`, or with the operations in `key`.
/// No other code can add such a node: a kind is only handed to its own provider
/// ([`Meta::kind_of`]), and this type is private to `publish/`, which never calls that.
pub(super) struct Client {
    /// The registry that counts the nodes and lists their open files.
    clients: Arc<Clients>,
    /// The owner and the shape of the nodes.
    key: Key,
    /// The table, for directories that have one.
    entries: Option<ForeignEntries>,
}

impl Client {
    /// Makes the kind of a node.
    pub(super) fn new_kind(
        clients: Arc<Clients>,
        key: Key,
        node: NodeSpec<'_>,
    ) -> Result<Arc<Kind>> {
        let is_file = matches!(node, NodeSpec::File(_));
        let (entries, table) = match node {
            NodeSpec::DirWith(unchecked) => {
                let (entries, table) = unchecked.check()?;
                (Some(entries), table)
            }
            _ => (None, FileTable::new(KVec::new())),
        };
        // INVARIANT: The kind has no nodes yet.
        let provider = Self {
            clients,
            key,
            entries,
        };
        let provider = Arc::new(provider, GFP_KERNEL)?;
        let kind = if is_file {
            Kind::single_files(provider)
        } else {
            Kind::directories(provider, table)
        };
        Ok(Arc::new(kind, GFP_KERNEL)?)
    }

    /// The owner and the shape of the nodes.
    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// The module that owns the nodes.
    pub(super) fn owner(&self) -> ModuleId {
        self.key.0
    }

    /// The open files of all clients.
    pub(super) fn open_files(&self) -> &OpenFiles {
        self.clients.open_files()
    }

    /// Whether the nodes are events directories.
    pub(super) fn has_events_dirs(&self) -> bool {
        self.key.1 == Shape::EventsDir
    }

    /// The data of a node, if it is one of this provider.
    fn data_of(&self, node: &Node<Meta>) -> Option<ForeignData> {
        let meta = node.payload();
        ptr::addr_eq(meta.provider(), self).then(|| ForeignData::from_word(meta.private()))
    }

    /// Asks the module for a file of the table of a directory; `None` if it does not exist now. May
    /// sleep.
    fn file(&self, dir: &Node<Meta>, entry: usize) -> Option<ForeignFile> {
        let data = self.data_of(dir)?;
        let _active = dir.get_active()?;
        // SAFETY: `dir` is a node of this provider. By the type invariant it was made with this
        // table and this data. The active reference is held during the call.
        unsafe { self.entries.as_ref()?.call(entry, data) }
    }
}

impl Client {
    /// The answer to a look-up that found a node of this provider.
    fn found(&self, node: MetaRef) -> Option<Found> {
        let data = self.data_of(&node)?;
        let Shape::File(fops, mode) = self.key.1 else {
            return Some(Found::directory(node, DIRECTORY_MODE));
        };
        // SAFETY: By the type invariant the node was made with these operations and this data. The
        // module keeps both valid until the node is drained.
        let file = unsafe { ForeignFile::from_parts(mode, fops, data).anchored(node.clone()) };
        Some(found_file(node, None, file))
    }
}

impl Provider for Client {
    fn lookup(
        &self,
        dir: &EventInode,
        name: &[u8],
        known: Option<MetaRef>,
    ) -> Result<Option<Found>> {
        if let Some(known) = known {
            return Ok(self.found(known));
        }
        let node = dir.private().ok_or(ENOENT)?.node();
        let meta = node.payload();
        let Some(entry) = meta.table().and_then(|table| table.index_of(name)) else {
            return Ok(None);
        };
        let Some(file) = self.file(node, entry) else {
            return Ok(None);
        };
        // SAFETY: Operations and data that a callback names are valid until the directory that it
        // was called for, which is `node`, is drained.
        let file = unsafe { file.anchored(node.into()) };
        Ok(Some(found_file(node.into(), Some(entry), file)))
    }

    fn file_exists(&self, dir: &Node<Meta>, entry: usize) -> bool {
        self.file(dir, entry).is_some()
    }

    fn sync(&self, _dir: &EventInode) -> Result {
        // Nodes are added and removed when their module says so.
        Ok(())
    }

    fn lower(&self) -> Option<&KernMount> {
        None
    }

    fn check_name_free(&self, _tree: &EventTree, dir: &Node<Meta>, name: &[u8]) -> Result {
        let table = dir.payload().table();
        match table.and_then(|table| table.index_of(name)) {
            Some(_) => Err(EEXIST),
            None => Ok(()),
        }
    }

    fn lookup_dir(&self, _tree: &EventTree, _dir: &Node<Meta>, _name: &[u8]) -> Result<MetaRef> {
        Err(ENOENT)
    }

    fn node_removed(&self, _tree: &EventTree, drained: Drained<'_, Meta>) {
        let Some(data) = self.data_of(drained.node()) else {
            return;
        };
        self.clients.open_files().drain(&drained);
        if let Some(entries) = &self.entries {
            // SAFETY: The node is one of this provider, so by the type invariant it was made with
            // this table and this data. It is drained, and its open files are. `drained` exists
            // once for each node and is consumed by this call.
            unsafe { entries.release(data) };
        }
        self.clients.uncount_drained(drained);
    }
}

/// The provider of a node, if a module has published the node.
pub(super) fn client_of(node: &Node<Meta>) -> Option<&Client> {
    node.payload().provider().as_any().downcast_ref()
}

/// The answer to a look-up that found a file of a module.
fn found_file(node: MetaRef, entry: Option<usize>, file: AnchoredFile) -> Found {
    Found::file(node, entry, file.mode(), fops::FOREIGN).with_foreign(file)
}
