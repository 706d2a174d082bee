// SPDX-License-Identifier: GPL-2.0

//! eventfs: a file system whose dentries and inodes come into being when they are looked at.
//!
//! A tree of nodes says which directories there are, and a table, shared by all directories of the
//! same kind, which files such a directory has. What a node is good for is its [`Provider`]'s
//! business. Here is how nodes become dentries and inodes, and how both go away again.
//!
//! # Who owns what
//!
//! A dentry (`d_fsdata`) and an inode own a reference to a node each: for a directory to its own,
//! for a file of a table to that of its directory. An open directory owns references to the
//! dentries that it has pinned. There is no pointer from a node to its dentry: the dentry is found
//! by name, from the root of the super block down (L5).
//!
//! # Locks
//!
//! The `i_rwsem` of a directory, then the tree lock, then the locks of the dcache, and that of
//! [`SuperLink`]. Providers are called without the tree lock (L3).
//!
//! Corresponds to [`fs/tracefs/event_inode.c`](srctree/fs/tracefs/event_inode.c).

use crate::nodes::{
    Carried,
    Node,
    NodeRef,
    OnceBox,
    Payload,
    Removed,
    Seen,
    Tree,
    TreeLock,
    NAME_MAX, //
};
use crate::vfs::{
    self,
    foreign::ForeignFile,
    inode::DirVTable,
    lower::InternalMount,
    ActiveSuper,
    AttrChange,
    Dentry,
    DentryRef,
    DirEmitter,
    DirOperations,
    FileSystem,
    FileVTable,
    Held,
    Inode,
    InodeInit,
    InodeKind,
    Listing,
    NewInode,
    OpenFile,
    Options,
    SuperBlock,
    SuperLink,
    UnhashedDentry, //
};
use core::{
    any::Any,
    ptr, //
};
use kernel::{
    debugfs::Writer,
    fmt, new_mutex,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    str::CStr,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed,
            Release, //
        },
        barrier::smp_mb,
        Arc,
        Mutex, //
    },
};

/// The permissions of the root directory unless an option says otherwise.
const DEFAULT_MODE: u16 = 0o700;

/// A counted reference to a node of eventfs.
pub(crate) type MetaRef = NodeRef<Meta>;

/// An inode of eventfs.
pub(crate) type EventInode = Inode<EventFs>;

/// The names of the files that each directory of a kind has.
pub(crate) struct Table {
    /// All different. They never change: a file is known by its index here.
    names: KVec<KVec<u8>>,
}

impl Table {
    /// A table of these names, which are all different.
    pub(crate) fn new(names: KVec<KVec<u8>>) -> Self {
        Self { names }
    }

    /// The index of a name.
    pub(crate) fn position(&self, name: &[u8]) -> Option<usize> {
        self.names.iter().position(|own| own.as_slice() == name)
    }

    /// The names, in their order.
    pub(crate) fn names(&self) -> &[KVec<u8>] {
        &self.names
    }
}

/// What a name in a directory turned out to be.
pub(crate) struct Target {
    /// The node: of the directory or the file that has one, or of the directory that the file with
    /// this index in the table is in.
    pub(crate) node: MetaRef,
    /// The index of a file that has no node of its own.
    pub(crate) entry: Option<usize>,
    /// The permissions, as long as nobody has changed them.
    pub(crate) permissions: u16,
    /// What its open files do; `None` for a directory.
    pub(crate) operations: Option<FileVTable<EventFs>>,
    /// The dentry of another file system that it stands for.
    pub(crate) lower: Option<DentryRef>,
    /// What it is, if it is a file of another module.
    pub(crate) foreign: Option<ForeignFile>,
}

/// The code behind a directory.
///
/// All functions may sleep. They are called without the tree lock; `find`, `describe` and, before
/// an owner changes, `refresh` with the `i_rwsem` of the directory held.
///
/// The last reference to a provider may go with a node, which may be dropped by a reader of the
/// tree: a provider that waits for a grace period of the tree when it is dropped must be kept by
/// somebody until the tree is gone (L4).
pub(crate) trait Provider: Send + Sync + 'static {
    /// Says what a name in a directory stands for that no node is known for; `None` if there is no
    /// such name.
    fn find(&self, dir: &EventInode, name: &[u8]) -> Result<Option<Target>>;

    /// Says what a node of this provider in a directory, whoever's that is, stands for; `None` if
    /// there is no such name any more.
    fn describe(&self, dir: &EventInode, node: &Node<Meta>) -> Result<Option<Target>>;

    /// Whether a file of the table of a directory of this provider is there now.
    fn has_file(&self, dir: &Node<Meta>, entry: usize) -> bool;

    /// Makes the nodes below a directory, and its table, what they should be.
    fn refresh(&self, dir: &EventInode) -> Result;

    /// The file system that the tree is a view of. Its root is that of the tree.
    fn lower(&self) -> Option<&InternalMount>;

    /// Checks that a directory has nothing of this name that there is no node for. A node of this
    /// provider that is not right any more goes.
    ///
    /// # Errors
    ///
    /// `EEXIST`: it has.
    fn check_free(&self, tree: &EventTree, dir: &Node<Meta>, name: &[u8]) -> Result;

    /// The node of a directory of this provider that may not have been looked at yet.
    ///
    /// # Errors
    ///
    /// `ENOENT`: there is no such directory.
    fn known_dir(&self, tree: &EventTree, dir: &Node<Meta>, name: &[u8]) -> Result<MetaRef>;

    /// The provider as a type that its own room knows.
    fn as_any(&self) -> &dyn Any;

    /// A node of this provider was removed: no path leads there, and nobody is inside. Called once
    /// for each, for those in a directory before it.
    fn removed(&self, tree: &EventTree, node: &Node<Meta>);
}

/// The tables of directories of a kind that have not all the same files. There are a few, which is
/// why a directory can say in a few bits of its own which one it has.
struct FoundTables([OnceBox<Arc<Table>>; Self::MOST]);

impl FoundTables {
    /// As many as are known by their place here; what comes later is known in another way.
    const MOST: usize = 16;

