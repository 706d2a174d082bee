// SPDX-License-Identifier: GPL-2.0

//! The metadata of nodes: the part that they share by kind, and the part of each.
//!
//! A node exists for every event, so each byte of it counts. Everything that directories of one
//! kind have in common is in a [`Kind`]: the provider, and the names of their files. A node refers
//! to its kind, and holds an inode number, a few bits of state and a word for its provider.

use super::{
    attr::NodeAttr,
    provider::Provider, //
};
use crate::nodes::{
    Node,
    NodeData,
    NodeRef,
    OnceBox,
    Payload, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed, //
        },
        Arc, //
    },
};

/// A counted reference to a node of eventfs.
pub(crate) type MetaRef = NodeRef<Meta>;

/// The names of the files that each directory of a kind has.
pub(crate) struct FileTable {
    /// The names, no two alike. They never change: the index of a name identifies the file.
    names: KVec<KVec<u8>>,
}

impl FileTable {
    /// A table of these names, no two of which are alike.
    pub(crate) fn new(names: KVec<KVec<u8>>) -> Self {
        Self { names }
    }

    /// The index of a name.
    pub(crate) fn index_of(&self, name: &[u8]) -> Option<usize> {
        self.names.iter().position(|own| own.as_slice() == name)
    }

    /// The names, by index.
    pub(crate) fn names(&self) -> &[KVec<u8>] {
        &self.names
    }
}

/// The tables of directories of one kind whose files differ. There are few such tables, so that a
/// directory identifies its table by a few bits of its [`State`].
pub(super) struct TableCache([OnceBox<Arc<FileTable>>; Self::CAPACITY]);

impl TableCache {
    /// The number of tables. A directory whose table does not fit has a [`ListedFiles`] instead.
    const CAPACITY: usize = 16;

    /// The number of inode numbers that such a directory reserves for its files when it is added.
    pub(super) const RESERVED_INOS: usize = 15;

    /// An empty cache.
    const fn new() -> Self {
        Self([const { OnceBox::new() }; Self::CAPACITY])
    }

