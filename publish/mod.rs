// SPDX-License-Identifier: GPL-2.0

//! What other modules publish: their directories and files.
//!
//! A directory is a node with a word of data. What it has in common with others (whose it is, the
//! table of its files) is a [`Kind`], kept as long as there is one such directory. A file with a
//! name of its own is a node of a kind that has its operations.
//!
//! # Lifetime
//!
//! What a module has given (tables, operations, data) is used by those who are
//! [inside](crate::nodes::Node::enter) a node that was not removed, and by no one else. Removal
//! waits for them, shuts the open files, and then says so to the module: its release functions are
//! called. When removal returns, the module may go. What it has left when it goes is removed then.
//!
//! # Locks
//!
//! [`Clients::kinds`] is innermost.
//!
//! Corresponds to the callers' side of
//! [`fs/tracefs/event_inode.c`](srctree/fs/tracefs/event_inode.c).

mod entries;
mod ffi;
mod owner;
mod proxy;

pub(crate) use self::{
    ffi::Published,
    owner::ModuleWatch, //
};

use self::{
    entries::{
        ForeignEntries,
        GivenEntries, //
    },
    owner::{
        ModuleGoes,
        Owner, //
    },
    proxy::{
        ForeignFiles,
        OpenFiles, //
    },
};
use crate::{
    event_inode::{
        EventFs,
        EventInode,
        EventTree,
        FileTable as Table,
        Found as Target, //
        Kind,
        Meta,
        MetaRef,
        Provider,
    },
    nodes::{
        check_name,
        ActiveRef,
        Node,
        Removed, //
    },
    vfs::{
        self,
        foreign::{
            ForeignData,
            ForeignFile,
            ForeignOperations, //
        },
        lower::KernMount,
        FileVTable, //
    },
};
use core::any::Any;
use kernel::{
    new_mutex,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode,
        RBTreeNodeReservation, //
    },
    sync::{
        Arc,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// The permissions of directories.
const DIRECTORY_MODE: u16 = 0o755;

/// The directory of the running kernel's events.
const EVENTS: &[u8] = b"events";

/// What a directory or a file is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    /// An events directory.
    EventsDir,
    /// A directory without a table.
    Dir,
    /// A directory with the table at this address, which has this many entries.
    Table(usize, usize),
    /// A file with these operations and permissions.
    File(ForeignOperations, u16),
}

/// What a kind is told from others by.
type Key = (Owner, Of);

/// A kind, and how many nodes there are of it that were not removed.
struct Used {
    /// The kind.
    kind: Arc<Kind>,
    /// Its nodes; not 0.
    nodes: usize,
}

/// What modules have published in a tree.
#[pin_data]
pub(crate) struct Clients {
    /// The kinds that there are nodes of.
    #[pin]
    kinds: Mutex<RBTree<Key, Used>>,
    /// Files of modules that are open.
    #[pin]
    open: OpenFiles,
    /// The directories that a module has a counted reference to. They are kept here, by owner and
    /// address, and not in the pointers that the module has: it may forget those when it goes.
    #[pin]
    handles: Mutex<RBTree<(Owner, usize), MetaRef>>,
}