    /// A directory has inode numbers for as many files from the beginning.
    const FILES: usize = 15;

    /// None so far.
    fn new() -> Self {
        Self([const { OnceBox::new() }; Self::MOST])
    }

    /// The place of a table, which it takes if it has none. `None`: there is no place left, or it
    /// is too long. May sleep.
    fn place_of(&self, table: &Arc<Table>) -> Result<Option<usize>> {
        if table.names.len() > Self::FILES {
            return Ok(None);
        }
        for (place, slot) in self.0.iter().enumerate() {
            let taken = slot.get_or_try_init(|| Ok(KBox::new(table.clone(), GFP_KERNEL)?))?;
            if Arc::ptr_eq(taken, table) {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// The table at a place.
    fn get(&self, place: usize) -> Option<&Table> {
        Some(&**self.0.get(place)?.get()?)
    }
}

/// What nodes have in common that are alike.
pub(crate) struct Kind {
    /// The code that answers for them.
    provider: Arc<dyn Provider>,
    /// Whether they are directories, not files with a name of their own.
    directory: bool,
    /// The names of their files, where all have the same.
    table: Option<Table>,
    /// The tables that their provider has found in some of them, where not all have the same.
    found: Option<FoundTables>,
    /// The kind of the single files in them, if their provider adds such files.
    files: Option<Arc<Kind>>,
}

impl Kind {
    /// Directories that all have the files of this table.
    pub(crate) fn directories(provider: Arc<dyn Provider>, table: Table) -> Self {
        Self {
            provider,
            directory: true,
            table: Some(table),
            found: None,
            files: None,
        }
    }

    /// Files with a name of their own.
    pub(crate) fn single_files(provider: Arc<dyn Provider>) -> Self {
        Self {
            provider,
            directory: false,
            table: None,
            found: None,
            files: None,
        }
    }

    /// Directories whose provider says later what is in each, and adds single files there, too.
    fn various(provider: Arc<dyn Provider>) -> Result<Self> {
        let files = Arc::new(Self::single_files(provider.clone()), GFP_KERNEL)?;
        Ok(Self {
            provider,
            directory: true,
            table: None,
            found: Some(FoundTables::new()),
            files: Some(files),
        })
    }

    /// How many inode numbers a new node of this kind needs for its files.
    fn numbers_for_files(&self) -> usize {
        match (&self.table, &self.found) {
            (Some(table), _) => table.names.len(),
            (None, Some(_)) => FoundTables::FILES,
            (None, None) => 0,
        }
    }

    /// The kind of the single files in such directories.
    ///
    /// # Errors
    ///
    /// `ENOTDIR`: there are none.
    pub(crate) fn of_files(&self) -> Result<Arc<Kind>> {
        self.files.clone().ok_or(ENOTDIR)
    }
}

/// An attribute that was set by somebody, or was not.
struct Saved(Atomic<u64>);

impl Saved {
    /// Above the 32 bits of a value.
    const SET: u64 = 1 << 32;

    /// An attribute that begins as set to `value`, or as not set.
    const fn new(value: Option<u32>) -> Self {
        Self(Atomic::new(Self::encode(value)))
    }

    /// How it is stored: [`Self::SET`] with the value, or 0 for one that is not set.
    const fn encode(value: Option<u32>) -> u64 {
        match value {
            Some(value) => Self::SET | value as u64,
            None => 0,
        }
    }

    /// The value, if one was set. Needs no lock.
    fn get(&self) -> Option<u32> {
        let value = self.0.load(Relaxed);
        // CAST: The lower half is the value.
        (value & Self::SET != 0).then_some(value as u32)
    }

    /// Sets the value, or forgets that one was set.
    fn set(&self, value: Option<u32>) {
        self.0.store(Self::encode(value), Relaxed);
    }
}

/// Attributes that were changed by `chmod`, `chown` or `chgrp`. Written under the tree lock.
struct Attr {
    /// The permissions.
    mode: Saved,
    /// The owner, as the initial user name space numbers it.
    uid: Saved,
    /// The group, likewise.
    gid: Saved,
}

impl Attr {
    /// Attributes that nobody has changed.
    const fn new() -> Self {
        Self {
            mode: Saved::new(None),
            uid: Saved::new(None),
            gid: Saved::new(None),
        }
    }
}

/// Attributes of a node and of its files, where they are not those of the mount.
struct NodeAttr {
    /// What was changed of the node itself.
    own: Attr,
    /// Whom the node was created for: the owner of its parent then. Its files start with it, too.
    base_uid: Saved,
    /// The group that the node was created for, likewise.
    base_gid: Saved,
    /// What was changed of its files, by index.
    files: OnceBox<KVVec<Attr>>,
}

/// The files of a directory, where neither its kind nor its [`State`] tells.
struct Files {
    /// Their names, shared with other directories that have the same.
    table: Arc<Table>,
    /// The inode number of the first file; the others follow.
    first_number: u64,
}

/// The inode number of a node, and what was found out about the directory since it is there: so the
/// directories of events, which are most, need nothing else when they have been looked into.
struct State(Atomic<u64>);

impl State {
    /// The bits of the inode number: more than can ever be given out.
    const NUMBER: u64 = (1 << 48) - 1;

    /// Where the place of the table in [`FoundTables`] plus 1 stands; 0 if it is not known.
    const TABLE: u32 = 48;

    /// For the provider: whether it has taken in what is in the directory.
    const COMPLETE: u64 = 1 << 63;

    /// Just the number.
    const fn new(number: u64) -> Self {
        Self(Atomic::new(number & Self::NUMBER))
    }

    /// The inode number.
    fn number(&self) -> u64 {
        self.0.load(Relaxed) & Self::NUMBER
    }

    /// Gives a node that nobody can see yet its number.
    fn set_number(&self, number: u64) {
        self.0.store(number & Self::NUMBER, Relaxed);
    }

    /// The place of the table, once it is known.
    fn table(&self) -> Option<usize> {
        let place = (self.0.load(Acquire) & !Self::COMPLETE) >> Self::TABLE;
        // CAST: It has 15 bits.
        (place as usize).checked_sub(1)
    }

    /// Changes it, unless `change` finds that this was done before.
    fn update(&self, change: impl Fn(u64) -> Option<u64>) {
        let mut known = self.0.load(Relaxed);
        while let Some(new) = change(known) {
            match self.0.cmpxchg(known, new, Full) {
                Ok(_) => break,
                Err(other) => known = other,
            }
        }
    }

    /// Says where the table is, if that was not said before.
    fn set_table(&self, place: usize) {
        // CAST: It is less than `FoundTables::MOST`.
        let table = (place as u64 + 1) << Self::TABLE;
        let is_known = |state: u64| state & !Self::COMPLETE > Self::NUMBER;
        self.update(|state| (!is_known(state)).then_some(state | table));
    }

    /// Whether the provider has taken in what is in the directory.
    fn is_complete(&self) -> bool {
        self.0.load(Acquire) & Self::COMPLETE != 0
    }

    /// Says that it has.
    fn set_complete(&self) {
        self.update(|state| (state & Self::COMPLETE == 0).then_some(state | Self::COMPLETE));
    }
}

/// What is not known of most nodes.
pub(crate) struct More {
    /// The files of a directory, once its provider has listed them, if its [`State`] cannot tell.
    files: OnceBox<Files>,
    /// Changed attributes of the node and of its files.
    attributes: OnceBox<NodeAttr>,
}

/// What a node of eventfs carries: all that is known of a directory, or of a file with a name of
/// its own, while there is neither dentry nor inode.
pub(crate) struct Meta {
    /// What it has in common with others: code, files and their names. It never changes.
    kind: Arc<Kind>,
    /// The inode number, with those of the files following, and more. It is kept, because it must
    /// be the same again after the inode was evicted, and unlike that of any other file (U17). Set
    /// when the node is linked, so that siblings are in the order of their numbers.
    state: State,
    /// For the provider: what tells the directory from others of its kind.
    word: u64,
}

impl Payload for Meta {
    type More = More;

    fn more() -> More {
        More {
            files: OnceBox::new(),
            attributes: OnceBox::new(),
        }
    }
}

// There are as many as there are events. With a name of up to 16 bytes a node fits into 96.
static_assert!(size_of::<Node<Meta>>() == 80);
// This, and the pointer to the children, into 32.
static_assert!(size_of::<More>() + size_of::<*const ()>() <= 32);

impl Meta {
    /// What is known of each new node of this kind.
    fn new(kind: Arc<Kind>, number: u64, word: u64) -> Self {
        Self {
            kind,
            state: State::new(number),
            word,
        }
    }

    /// What the node has in common with others.
    pub(crate) fn kind(&self) -> &Arc<Kind> {
        &self.kind
    }

    /// The code behind the node.
    pub(crate) fn provider(&self) -> &Arc<dyn Provider> {
        &self.kind.provider
    }

    /// The inode number.
    fn number(&self) -> u64 {
        self.state.number()
    }

    /// What the provider has given the node.
    pub(crate) fn word(&self) -> u64 {
        self.word
    }

    /// Whether it is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        self.kind.directory
    }
}

impl Carried<Meta> {
    /// Whether the provider has said that it has taken in what is in the directory.
    pub(crate) fn is_complete(&self) -> bool {
        self.state.is_complete()
    }

    /// Says so.
    pub(crate) fn set_complete(&self) {
        self.state.set_complete();
    }

    /// The names of the files of the directory, once they are known.
    pub(crate) fn table(&self) -> Option<&Table> {
        let found = || self.kind.found.as_ref()?.get(self.state.table()?);
        let listed = || Some(&*self.more()?.files.get()?.table);
        self.kind.table.as_ref().or_else(found).or_else(listed)
    }

    /// The inode number of a file of the directory.
    fn file_number(&self, entry: usize) -> Option<u64> {
        let first = if self.kind.table.is_some() || self.state.table().is_some() {
            self.number() + 1
        } else {
            self.more()?.files.get()?.first_number
        };
        // CAST: An index fits.
        Some(first + entry as u64)
    }

    /// The attributes of the node, if there are any.
    fn attributes(&self) -> Option<&NodeAttr> {
        self.more()?.attributes.get()
    }

    /// The attributes of its files, if there are any.
    fn file_attributes(&self) -> Option<&KVVec<Attr>> {
        self.attributes()?.files.get()
    }

    /// The attributes of the node, made if there are none yet. May sleep.
    fn make_attributes(&self) -> Result<&NodeAttr> {
        self.make_more()?.attributes.get_or_try_init(|| {
            let attributes = NodeAttr {
                own: Attr::new(),
                base_uid: Saved::new(None),
                base_gid: Saved::new(None),
                files: OnceBox::new(),
            };
            Ok(KBox::new(attributes, GFP_KERNEL)?)
        })
    }

    /// The attributes of a file of the directory, made if there are none yet. May sleep.
    fn make_file_attributes(&self, entry: usize) -> Result<&Attr> {
        let count = self.table().ok_or(ENODEV)?.names.len();
        let all = self.make_attributes()?.files.get_or_try_init(|| {
            let mut attributes = KVVec::with_capacity(count, GFP_KERNEL)?;
            for _ in 0..count {
                attributes.push(Attr::new(), GFP_KERNEL)?;
            }
            Ok(KBox::new(attributes, GFP_KERNEL)?)
        })?;
        all.get(entry).ok_or(ENODEV)
    }

    /// The owner that was set for the node, or that it was created for.
    fn uid(&self) -> Option<u32> {
        let attributes = self.attributes()?;
        attributes.own.uid.get().or(attributes.base_uid.get())
    }

    /// The group, likewise.
    fn gid(&self) -> Option<u32> {
        let attributes = self.attributes()?;
        attributes.own.gid.get().or(attributes.base_gid.get())
    }

    /// Forgets changed attributes, here and in the files.
    fn forget(&self, uid: bool, gid: bool, mode: bool) {
        let forget = |attr: &Attr| {
            if uid {
                attr.uid.set(None);
            }
            if gid {
                attr.gid.set(None);
            }
            if mode {
                attr.mode.set(None);
            }
        };
        if let Some(attributes) = self.attributes() {
            forget(&attributes.own);
            if uid {
                attributes.base_uid.set(None);
            }
            if gid {
                attributes.base_gid.set(None);
            }
        }
        for attr in self.file_attributes().into_iter().flatten() {
            forget(attr);
        }
    }
}

/// What an inode of eventfs owns.
pub(crate) struct Private {
    /// The node: see [`Target::node`].
    node: MetaRef,
    /// The index in the table of the node: see [`Target::entry`].
    entry: Option<usize>,
    /// What the inode has unless somebody has changed it: see [`Target::permissions`].
    permissions: u16,
    /// What it is, if it is a file of another module.
    foreign: Option<ForeignFile>,
}

impl Private {
    /// The node: see [`Target::node`].
    pub(crate) fn node(&self) -> &Node<Meta> {
        &self.node
    }

    /// What it is, if it is a file of another module.
    pub(crate) fn foreign(&self) -> Option<&ForeignFile> {
        self.foreign.as_ref()
    }
}

/// A tree of directories and files: what a mount of eventfs shows.
#[pin_data]
pub(crate) struct EventTree {
    /// The metadata, and the tree lock.
    #[pin]
    nodes: Tree<Meta>,
    /// Where the dentries of the nodes are found, while the tree is mounted.
    mounted: Arc<SuperLink<EventFs>>,
    /// The last inode number given out.
    last_number: Atomic<u64>,
    /// The `uid=` of the mount. Written, as the two below, under the tree lock.
    uid: Atomic<u32>,
    /// The `gid=` of the mount.
    gid: Atomic<u32>,
    /// The `mode=` of the mount: the permissions of the root directory.
    mode: Atomic<u32>,
    /// Whether `readdir=metadata` holds.
    lists_metadata: Atomic<bool>,
    /// The directories that are open.
    open_dirs: Atomic<usize>,
    /// How often a provider has said that its nodes may not be right any more.
    doubts: Atomic<u64>,
    /// Changes of owners and permissions: odd while one is made. Written under the tree lock.
    changes: Atomic<u64>,
}

/// A change of owners and permissions that is being made, under the tree lock.
struct Changing<'a>(&'a EventTree);

impl<'a> Changing<'a> {
    /// Begins. `_lock` is the tree lock, which is held until the change is over.
    fn begin(tree: &'a EventTree, _lock: &TreeLock<'_, Meta>) -> Self {
        // Full: before anything that is written and any inode that is looked at.
        tree.changes.fetch_add(1, Full);
        Self(tree)
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.changes.fetch_add(1, Full);
    }
}

impl EventTree {
    /// A tree whose root is a directory of this provider.
    pub(crate) fn new(provider: Arc<dyn Provider>) -> impl PinInit<Self, Error> {
        const ROOT_NUMBER: u64 = 1;

        try_pin_init!(Self {
            nodes <- Tree::with_root(move || {
                let kind = Arc::new(Kind::various(provider)?, GFP_KERNEL)?;
                Ok(Meta::new(kind, ROOT_NUMBER, 0))
            }),
            mounted: Arc::pin_init(SuperLink::new(), GFP_KERNEL)?,
            // CAST: It is small.
            last_number: Atomic::new(ROOT_NUMBER + FoundTables::FILES as u64),
            uid: Atomic::new(0),
            gid: Atomic::new(0),
            mode: Atomic::new(u32::from(DEFAULT_MODE)),
            lists_metadata: Atomic::new(false),
            open_dirs: Atomic::new(0),
            doubts: Atomic::new(0),
            changes: Atomic::new(0),
        })
    }

