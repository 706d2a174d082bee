// SPDX-License-Identifier: GPL-2.0

//! The code behind a directory.

use super::{
    meta::{
        Meta,
        MetaRef, //
    },
    tree::EventTree,
    EventFs,
    EventInode,
    ForeignFile, //
};
use crate::{
    nodes::{
        Drained,
        Node, //
    },
    vfs::{
        lower::{
            KernMount,
            LowerRef, //
        },
        FileVTable, //
    },
};
use core::any::Any;
use kernel::prelude::*;

/// The answer of a provider to a look-up.
pub(crate) struct Found {
    /// The node: of the directory, of the file with a node of its own, or of the directory whose
    /// table has the file.
    pub(super) node: MetaRef,
    /// The index of a file in the table of `node`; `None` for a node of its own.
    pub(super) entry: Option<usize>,
    /// The permission bits, unless they were changed.
    pub(super) mode: u16,
    /// The operations of open files; `None` for a directory.
    pub(super) fops: Option<FileVTable<EventFs>>,
    /// The dentry of another file system that the name stands for.
    pub(super) lower: Option<LowerRef>,
    /// The file of another module that the name stands for.
    pub(super) foreign: Option<ForeignFile>,
}

impl Found {
    /// A directory.
    pub(crate) fn directory(node: MetaRef, mode: u16) -> Self {
        Self {
            node,
            entry: None,
            mode,
            fops: None,
            lower: None,
            foreign: None,
        }
    }

    /// A file: with a node of its own, or the file `entry` of the table of `node`.
    pub(crate) fn file(
        node: MetaRef,
        entry: Option<usize>,
        mode: u16,
        fops: FileVTable<EventFs>,
    ) -> Self {
        Self {
            entry,
            fops: Some(fops),
            ..Self::directory(node, mode)
        }
    }

    /// The node.
    pub(crate) fn into_node(self) -> MetaRef {
        self.node
    }

    /// Makes it stand for a dentry of another file system.
    pub(crate) fn with_lower(self, lower: LowerRef) -> Self {
        Self {
            lower: Some(lower),
            ..self
        }
    }

    /// Makes it stand for a file of another module.
    pub(crate) fn with_foreign(self, foreign: ForeignFile) -> Self {
        Self {
            foreign: Some(foreign),
            ..self
        }
    }
}

/// Types that can be identified at run time. All types can: no provider can pass for another one.
pub(crate) trait AsAny: Any {
    /// The value as an `Any`, so that the layer of its type can downcast it.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Any> AsAny for T {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The code behind a directory, and behind the files in it.
///
/// All functions may sleep. They are called without the tree lock; `lookup` and, before an owner
/// changes, `sync` are called with the `i_rwsem` of the directory held.
///
/// The last reference to a provider may be dropped with a node, inside of an SRCU read-side
/// critical section of the tree. A provider whose drop waits for a grace period of the tree must be
/// kept elsewhere until the tree is gone (L4).
pub(crate) trait Provider: AsAny + Send + Sync {
    /// Looks a name up in a directory; `None` if the name does not exist.
    ///
    /// `known` is the node of that name, if the tree had one before the call, and this is its
    /// provider. Otherwise this is the provider of the directory.
    fn lookup(
        &self,
        dir: &EventInode,
        name: &[u8],
        known: Option<MetaRef>,
    ) -> Result<Option<Found>>;

    /// Whether a file of the table of a directory exists now.
    fn file_exists(&self, dir: &Node<Meta>, entry: usize) -> bool;

    /// Brings the nodes below a directory, and its table, up to date.
    fn sync(&self, dir: &EventInode) -> Result;

    /// The file system that the tree stands for. Its root is that of the tree.
    fn lower(&self) -> Option<&KernMount>;

    /// Checks that a directory has nothing of this name that it has no node for. Removes a node of
    /// this provider that is out of date.
    ///
    /// # Errors
    ///
    /// `EEXIST`: the name is taken.
    fn check_name_free(&self, tree: &EventTree, dir: &Node<Meta>, name: &[u8]) -> Result;

    /// The node of a directory of this provider, which is added if the tree does not have it yet.
    ///
    /// # Errors
    ///
    /// `ENOENT`: the directory does not exist.
    fn lookup_dir(&self, tree: &EventTree, dir: &Node<Meta>, name: &[u8]) -> Result<MetaRef>;

    /// A node of this provider was removed and drained: no path leads to it, and no call into the
    /// provider for it is running. Called once for each node, for children before their parent.
    fn node_removed(&self, tree: &EventTree, node: Drained<'_, Meta>);
}