impl Clients {
    /// Nothing.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            kinds <- new_mutex!(RBTree::new(), "eventfs_kinds"),
            open <- OpenFiles::new(),
            handles <- new_mutex!(RBTree::new(), "eventfs_handles"),
        })
    }

    /// The kind for a new node, which is counted: known already, or made.
    fn kind(self: &Arc<Self>, key: Key, entries: Option<GivenEntries>) -> Result<Arc<Kind>> {
        if let Some(used) = self.kinds.lock().get_mut(&key) {
            used.nodes += 1;
            return Ok(used.kind.clone());
        }
        let kind = Client::kind(self.clone(), key, entries)?;
        let used = Used {
            kind: kind.clone(),
            nodes: 1,
        };
        let new = RBTreeNode::new(key, used, GFP_KERNEL)?;
        let mut kinds = self.kinds.lock();
        // Somebody else may have been faster.
        if let Some(used) = kinds.get_mut(&key) {
            used.nodes += 1;
            return Ok(used.kind.clone());
        }
        kinds.insert(new);
        Ok(kind)
    }

    /// A node of this kind was removed, or could not be added.
    fn give_back(&self, key: &Key) {
        let mut kinds = self.kinds.lock();
        if let Some(used) = kinds.get_mut(key) {
            used.nodes -= 1;
            if used.nodes == 0 {
                kinds.remove(key);
            }
        }
    }

    /// Gives back the reference to a directory of [`Request::counted_dir_with`].
    pub(crate) fn withdraw(&self, node: &Node<Meta>) {
        if let Some(client) = client_of(node) {
            // It is put after the lock.
            let handle = self.handles.lock().remove(&(client.owner(), key_of(node)));
            drop(handle);
        }
    }

    /// Gives back the references that an owner has forgotten, who is not there any more.
    fn withdraw_all(&self, owner: Owner) {
        loop {
            let handle = {
                let mut handles = self.handles.lock();
                let first = handles
                    .cursor_lower_bound(&(owner, 0))
                    .map(|at| *at.current().0)
                    .filter(|key| key.0 == owner);
                first.and_then(|key| handles.remove(&key))
            };
            if handle.is_none() {
                return;
            }
        }
    }

    /// The number of files of modules that are open.
    pub(crate) fn open_files(&self) -> usize {
        self.open.count()
    }

    /// Whether there is a node of this owner.
    fn has(&self, owner: Owner) -> bool {
        self.kinds.lock().keys().any(|key| key.0 == owner)
    }
}

/// The provider of a kind.
pub(crate) struct Client {
    /// The registry that counts the kind and lists its open files.
    clients: Arc<Clients>,
    /// Whose it is, and what.
    key: Key,
    /// The table, for directories that have one.
    entries: Option<ForeignEntries>,
}

impl Client {
    /// Whose it is.
    fn owner(&self) -> Owner {
        self.key.0
    }

    /// What a file of the table of a directory is; `None` if it is not there now. May sleep.
    fn file(&self, dir: &Node<Meta>, entry: usize) -> Option<ForeignFile> {
        let inside = dir.get_active()?;
        let data = ForeignData::from_word(dir.payload().private());
        self.entries.as_ref()?.describe(entry, data, &inside)
    }

    /// Makes a kind.
    fn kind(clients: Arc<Clients>, key: Key, entries: Option<GivenEntries>) -> Result<Arc<Kind>> {
        let entries = entries.map(GivenEntries::check).transpose()?;
        let mut names = KVec::new();
        for name in entries.iter().flat_map(|entries| entries.names()) {
            let mut own = KVec::new();
            own.extend_from_slice(name.to_bytes(), GFP_KERNEL)?;
            names.push(own, GFP_KERNEL)?;
        }
        let provider = Self {
            clients,
            key,
            entries,
        };
        let provider = Arc::new(provider, GFP_KERNEL)?;
        let kind = match key.1 {
            Of::File(..) => Kind::single_files(provider),
            _ => Kind::directories(provider, Table::new(names)),
        };
        Ok(Arc::new(kind, GFP_KERNEL)?)
    }
}

impl Client {
    /// A node of this kind, as the answer to a look-up.
    fn found(&self, node: MetaRef) -> Target {
        let Of::File(operations, permissions) = self.key.1 else {
            return Target::directory(node, DIRECTORY_MODE);
        };
        let file = ForeignFile {
            permissions,
            operations,
            data: ForeignData::from_word(node.payload().private()),
        };
        target(node, None, file)
    }
}

impl Provider for Client {
    fn lookup(
        &self,
        dir: &EventInode,
        name: &[u8],
        known: Option<MetaRef>,
    ) -> Result<Option<Target>> {
        if let Some(known) = known {
            return Ok(Some(self.found(known)));
        }
        let node = dir.private().ok_or(ENOENT)?.node();
        let meta = node.payload();
        let Some(entry) = meta.table().and_then(|table| table.index_of(name)) else {
            return Ok(None);
        };
        let file = self.file(node, entry);
        Ok(file.map(|file| target(node.into(), Some(entry), file)))
    }

    fn file_exists(&self, dir: &Node<Meta>, entry: usize) -> bool {
        self.file(dir, entry).is_some()
    }