    /// The way to the super block that shows the tree: for the registration.
    pub(crate) fn link(&self) -> Arc<SuperLink<EventFs>> {
        self.mounted.clone()
    }

    /// The nodes.
    pub(crate) fn nodes(&self) -> &Tree<Meta> {
        &self.nodes
    }

    /// Takes `count` inode numbers, and returns the first.
    fn numbers(&self, count: usize) -> u64 {
        // CAST: A count fits.
        self.last_number.fetch_add(count as u64, Relaxed) + 1
    }

    /// Adds a directory or a file. May sleep. The name is visible when this returns.
    ///
    /// `word` is for the provider.
    ///
    /// # Errors
    ///
    /// - `EINVAL`, `ENAMETOOLONG`: bad names, see [`Tree::prepare`].
    /// - `EEXIST`: there is a node of this name.
    /// - `ENODEV`: the parent was removed.
    /// - `EPERM`: kernel lockdown forbids it.
    /// - `ENOMEM`.
    pub(crate) fn add(
        &self,
        parent: &Node<Meta>,
        name: &[u8],
        kind: Arc<Kind>,
        word: u64,
    ) -> Result<MetaRef> {
        vfs::check_lockdown()?;
        let files = kind.numbers_for_files();
        let meta = Meta::new(kind, 0, word);
        let new = self.nodes.prepare(parent, name, meta)?;
        if parent.payload().attributes().is_some() {
            new.payload().make_attributes()?;
        }
        let linked = {
            let mut lock = self.nodes.lock();
            new.payload().state.set_number(self.numbers(1 + files));
            // New nodes take the owner of their parent, where that is not the one of the mount
            // (U15). Under the lock, so that a remount does not miss them (U14).
            if let Some(attributes) = new.payload().attributes() {
                attributes.base_uid.set(parent.payload().uid());
                attributes.base_gid.set(parent.payload().gid());
            }
            lock.link(new)
        };
        // What is left over is dropped here, after the tree lock.
        linked
            .map(|(node, _spare)| node)
            .map_err(|refused| refused.error)
    }