    /// The slot of a table, which is put into a free slot if it has none. `None` if no slot is
    /// free, or if the table has more than [`Self::RESERVED_INOS`] files. May sleep.
    fn slot_of(&self, table: &Arc<FileTable>) -> Result<Option<usize>> {
        if table.names.len() > Self::RESERVED_INOS {
            return Ok(None);
        }
        for (index, slot) in self.0.iter().enumerate() {
            let cached = slot.get_or_try_init(|| Ok(KBox::new(table.clone(), GFP_KERNEL)?))?;
            if Arc::ptr_eq(cached, table) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// The table in a slot.
    fn get(&self, slot: usize) -> Option<&FileTable> {
        Some(&**self.0.get(slot)?.get()?)
    }
}

/// Properties shared by all nodes of one kind: provider, type, file table.
pub(crate) struct Kind {
    /// The code behind the nodes.
    provider: Arc<dyn Provider>,
    /// Whether the nodes are directories. Otherwise they are files with a name of their own.
    is_directory: bool,
    /// The files of each directory, if all directories of the kind have the same.
    table: Option<FileTable>,
    /// The tables that the provider has found, if directories of the kind differ.
    cache: Option<TableCache>,
    /// The kind of the single files in the directories, if the provider adds such files.
    files: Option<Arc<Kind>>,
}

impl Kind {
    /// Directories that all have the files of `table`.
    pub(crate) fn directories(provider: Arc<dyn Provider>, table: FileTable) -> Self {
        Self {
            provider,
            is_directory: true,
            table: Some(table),
            cache: None,
            files: None,
        }
    }

    /// Files with a name of their own.
    pub(crate) fn single_files(provider: Arc<dyn Provider>) -> Self {
        Self {
            provider,
            is_directory: false,
            table: None,
            cache: None,
            files: None,
        }
    }

    /// Directories whose provider finds the files of each later, and adds single files as well.
    pub(super) fn various_directories(provider: Arc<dyn Provider>) -> Result<Self> {
        let files = Arc::new(Self::single_files(provider.clone()), GFP_KERNEL)?;
        Ok(Self {
            provider,
            is_directory: true,
            table: None,
            cache: Some(TableCache::new()),
            files: Some(files),
        })
    }

    /// The number of inode numbers that a new node of this kind reserves for its files.
    pub(super) fn reserved_inos(&self) -> usize {
        match (&self.table, &self.cache) {
            (Some(table), _) => table.names.len(),
            (None, Some(_)) => TableCache::RESERVED_INOS,
            (None, None) => 0,
        }
    }

    /// The kind of the single files in directories of this kind.
    ///
    /// # Errors
    ///
    /// `ENOTDIR`: nodes of this kind have no single files in them.
    pub(crate) fn of_files(&self) -> Result<Arc<Kind>> {
        self.files.clone().ok_or(ENOTDIR)
    }
}

/// The files of a directory whose table is neither that of its kind nor in a [`TableCache`].
struct ListedFiles {
    /// The names, shared with other directories that have the same files.
    table: Arc<FileTable>,
    /// The inode number of the first file. Those of the others follow.
    first_ino: u64,
}

/// The inode number of a node, and what its provider has found out about the directory: so the
/// directories of events, which are most, allocate nothing when they are first looked into.
struct State(Atomic<u64>);

impl State {
    /// The bits of the inode number. Inode numbers cannot run out of them.
    const INO: u64 = (1 << 48) - 1;

    /// The position of the slot in the [`TableCache`], plus 1; 0 if the table is not known.
    const TABLE_SHIFT: u32 = 48;

    /// Whether the provider has populated the directory.
    const COMPLETE: u64 = 1 << 63;

    /// An inode number without further state.
    const fn new(ino: u64) -> Self {
        Self(Atomic::new(ino & Self::INO))
    }

    /// The inode number.
    fn ino(&self) -> u64 {
        self.0.load(Relaxed) & Self::INO
    }

    /// Sets the inode number of a node that is not linked yet.
    fn set_ino(&self, ino: u64) {
        self.0.store(ino & Self::INO, Relaxed);
    }

    /// The slot of the table, once it is known.
    fn table_slot(&self) -> Option<usize> {
        let slot = (self.0.load(Acquire) & !Self::COMPLETE) >> Self::TABLE_SHIFT;
        // CAST: It has 15 bits.
        (slot as usize).checked_sub(1)
    }

    /// Replaces the state by `change` of it, until `change` returns `None`.
    fn update(&self, change: impl Fn(u64) -> Option<u64>) {
        let mut state = self.0.load(Relaxed);
        while let Some(new) = change(state) {
            match self.0.cmpxchg(state, new, Full) {
                Ok(_) => break,
                Err(other) => state = other,
            }
        }
    }

    /// Sets the slot of the table, unless it is known.
    fn set_table_slot(&self, slot: usize) {
        // CAST: It is less than `TableCache::CAPACITY`.
        let table = (slot as u64 + 1) << Self::TABLE_SHIFT;
        let is_known = |state: u64| state & !Self::COMPLETE > Self::INO;
        self.update(|state| (!is_known(state)).then_some(state | table));
    }

    /// Whether the provider has populated the directory.
    fn is_complete(&self) -> bool {
        self.0.load(Acquire) & Self::COMPLETE != 0
    }

    /// Notes that the provider has populated the directory.
    fn set_complete(&self) {
        self.update(|state| (state & Self::COMPLETE == 0).then_some(state | Self::COMPLETE));
    }
}

/// Rarely needed data of a node, allocated on first use so that ordinary nodes stay at 96 bytes.
pub(crate) struct MetaExt {
    /// The files of a directory, if its [`State`] cannot tell.
    files: OnceBox<ListedFiles>,
    /// Changed attributes of the node and of its files.
    pub(super) attr: OnceBox<NodeAttr>,
}

/// The payload of a node: the metadata of a directory, or of a file with a name of its own, while
/// it has neither dentry nor inode.
pub(crate) struct Meta {
    /// The properties that the node shares with others. It never changes.
    kind: Arc<Kind>,
    /// The inode number, with those of the files following, and the state. The inode number is
    /// kept here because it must be the same after an eviction, and unlike that of any other file
    /// (U17). It is set when the node is linked, so that siblings are in the order of their inode
    /// numbers.
    state: State,
    /// For the provider: tells the directory from others of its kind.
    private: u64,
}

impl Payload for Meta {
    type Ext = MetaExt;

    fn new_ext() -> MetaExt {
        MetaExt {
            files: OnceBox::new(),
            attr: OnceBox::new(),
        }
    }
}

// A node with a name of up to 16 bytes fits into 96 bytes.
static_assert!(size_of::<Node<Meta>>() == 80);
// The rarely needed data and the pointer to the children fit into 32 bytes.
static_assert!(size_of::<MetaExt>() + size_of::<*const ()>() <= 32);

impl Meta {
    /// The metadata of a new node.
    pub(super) fn new(kind: Arc<Kind>, ino: u64, private: u64) -> Self {
        Self {
            kind,
            state: State::new(ino),
            private,
        }
    }

    /// Whether the node is one of a kind.
    pub(super) fn is_of_kind(&self, kind: &Arc<Kind>) -> bool {
        Arc::ptr_eq(&self.kind, kind)
    }

    /// The kind of the node, for its own provider, which is a `P`: nodes can be added with it.
    ///
    /// # Errors
    ///
    /// `ENOTDIR`: the node has another provider.
    pub(crate) fn kind_of<P: Provider>(&self) -> Result<&Arc<Kind>> {
        if self.provider().as_any().is::<P>() {
            Ok(&self.kind)
        } else {
            Err(ENOTDIR)
        }
    }

    /// The code behind the node.
    ///
    /// A reference that is not counted: with a counted one other code could make a kind of this
    /// provider, and add nodes to it.
    pub(crate) fn provider(&self) -> &dyn Provider {
        &*self.kind.provider
    }

    /// The inode number.
    pub(super) fn ino(&self) -> u64 {
        self.state.ino()
    }

    /// Sets the inode number of a node that is not linked yet.
    pub(super) fn set_ino(&self, ino: u64) {
        self.state.set_ino(ino);
    }

    /// The word that the provider has given the node.
    pub(crate) fn private(&self) -> u64 {
        self.private
    }

    /// Whether the node is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        self.kind.is_directory
    }
}

impl NodeData<Meta> {
    /// Whether the provider has populated this directory.
    pub(crate) fn is_complete(&self) -> bool {
        self.state.is_complete()
    }