    fn sync(&self, _dir: &EventInode) -> Result {
        // Nodes are added when the module says so.
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

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn node_removed(&self, _tree: &EventTree, node: &Node<Meta>) {
        self.clients.open.shut(key_of(node));
        if let Some(entries) = &self.entries {
            entries.release(ForeignData::from_word(node.payload().private()));
        }
        self.clients.give_back(&self.key);
    }
}

/// The provider of a node, if the node is one of another module.
fn client_of(node: &Node<Meta>) -> Option<&Client> {
    node.payload().provider().as_any().downcast_ref()
}

/// A file of a module, as the answer to a look-up.
fn target(node: MetaRef, entry: Option<usize>, file: ForeignFile) -> Target {
    let fops = FileVTable::foreign::<ClientFiles>();
    Target::file(node, entry, file.permissions, fops).with_foreign(file)
}

/// What the open files of a node are listed under.
fn key_of(node: &Node<Meta>) -> usize {
    core::ptr::from_ref(node).addr()
}

/// The files of modules, for their open files.
struct ClientFiles;

impl ForeignFiles<EventFs> for ClientFiles {
    type ActiveRef<'a> = ActiveRef<'a, Meta>;

    fn get_active(inode: &EventInode) -> Option<ActiveRef<'_, Meta>> {
        inode.private()?.node().get_active()
    }

    fn file(inode: &EventInode) -> Option<&ForeignFile> {
        inode.private()?.foreign()
    }

    fn place(inode: &EventInode) -> Option<(Owner, usize, &OpenFiles)> {
        let node = inode.private()?.node();
        let client = client_of(node)?;
        Some((client.owner(), key_of(node), &client.clients.open))
    }

    fn may_open() -> Result {
        vfs::check_lockdown()
    }
}

/// A directory that something is to be made in.
pub(crate) enum Parent<'a> {
    /// The root of the mounts.
    Root,
    /// The directory of the running kernel's events.
    Events,
    /// A directory of a module.
    Node(&'a Node<Meta>),
}

impl Parent<'_> {
    /// The node of the directory. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL`: it is a file. Whatever tracefs fails with.
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

    /// Whether it is an events directory of a module.
    fn is_events_dir(&self) -> bool {
        match self {
            Self::Root | Self::Events => false,
            Self::Node(node) => client_of(node).is_some_and(|client| client.key.1 == Of::EventsDir),
        }
    }
}

/// The tree that modules publish in, with the registry of what they have published.
pub(crate) struct PublishedTree {
    /// The tree.
    pub(crate) tree: Arc<EventTree>,
    /// The registry.
    pub(crate) clients: Arc<Clients>,
}

/// What a module wants to be made.
pub(crate) struct Request<'a> {
    /// Whose it is to be.
    pub(crate) owner: Owner,
    /// Where.
    pub(crate) parent: Parent<'a>,
    /// Its name.
    pub(crate) name: &'a [u8],
}