    /// Says which files a directory has, if that was not said before. May sleep.
    pub(crate) fn set_table(&self, dir: &Node<Meta>, table: Arc<Table>) -> Result {
        let meta = dir.payload();
        if meta.table().is_some() {
            return Ok(());
        }
        if let Some(found) = &meta.kind.found {
            if let Some(place) = found.place_of(&table)? {
                meta.state.set_table(place);
                return Ok(());
            }
        }
        let more = meta.make_more()?;
        more.files.get_or_try_init(|| {
            let files = Files {
                first_number: self.numbers(table.names.len()),
                table,
            };
            Ok(KBox::new(files, GFP_KERNEL)?)
        })?;
        Ok(())
    }

    /// The child of a directory with this name, if there is a node of it.
    pub(crate) fn child(&self, dir: &Node<Meta>, name: &[u8]) -> Option<MetaRef> {
        dir.child(name, &self.nodes.read())?.get()
    }

    /// Removes a node and all below it (L6). May sleep: to be called without the tree lock.
    ///
    /// When this returns, no path leads there any more. It cannot fail.
    pub(crate) fn remove(&self, node: &Node<Meta>) {
        drop(self.take_out(node));
    }

    /// As [`Self::remove`], and gives what was removed; `None`: somebody else has, or is doing it.
    pub(crate) fn take_out(&self, node: &Node<Meta>) -> Option<Removed<Meta>> {
        let removed = self.unlink(node)?;
        for node in removed.nodes() {
            self.nodes.wait_until_left(node);
            node.payload().provider().removed(self, node);
        }
        Some(removed)
    }