    /// Notes that the provider has populated this directory.
    pub(crate) fn set_complete(&self) {
        self.state.set_complete();
    }

    /// The files of the directory, once they are known.
    pub(crate) fn table(&self) -> Option<&FileTable> {
        let cached = || self.kind.cache.as_ref()?.get(self.state.table_slot()?);
        let listed = || Some(&*self.ext()?.files.get()?.table);
        self.kind.table.as_ref().or_else(cached).or_else(listed)
    }

    /// Sets the files of the directory, unless they are known. `alloc_inos` allocates that many
    /// consecutive inode numbers and returns the first. May sleep.
    pub(super) fn set_table(
        &self,
        table: Arc<FileTable>,
        alloc_inos: impl FnOnce(usize) -> u64,
    ) -> Result {
        if self.table().is_some() {
            return Ok(());
        }
        if let Some(cache) = &self.kind.cache {
            if let Some(slot) = cache.slot_of(&table)? {
                self.state.set_table_slot(slot);
                return Ok(());
            }
        }
        self.make_ext()?.files.get_or_try_init(|| {
            let files = ListedFiles {
                first_ino: alloc_inos(table.names.len()),
                table,
            };
            Ok(KBox::new(files, GFP_KERNEL)?)
        })?;
        Ok(())
    }

    /// The inode number of a file of the directory.
    pub(super) fn file_ino(&self, entry: usize) -> Option<u64> {
        let first = if self.kind.table.is_some() || self.state.table_slot().is_some() {
            self.ino() + 1
        } else {
            self.ext()?.files.get()?.first_ino
        };
        // CAST: An index fits.
        Some(first + entry as u64)
    }
}