impl Request<'_> {
    /// Makes a node. May sleep.
    fn make(
        &self,
        site: &PublishedTree,
        of: Of,
        entries: Option<GivenEntries>,
        data: ForeignData,
    ) -> Result<MetaRef> {
        // First what is wrong with the arguments, then what is wrong with the rest.
        check_name(self.name)?;
        let (tree, clients) = (&*site.tree, &site.clients);
        let parent = self.parent.node(tree)?;
        let key = (self.owner, of);
        let kind = clients.kind(key, entries)?;
        let made = parent
            .payload()
            .provider()
            .check_name_free(tree, &parent, self.name)
            .and_then(|()| tree.add(&parent, self.name, kind, data.into_word()));
        if made.is_err() {
            clients.give_back(&key);
        }
        made
    }

    /// Makes an events directory. May sleep.
    ///
    /// # Errors
    ///
    /// As for [`EventTree::add`]; `EEXIST` also if the parent has a file of this name. `EINVAL`:
    /// the parent is a file.
    pub(crate) fn events_dir(&self, site: &PublishedTree) -> Result<MetaRef> {
        self.make(site, Of::EventsDir, None, ForeignData::NULL)
    }

    /// Makes a directory without files. May sleep.
    ///
    /// # Errors
    ///
    /// As for [`Self::events_dir`].
    pub(crate) fn dir(&self, site: &PublishedTree) -> Result<MetaRef> {
        self.make(site, Of::Dir, None, ForeignData::NULL)
    }

    /// Makes a directory for a subsystem. May sleep.
    ///
    /// # Errors
    ///
    /// As for [`Self::events_dir`]. `EINVAL`: the parent is not the one for subsystems.
    pub(crate) fn subsystem_dir(&self, site: &PublishedTree) -> Result<MetaRef> {
        if !matches!(self.parent, Parent::Events) && !self.parent.is_events_dir() {
            return Err(EINVAL);
        }
        self.dir(site)
    }

    /// Makes a directory with the files of a table. May sleep.
    ///
    /// # Errors
    ///
    /// As for [`Self::events_dir`]; what is wrong with the table, see [`GivenEntries::check`].
    pub(crate) fn dir_with(
        &self,
        site: &PublishedTree,
        entries: Option<GivenEntries>,
        data: ForeignData,
    ) -> Result<MetaRef> {
        match entries {
            Some(given) => {
                let of = Of::Table(given.address(), given.len());
                self.make(site, of, entries, data)
            }
            None => self.dir(site),
        }
    }

    /// As [`Self::dir_with`]; the node is kept until [`Clients::withdraw`], or the owner goes.
    pub(crate) fn counted_dir_with(
        &self,
        site: &PublishedTree,
        entries: Option<GivenEntries>,
        data: ForeignData,
    ) -> Result<MetaRef> {
        let place = RBTreeNodeReservation::new(GFP_KERNEL)?;
        let node = self.dir_with(site, entries, data)?;
        let handle = place.into_node((self.owner, key_of(&node)), node.clone());
        site.clients.handles.lock().insert(handle);
        Ok(node)
    }

    /// Makes a file. May sleep.
    ///
    /// # Errors
    ///
    /// As for [`Self::events_dir`]. `EINVAL`: the parent is not one of a module.
    pub(crate) fn file(&self, site: &PublishedTree, file: ForeignFile) -> Result<MetaRef> {
        if !matches!(self.parent, Parent::Node(_)) {
            return Err(EINVAL);
        }
        let of = Of::File(file.operations, file.permissions);
        self.make(site, of, None, file.data)
    }

    /// Makes a file in an events directory. May sleep.
    ///
    /// # Errors
    ///
    /// As for [`Self::file`]. `EINVAL`: the parent is not an events directory.
    pub(crate) fn events_file(&self, site: &PublishedTree, file: ForeignFile) -> Result<MetaRef> {
        if !self.parent.is_events_dir() {
            return Err(EINVAL);
        }
        self.file(site, file)
    }

    /// Removes what the owner has made with this name. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOENT`: there is nothing of this name, or it is not the owner's, or somebody else removes
    /// it, and may not be done with it yet. `EINVAL`: as for [`Self::events_dir`].
    pub(crate) fn remove(&self, site: &PublishedTree) -> Result {
        let tree = &*site.tree;
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

/// Removes what modules leave behind when they go.
pub(crate) struct Leftovers;

impl ModuleGoes for Leftovers {
    fn module_goes(owner: Owner) {
        let Ok(site) = ffi::published() else {
            return;
        };
        let (tree, clients) = (&*site.tree, &*site.clients);
        // What still runs there, and release functions, may remove what was removed here, which so
        // has to be there until nothing of the module is left.
        let mut gone: Option<Removed<Meta>> = None;
        // What still runs there may even add something meanwhile.
        while clients.has(owner) {
            let left = tree
                .nodes()
                .lock()
                .find(|node| client_of(node).is_some_and(|client| client.owner() == owner));
            let Some(node) = left else {
                // Somebody else is at it.
                fsleep(Delta::from_millis(1));
                continue;
            };
            match (&mut gone, tree.take_out(&node)) {
                (_, None) => (),
                (None, removed) => gone = removed,
                (Some(gone), Some(removed)) => gone.append(removed),
            }
        }
        drop(gone);
        clients.withdraw_all(owner);
    }
}