    /// Takes a node and all below it out of the tree and the dcache; `None`: that was done before.
    fn unlink(&self, node: &Node<Meta>) -> Option<Removed<Meta>> {
        // In the order of their declaration reversed, all of it is put after the tree lock; the
        // super block, which cannot be shut down meanwhile, before providers hear of it.
        let active;
        let cached;
        let removed = {
            let mut lock = self.nodes.lock();
            let removed = lock.remove(node)?;
            // Between the mark and the look into the dcache: see `lookup()`.
            smp_mb(Full);
            active = self.mounted.get();
            cached = active
                .as_ref()
                .and_then(|active| Self::cached(node, active));
            removed
        };
        if let (Some(active), Some(Ok(dentry))) = (&active, &cached) {
            let owner = dentry.data_in(active.super_block());
            if owner.is_some_and(|owner| ptr::eq(owner, node)) {
                Self::invalidate(dentry, node, &removed);
            }
        }
        Some(removed)
    }

    /// Invalidates the dentry of a node that was removed, and those below. May sleep.
    fn invalidate(dentry: &Held<'_>, node: &Node<Meta>, removed: &Removed<Meta>) {
        // What is in use below stays in the dcache, but no longer by its name: each is unhashed
        // before the one that leads to it. So it goes with its last user, and the node with it.
        // What comes into the cache from now on is dead already.
        let forget = |dentry: &Held<'_>, node: &Node<Meta>| {
            for name in node.payload().table().into_iter().flat_map(Table::names) {
                if let Some(file) = dentry.cached_child(name) {
                    file.invalidate();
                }
            }
            dentry.invalidate();
        };
        for below in removed.nodes().filter(|below| !ptr::eq(*below, node)) {
            if let Ok(dentry) = cached_below(dentry.again(), node, below) {
                forget(&dentry, below);
            }
        }
        forget(dentry, node);
    }

    /// Collects the dentry of a node, if there is one in the cache. Does not sleep, and allocates
    /// nothing. Without one, gives what was found on the way there, for the caller to put.
    ///
    /// To be called under the tree lock, so that a look-up of this name is either seen here or sees
    /// that the node is dead (L7). What it returns is to be dropped after the lock (L3).
    fn cached<'a>(
        node: &Node<Meta>,
        active: &'a ActiveSuper<EventFs>,
    ) -> Option<Result<Held<'a>, Held<'a>>> {
        let root = active.root().ok()?;
        Some(cached_below(root, ancestor_at(node, 0), node))
    }

    /// Nodes may not be right any more: directories that are open are looked at again before they
    /// are listed from the metadata.
    pub(crate) fn doubt(&self) {
        self.doubts.fetch_add(1, Release);
    }

    /// The super block that shows the tree, if there is one that is in use. Does not sleep.
    pub(crate) fn active_super(&self) -> Option<ActiveSuper<EventFs>> {
        self.mounted.get()
    }

    /// The owner and the group of a file or a directory.
    fn owner_of(&self, meta: &Carried<Meta>, attr: Option<&Attr>) -> (u32, u32) {
        let node = meta.attributes();
        let uid = attr
            .and_then(|attr| attr.uid.get())
            .or_else(|| node?.base_uid.get());
        let gid = attr
            .and_then(|attr| attr.gid.get())
            .or_else(|| node?.base_gid.get());
        (
            uid.unwrap_or_else(|| self.uid.load(Relaxed)),
            gid.unwrap_or_else(|| self.gid.load(Relaxed)),
        )
    }

    /// The permissions, the owner and the group that an inode has to have.
    fn attributes_of(
        &self,
        node: &Node<Meta>,
        entry: Option<usize>,
        permissions: u16,
    ) -> (u16, (u32, u32)) {
        let meta = node.payload();
        let attr = match entry {
            None => meta.attributes().map(|attributes| &attributes.own),
            Some(entry) => meta
                .file_attributes()
                .and_then(|attributes| attributes.get(entry)),
        };
        let default = if node.parent().is_none() && entry.is_none() {
            // CAST: It was set from permissions.
            self.mode.load(Relaxed) as u16
        } else {
            permissions
        };
        let saved = attr.and_then(|attr| attr.mode.get());
        // CAST: Only permissions are saved.
        let permissions = saved.map_or(default, |mode| mode as u16);
        (permissions, self.owner_of(meta, attr))
    }

    /// Makes an inode, which is known to the super block by now, what its node says. May sleep.
    ///
    /// A change of owners has either seen the inode, or is seen here: look-ups do not take the tree
    /// lock for that, so that they do not wait for each other.
    fn keep_up(&self, inode: &EventInode) {
        let changes = self.changes.load(Acquire);
        if changes.is_multiple_of(2) {
            self.update(inode);
            smp_mb(Full);
            if self.changes.load(Relaxed) == changes {
                return;
            }
        }
        let _lock = self.nodes.lock();
        self.update(inode);
    }

    /// Makes an inode what its node says. Under the tree lock, or see [`Self::keep_up`].
    fn update(&self, inode: &EventInode) {
        if let Some(private) = inode.private() {
            let (permissions, (uid, gid)) =
                self.attributes_of(&private.node, private.entry, private.permissions);
            inode.set_owner_and_permissions(permissions, uid, gid);
        }
    }

    /// Makes an inode for what a name has turned out to be. May sleep.
    fn new_inode(&self, sb: &SuperBlock<EventFs>, target: Target) -> Result<NewInode<EventFs>> {
        let meta = target.node.payload();
        let number = match target.entry {
            None => meta.number(),
            Some(entry) => meta.file_number(entry).ok_or(ENOENT)?,
        };
        let kind = match target.operations {
            None => InodeKind::Directory(DirVTable::new::<OpenDir>()),
            Some(operations) => InodeKind::Regular(operations),
        };
        let (permissions, owner) =
            self.attributes_of(&target.node, target.entry, target.permissions);
        let init = InodeInit {
            kind,
            number,
            permissions,
            owner,
            lower: target.lower,
            data: target.foreign.map(|foreign| foreign.data),
            private: Private {
                node: target.node,
                entry: target.entry,
                permissions: target.permissions,
                foreign: target.foreign,
            },
        };
        NewInode::new(sb, init)
    }
}

