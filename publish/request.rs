// SPDX-License-Identifier: GPL-2.0

//! Requests of modules: directories and files to add, names to remove.

#![allow(unsafe_code)]

use super::{
    clients::{
        client_of,
        Client, //
    },
    entries::UncheckedEntries,
    owner::ModuleId,
    publication::PublishedTree,
    registry::{
        HandleReservation,
        NodeSpec, //
    },
};
use crate::{
    event_inode::{
        EventTree,
        Meta,
        MetaRef, //
    },
    nodes::{
        check_name,
        Node, //
    },
    vfs::foreign::ForeignFile,
};
use kernel::prelude::*;

/// The name of the directory of the running kernel's events.
const EVENTS: &[u8] = b"events";

/// The parent directory of a request.
pub(super) enum Parent<'a> {
    /// The root of the mounts.
    Root,
    /// The directory of the running kernel's events.
    Events,
    /// A node that a module has published.
    Node(&'a Node<Meta>),
}

impl Parent<'_> {
    /// The node of the directory. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the node is a file. Errors of tracefs's look-up of `events`.
    fn node(&self, tree: &EventTree) -> Result<MetaRef> {
        match self {
            Self::Root => tree.nodes().root(),
            Self::Events => {
                let root = tree.nodes().root()?;
                root.payload().provider().lookup_dir(tree, &root, EVENTS)
            }
            Self::Node(node) if node.payload().is_directory() => Ok((*node).into()),
            Self::Node(_) => Err(EINVAL),
        }
    }

    /// Whether the directory is an events directory of a module.
    fn is_events_dir(&self) -> bool {
        match self {
            Self::Root | Self::Events => false,
            Self::Node(node) => client_of(node).is_some_and(Client::has_events_dirs),
        }
    }
}

/// A request of a module: to add a node, or to remove one.
///
/// # Invariants
///
/// Operations, tables and data of the request are valid until the node that is made with them is
/// drained and released. `owner` is freed after that: the nodes of a module that goes are removed
/// before.
pub(super) struct Request<'a> {
    /// The module that asks.
    owner: ModuleId,
    /// The parent directory.
    parent: Parent<'a>,
    /// The name.
    name: &'a [u8],
}

impl<'a> Request<'a> {
    /// Makes a request.
    ///
    /// # Safety
    ///
    /// `owner` is the module that asks. It keeps operations, tables and data of the request valid
    /// until the node that is made with them is drained and released, or until it is freed itself.
    pub(super) unsafe fn new(owner: ModuleId, parent: Parent<'a>, name: &'a [u8]) -> Self {
        // INVARIANT: The owner keeps them valid by the safety requirements. Its nodes are removed
        // before it is freed.
        Self {
            owner,
            parent,
            name,
        }
    }

    /// Adds a node. May sleep.
    fn add(&self, published: &PublishedTree, node: NodeSpec<'_>) -> Result<MetaRef> {
        // Errors of the arguments come before errors of the state.
        check_name(self.name)?;
        let tree = published.tree();
        let parent = self.parent.node(tree)?;
        let counted = published.clients().count_node(self.owner, node)?;
        parent
            .payload()
            .provider()
            .check_name_free(tree, &parent, self.name)?;
        counted.link(tree, &parent, self.name)
    }

    /// Adds an events directory. May sleep.
    ///
    /// # Errors
    ///
    /// Errors of [`EventTree::add`]. `EEXIST` also if the parent has a file of this name. `EINVAL`
    /// also if the parent is a file. `ENODEV` also after the publication has ended.
    pub(super) fn events_dir(&self, published: &PublishedTree) -> Result<MetaRef> {
        self.add(published, NodeSpec::EventsDir)
    }

    /// Adds a directory without files. May sleep.
    ///
    /// # Errors
    ///
    /// Errors of [`Self::events_dir`]. `EINVAL` also if no module has published the parent.
    pub(super) fn dir(&self, published: &PublishedTree) -> Result<MetaRef> {
        if !matches!(self.parent, Parent::Node(_)) {
            return Err(EINVAL);
        }
        self.add(published, NodeSpec::Dir)
    }

    /// Adds a directory for a subsystem. May sleep.
    ///
    /// # Errors
    ///
    /// Errors of [`Self::events_dir`]. `EINVAL` also if the parent is neither the directory of the
    /// running kernel's events nor an events directory.
    pub(super) fn subsystem_dir(&self, published: &PublishedTree) -> Result<MetaRef> {
        if !matches!(self.parent, Parent::Events) && !self.parent.is_events_dir() {
            return Err(EINVAL);
        }
        self.add(published, NodeSpec::Dir)
    }

    /// Adds a directory with the files of a table, or without files. May sleep.
    ///
    /// # Errors
    ///
    /// Errors of [`Self::events_dir`] and of [`UncheckedEntries::check`].
    pub(super) fn dir_with(
        &self,
        published: &PublishedTree,
        entries: Option<UncheckedEntries<'_>>,
    ) -> Result<MetaRef> {
        self.add(published, entries.map_or(NodeSpec::Dir, NodeSpec::DirWith))
    }

    /// Adds a directory as [`Self::dir_with`] does, and keeps a reference to it for the owner. May
    /// sleep.
    ///
    /// # Errors
    ///
    /// Errors of [`Self::dir_with`].
    pub(super) fn dir_with_handle(
        &self,
        published: &PublishedTree,
        entries: Option<UncheckedEntries<'_>>,
    ) -> Result<MetaRef> {
        let place = HandleReservation::new()?;
        let node = self.dir_with(published, entries)?;
        published.clients().add_handle(place, &node);
        Ok(node)
    }

    /// Adds a file. May sleep.
    ///
    /// # Errors
    ///
    /// Errors of [`Self::events_dir`]. `EINVAL` also if no module has published the parent.
    pub(super) fn file(&self, published: &PublishedTree, file: ForeignFile) -> Result<MetaRef> {
        if !matches!(self.parent, Parent::Node(_)) {
            return Err(EINVAL);
        }
        self.add(published, NodeSpec::File(file))
    }

    /// Adds a file to an events directory. May sleep.
    ///
    /// # Errors
    ///
    /// Errors of [`Self::file`]. `EINVAL` also if the parent is not an events directory.
    pub(super) fn events_file(
        &self,
        published: &PublishedTree,
        file: ForeignFile,
    ) -> Result<MetaRef> {
        if !self.parent.is_events_dir() {
            return Err(EINVAL);
        }
        self.file(published, file)
    }

    /// Removes the node of this name, with all below it. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOENT`: there is no node of this name, or it is not the owner's, or another thread is
    /// removing it, and may not have finished. `EINVAL`: the name is bad, or the parent is a file.
    /// `ENAMETOOLONG`.
    pub(super) fn remove(&self, published: &PublishedTree) -> Result {
        let tree = published.tree();
        check_name(self.name)?;
        let parent = self.parent.node(tree)?;
        let child = tree.child(&parent, self.name).ok_or(ENOENT)?;
        let owner = client_of(&child).map(Client::owner);
        if owner != Some(self.owner) {
            return Err(ENOENT);
        }
        tree.take_out(&child).map(drop).ok_or(ENOENT)
    }
}