/// What there is of a tree, for an administrator: a file of debugfs.
impl Writer for EventTree {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = self.nodes.counts();
        let (mut inodes, mut dentries) = (0usize, 0usize);
        if let Some(active) = self.active_super() {
            active.super_block().for_each_inode(|inode| {
                inodes += 1;
                dentries += usize::from(inode.has_dentry());
            });
        }
        writeln!(f, "nodes {}", nodes.linked)?;
        writeln!(f, "nodes_removed {}", nodes.removed)?;
        writeln!(f, "nodes_pending {}", nodes.pending)?;
        writeln!(f, "dentries {dentries}")?;
        writeln!(f, "inodes {inodes}")?;
        writeln!(f, "open_dirs {}", self.open_dirs.load(Relaxed))
    }
}

/// How far below the root a node is.
fn depth_of(node: &Node<Meta>) -> usize {
    let mut depth = 0;
    let mut at = node;
    while let Some(parent) = at.parent() {
        depth += 1;
        at = parent;
    }
    depth
}

/// The ancestor of a node (or the node) that is this far below the root.
fn ancestor_at(node: &Node<Meta>, level: usize) -> &Node<Meta> {
    let mut at = node;
    for _ in level..depth_of(node) {
        at = at.parent().unwrap_or(at);
    }
    at
}

/// The dentry of a node, from that of an ancestor down; the error is the last one on the way that
/// there is: what is not in the cache has no descendants there.
///
/// Puts no dentry that it has the last reference of: each is kept by the one below it.
fn cached_below<'a>(
    top: Held<'a>,
    above: &Node<Meta>,
    node: &Node<Meta>,
) -> Result<Held<'a>, Held<'a>> {
    let mut dentry = top;
    for level in depth_of(above) + 1..=depth_of(node) {
        match dentry.cached_child(ancestor_at(node, level).name()) {
            Some(child) => dentry = child,
            None => return Err(dentry),
        }
    }
    Ok(dentry)
}

/// The file system.
pub(crate) struct EventFs;

impl FileSystem for EventFs {
    const NAME: &'static CStr = c"eventfs";
    const INODE_CACHE: &'static CStr = c"eventfs_inode_cache";
    /// "evfs".
    const MAGIC: c_ulong = 0x6576_6673;

    type OwnerModule = crate::LocalModule;
    type Instance = EventTree;
    type Inode = Private;
    type Dentry = MetaRef;

    fn root(sb: &SuperBlock<Self>) -> Result<(NewInode<Self>, Self::Dentry)> {
        let tree = sb.instance();
        let node = tree.nodes.root()?;
        let target = Target {
            node: node.clone(),
            entry: None,
            permissions: DEFAULT_MODE,
            operations: None,
            lower: match node.payload().provider().lower() {
                Some(mount) => Some(mount.root()?),
                None => None,
            },
            foreign: None,
        };
        Ok((tree.new_inode(sb, target)?, node))
    }

    fn configure(sb: &SuperBlock<Self>, options: &Options, first: bool) {
        let tree = sb.instance();
        let lock = tree.nodes.lock();
        let _changing = Changing::begin(tree, &lock);
        if first {
            tree.uid.store(0, Relaxed);
            tree.gid.store(0, Relaxed);
            tree.mode.store(u32::from(DEFAULT_MODE), Relaxed);
            tree.lists_metadata.store(false, Relaxed);
        }
        if let Some(listing) = options.listing {
            tree.lists_metadata
                .store(listing == Listing::Metadata, Relaxed);
        }
        if let Some(uid) = options.uid {
            tree.uid.store(uid, Relaxed);
        }
        if let Some(gid) = options.gid {
            tree.gid.store(gid, Relaxed);
        }
        if let Some(mode) = options.mode {
            tree.mode.store(u32::from(mode), Relaxed);
            if let Some(root) = lock.root().and_then(|root| root.payload().attributes()) {
                root.own.mode.set(None);
            }
        }
        // A new super block begins as its options say. Later, who gives an owner for the mount
        // gives it for all that is in it (U14).
        let (uid, gid) = (
            first || options.uid.is_some(),
            first || options.gid.is_some(),
        );
        if uid || gid {
            lock.for_each(|node| node.payload().forget(uid, gid, first));
        }
        sb.for_each_inode(|inode| tree.update(inode));
    }

    fn show_options(tree: &EventTree, m: &SeqFile) {
        let (uid, gid) = (tree.uid.load(Relaxed), tree.gid.load(Relaxed));
        let mode = tree.mode.load(Relaxed);
        if uid != 0 {
            seq_print!(m, ",uid={}", uid);
        }
        if gid != 0 {
            seq_print!(m, ",gid={}", gid);
        }
        if mode != u32::from(DEFAULT_MODE) {
            seq_print!(m, ",mode={:o}", mode);
        }
        if tree.lists_metadata.load(Relaxed) {
            seq_print!(m, ",readdir=metadata");
        }
    }

    fn lookup(dir: &EventInode, dentry: UnhashedDentry<'_, Self>) -> Result {
        if dentry.name().len() > NAME_MAX {
            return Err(ENAMETOOLONG);
        }
        let parent = dir.private().ok_or(ENOENT)?.node();
        if parent.is_dead() {
            return Ok(());
        }
        let tree = dir.super_block().instance();
        let found = match tree.child(parent, dentry.name()) {
            Some(child) => child.payload().provider().describe(dir, &child)?,
            None => parent.payload().provider().find(dir, dentry.name())?,
        };
        let Some(target) = found else {
            return Ok(());
        };

        let node = target.node.clone();
        let inode = tree.new_inode(dir.super_block(), target)?;
        tree.keep_up(inode.inode());
        let spliced = dentry.splice(inode, node.clone())?;

        // A removal marks the node first, and then looks for the dentry in the cache, with a
        // barrier in between as here: one of us sees what the other has done (L7).
        smp_mb(Full);
        if node.is_dead() {
            spliced.undo();
            // There may be another one of this name by now: path walks look again.
            return Err(ESTALE);
        }
        Ok(())
    }

    fn is_stale(node: Seen<'_, Meta>) -> bool {
        node.is_dead()
    }

    fn set_attributes(inode: &EventInode, change: AttrChange<'_>) -> Result {
        let private = inode.private().ok_or(ENODEV)?;
        let meta = private.node.payload();
        if private.node.is_dead() {
            return Err(ENODEV);
        }
        change.check()?;

        // What is in a directory before its owner changes does not take the new one.
        if inode.is_directory() && (change.uid() || change.gid()) {
            meta.provider().refresh(inode)?;
        }
        // Times and sizes are the inode's alone.
        let tree = private.node.tree();
        let attr = match private.entry {
            _ if !(change.mode() || change.uid() || change.gid()) => None,
            None => Some(&meta.make_attributes()?.own),
            Some(entry) => Some(meta.make_file_attributes(entry)?),
        };
        change.resize();

        let lock = tree.lock();
        if private.node.is_dead() {
            return Err(ENODEV);
        }
        // A remount may have given it to somebody else meanwhile (U31). This does not sleep, as
        // there are no extended attributes to take away.
        change.check()?;
        let _changing = Changing::begin(inode.super_block().instance(), &lock);
        change.apply();
        let Some(attr) = attr else {
            return Ok(());
        };
        let (uid, gid) = inode.owner();
        if change.mode() {
            attr.mode
                .set(Some(u32::from(inode.mode() & vfs::PERMISSIONS)));
        }
        if change.uid() {
            attr.uid.set(Some(uid));
        }
        if change.gid() {
            attr.gid.set(Some(gid));
        }
        Ok(())
    }
}

/// What an open directory is listed from.
enum Entries {
    /// The dentries that it has pinned (L9): entry `n` is at position `n + 2`.
    Pinned(KVVec<DentryRef>),
    /// The nodes, as they are. A file of the table is at the position of its index plus 2, a child
    /// behind those, as far as its inode number says: so a position stays that of its entry,
    /// whatever is added or removed. What is added later is not listed: a name that is removed and
    /// added again would be there twice.
    Metadata(Children),
}

/// Children on their way to who reads a directory.
struct Children {
    /// A few, taken together. Used again and again.
    batch: KVec<MetaRef>,
    /// The one that was emitted last: the next one is found without a search.
    last: Option<MetaRef>,
    /// The highest inode number that there was when the directory was opened.
    newest: u64,
    /// The value of [`EventTree::doubts`] when the provider was asked last.
    doubts: u64,
}

impl Children {
    /// How many are taken together. An SRCU read-side critical section is not left open while user
    /// memory is written: that can take any time.
    const BATCH: usize = 64;

    /// None so far, of a directory that the provider has just refreshed.
    fn new(newest: u64, doubts: u64) -> Result<Self> {
        Ok(Self {
            batch: KVec::with_capacity(Self::BATCH, GFP_KERNEL)?,
            last: None,
            newest,
            doubts,
        })
    }

    /// Takes the children with this inode number or a higher one, as many as there is room for.
    fn take_from(&mut self, dir: &Node<Meta>, number: u64) -> Result {
        self.batch.clear();
        let reader = dir.tree().read();
        // Where the listing was, unless somebody has moved it or that node is gone.
        let after_last = self
            .last
            .as_ref()
            .filter(|last| last.payload().number() < number)
            .and_then(|last| last.siblings_after(&reader));
        let children = after_last.unwrap_or_else(|| dir.children(&reader));
        let due = children
            .filter_map(|seen| seen.get())
            .skip_while(|child| child.payload().number() < number)
            .take_while(|child| child.payload().number() <= self.newest);
        for child in due.take(Self::BATCH) {
            self.batch.push(child, GFP_KERNEL)?;
        }
        Ok(())
    }
}

/// An open directory.
#[pin_data]
pub(crate) struct OpenDir {
    /// What it is listed from. Taken by those who hold `f_pos_lock` of the file.
    #[pin]
    entries: Mutex<Entries>,
}

impl OpenDir {
    /// What a directory is listed from when it is opened now. May sleep.
    fn entries(inode: &EventInode, dentry: &Dentry) -> Result<Entries> {
        let node = inode.private().ok_or(ENOENT)?.node();
        if node.is_dead() {
            return Err(ENOENT);
        }
        let tree = inode.super_block().instance();
        let doubts = tree.doubts.load(Acquire);
        node.payload().provider().refresh(inode)?;
        if tree.lists_metadata.load(Relaxed) {
            let newest = tree.last_number.load(Relaxed);
            return Ok(Entries::Metadata(Children::new(newest, doubts)?));
        }
        Ok(Entries::Pinned(Self::pin_entries(inode, node, dentry)?))
    }

    /// Brings into being, and pins, all entries of a directory. May sleep.
    fn pin_entries(
        inode: &EventInode,
        node: &Node<Meta>,
        dentry: &Dentry,
    ) -> Result<KVVec<DentryRef>> {
        let sb = inode.super_block();
        let mut pinned = KVVec::new();
        let look_up = |name: &[u8]| match dentry.lookup(name) {
            // It was removed, and may have been added again, meanwhile: as path walks do.
            Err(error) if error == ESTALE => dentry.lookup(name),
            found => found,
        };
        let mut pin = |name: &[u8], of: &Node<Meta>| match look_up(name) {
            // A name that was removed and added again while the children were collected may be
            // there twice; it is listed for the node that it leads to.
            Ok(entry) if !entry.data_in(sb).is_some_and(|found| ptr::eq(found, of)) => Ok(()),
            Ok(entry) => Ok(pinned.push(entry, GFP_KERNEL)?),
            // It has gone since, or the provider does not have it (now).
            Err(error) if error == ENOENT || error == ESTALE => Ok(()),
            Err(error) => Err(error),
        };
        for name in node.payload().table().into_iter().flat_map(Table::names) {
            pin(name, node)?;
        }
        for child in Self::children(node)? {
            pin(child.name(), &child)?;
        }
        Ok(pinned)
    }

    /// The children of a node that are there now, in the order of their creation. May sleep.
    fn children(node: &Node<Meta>) -> Result<KVVec<MetaRef>> {
        let reader = node.tree().read();
        let mut children = KVVec::new();
        for child in node.children(&reader).filter_map(|seen| seen.get()) {
            children.push(child, GFP_KERNEL)?;
        }
        Ok(children)
    }

    /// Emits pinned entries.
    fn emit_pinned(pinned: &[DentryRef], emitter: &mut DirEmitter<'_>) {
        while let Some(entry) = emitter
            .position()
            .checked_sub(2)
            .and_then(|entry| pinned.get(entry))
        {
            // What has gone since is passed over; its position stays its own (U19).
            if !entry.is_current() {
                emitter.skip();
            } else if !emitter.emit(entry.name(), entry.inode_number(), entry.is_directory()) {
                break;
            }
        }
    }

    /// Emits entries from the metadata. May sleep.
    fn emit_metadata(
        node: &Node<Meta>,
        children: &mut Children,
        emitter: &mut DirEmitter<'_>,
    ) -> Result {
        let meta = node.payload();
        let files = meta.table().map_or(&[][..], Table::names);
        while let Some((entry, name)) = emitter
            .position()
            .checked_sub(2)
            .and_then(|entry| Some((entry, files.get(entry)?)))
        {
            let number = meta.file_number(entry).ok_or(ENOENT)?;
            if !meta.provider().has_file(node, entry) {
                emitter.skip();
            } else if !emitter.emit(name, number, false) {
                return Ok(());
            }
        }

        let first = 2 + files.len();
        loop {
            // CAST: A position fits.
            let due = emitter.position().saturating_sub(first) as u64;
            children.take_from(node, due)?;
            if children.batch.is_empty() {
                return Ok(());
            }
            for child in children.batch.drain_all() {
                let meta = child.payload();
                // CAST: A number fits: there are not that many.
                emitter.move_to(first + meta.number() as usize);
                if !emitter.emit(child.name(), meta.number(), meta.is_directory()) {
                    return Ok(());
                }
                children.last = Some(child);
            }
        }
    }
}

impl DirOperations<EventFs> for OpenDir {
    type Data = Pin<KBox<Self>>;

    fn open(inode: &EventInode, file: OpenFile<'_, EventFs>) -> Result<Self::Data> {
        let entries = Self::entries(inode, file.dentry())?;
        let open = KBox::pin_init(
            pin_init!(Self {
                entries <- new_mutex!(entries, "eventfs_open_dir"),
            }),
            GFP_KERNEL,
        )?;
        inode
            .super_block()
            .instance()
            .open_dirs
            .fetch_add(1, Relaxed);
        Ok(open)
    }

    fn release(open: Self::Data, inode: &EventInode) {
        drop(open);
        let tree = inode.super_block().instance();
        tree.open_dirs.fetch_sub(1, Relaxed);
    }

    fn iterate(open: Pin<&Self>, inode: &EventInode, emitter: &mut DirEmitter<'_>) -> Result {
        let node = inode.private().ok_or(ENOENT)?.node();
        if node.is_dead() || inode.lower().is_some_and(|lower| !lower.is_current()) {
            return Err(ENOENT);
        }
        if !emitter.emit_dots() {
            return Ok(());
        }
        match &mut *open.entries.lock() {
            Entries::Pinned(pinned) => {
                Self::emit_pinned(pinned, emitter);
                Ok(())
            }
            Entries::Metadata(children) => {
                let doubts = inode.super_block().instance().doubts.load(Acquire);
                if children.doubts != doubts {
                    node.payload().provider().refresh(inode)?;
                    children.doubts = doubts;
                }
                Self::emit_metadata(node, children, emitter)
            }
        }
    }

    fn rewind(open: Pin<&Self>, inode: &EventInode, file: OpenFile<'_, EventFs>) -> Result {
        let mut entries = match Self::entries(inode, file.dentry()) {
            Ok(entries) => entries,
            // A directory that was removed can be rewound; it is its reading that fails.
            Err(error) if error == ENOENT => Entries::Pinned(KVVec::new()),
            Err(error) => return Err(error),
        };
        core::mem::swap(&mut *open.entries.lock(), &mut entries);
        // What was pinned before is put here, after the lock.
        drop(entries);
        Ok(())
    }
}
