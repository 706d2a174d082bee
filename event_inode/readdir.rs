// SPDX-License-Identifier: GPL-2.0

//! Open directories.
//!
//! With `readdir=dentries` an open directory instantiates its entries and pins them until it is
//! released (L9): entry `n` is at position `2 + n`. With `readdir=metadata` it is listed from the
//! nodes, and instantiates nothing: a file of the table is at position 2 plus its index, and a
//! child uses position 2 + n + its inode number, behind the n files of the table. So the position
//! of an entry never changes, whatever is added or removed (U19). A child that was added after the
//! directory was opened is not listed, since a name that is removed and added again would appear
//! twice.

use super::{
    meta::{
        FileTable,
        Meta,
        MetaRef, //
    },
    EventFs,
    EventInode, //
};
use crate::{
    nodes::Node,
    vfs::{
        Dentry,
        DirEmitter,
        DirEntryType,
        DirOperations,
        OpenFile,
        PinnedDentries, //
    },
};
use core::ptr;
use kernel::{
    new_mutex,
    prelude::*,
    sync::Mutex, //
};

/// The source that an open directory is listed from.
enum Entries {
    /// The pinned dentries.
    Pinned(PinnedDentries),
    /// The nodes.
    Metadata(Children),
}

/// The place of a listing among the children of a directory.
struct Children {
    /// A batch of children collected for one `getdents64()`. The memory is used again and again.
    batch: KVec<MetaRef>,
    /// The child that was emitted last: the listing goes on behind it without a search.
    last: Option<MetaRef>,
    /// The highest inode number when the directory was opened.
    newest: u64,
    /// The listing generation when the provider was last asked.
    generation: u64,
}

impl Children {
    /// The size of a batch. An SRCU read-side critical section does not last while user memory is
    /// written, since that can take any time.
    const BATCH: usize = 64;

    /// The beginning of a directory that the provider has just brought up to date.
    fn new(newest: u64, generation: u64) -> Result<Self> {
        Ok(Self {
            batch: KVec::with_capacity(Self::BATCH, GFP_KERNEL)?,
            last: None,
            newest,
            generation,
        })
    }

    /// Collects a batch of the children whose inode number is `ino` or higher.
    fn collect_from(&mut self, dir: &Node<Meta>, ino: u64) -> Result {
        self.batch.clear();
        let reader = dir.tree().read();
        // Behind the last child, unless the position was changed or that child was removed.
        let after_last = self
            .last
            .as_ref()
            .filter(|last| last.payload().ino() < ino)
            .and_then(|last| last.siblings_after(&reader));
        let children = after_last.unwrap_or_else(|| dir.children(&reader));
        let due = children
            .filter_map(|seen| seen.try_get())
            .skip_while(|child| child.payload().ino() < ino)
            .take_while(|child| child.payload().ino() <= self.newest);
        for child in due.take(Self::BATCH) {
            self.batch.push(child, GFP_KERNEL)?;
        }
        Ok(())
    }
}

/// The type of a node, for `getdents64()`.
fn type_of(node: &Node<Meta>) -> DirEntryType {
    if node.payload().is_directory() {
        DirEntryType::Directory
    } else {
        DirEntryType::Regular
    }
}

/// An open directory.
#[pin_data]
pub(crate) struct OpenDir {
    /// The entries. Its users hold `f_pos_lock` of the file.
    #[pin]
    entries: Mutex<Entries>,
}

impl OpenDir {
    /// The entries of a directory that is opened or rewound. May sleep.
    fn entries(inode: &EventInode, dentry: &Dentry) -> Result<Entries> {
        let node = inode.private().ok_or(ENOENT)?.node();
        if node.is_dead() {
            return Err(ENOENT);
        }
        let view = inode.super_block().view();
        let tree = view.tree();
        let generation = tree.listing_generation();
        node.payload().provider().sync(inode)?;
        if view.options().lists_metadata() {
            let children = Children::new(tree.last_ino(), generation)?;
            return Ok(Entries::Metadata(children));
        }
        Ok(Entries::Pinned(Self::pin_entries(inode, node, dentry)?))
    }

    /// Instantiates and pins all entries of a directory. May sleep.
    fn pin_entries(
        inode: &EventInode,
        node: &Node<Meta>,
        dentry: &Dentry,
    ) -> Result<PinnedDentries> {
        let sb = inode.super_block();
        let mut pinned = PinnedDentries::new(sb)?;
        let look_up = |name: &[u8]| match dentry.lookup(name) {
            // The name was removed, and may have been added again: look again, as path walks do.
            Err(error) if error == ESTALE => dentry.lookup(name),
            found => found,
        };
        let mut pin = |name: &[u8], of: &Node<Meta>| match look_up(name) {
            // A name that was removed and added again while the children were collected may be
            // among them twice. It is listed for the node that it leads to.
            Ok(entry) if !entry.data_in(sb).is_some_and(|found| ptr::eq(found, of)) => Ok(()),
            Ok(entry) => pinned.push(entry),
            // The entry was removed, or the provider says that the file does not exist now.
            Err(error) if error == ENOENT || error == ESTALE => Ok(()),
            Err(error) => Err(error),
        };
        for name in node
            .payload()
            .table()
            .into_iter()
            .flat_map(FileTable::names)
        {
            pin(name, node)?;
        }
        for child in sb.view().tree().children(node)? {
            pin(child.name(), &child)?;
        }
        Ok(pinned)
    }

    /// Emits pinned entries.
    fn emit_pinned(pinned: &PinnedDentries, emitter: &mut DirEmitter<'_>) {
        while let Some(entry) = emitter
            .pos()
            .checked_sub(2)
            .and_then(|index| pinned.get(index))
        {
            // An entry that was removed is skipped. The positions of the others stay (U19).
            if !entry.is_current() {
                emitter.skip();
            } else if !emitter.emit(entry.name(), entry.ino(), entry.dir_entry_type()) {
                break;
            }
        }
    }

    /// Emits entries from the nodes. May sleep.
    fn emit_metadata(
        node: &Node<Meta>,
        children: &mut Children,
        emitter: &mut DirEmitter<'_>,
    ) -> Result {
        let meta = node.payload();
        let files = meta.table().map_or(&[][..], FileTable::names);
        while let Some((entry, name)) = emitter
            .pos()
            .checked_sub(2)
            .and_then(|entry| Some((entry, files.get(entry)?)))
        {
            let ino = meta.file_ino(entry).ok_or(ENOENT)?;
            if !meta.provider().file_exists(node, entry) {
                emitter.skip();
            } else if !emitter.emit(name, ino, DirEntryType::Regular) {
                return Ok(());
            }
        }

        let first = 2 + files.len();
        loop {
            // CAST: A position fits.
            let due = emitter.pos().saturating_sub(first) as u64;
            children.collect_from(node, due)?;
            if children.batch.is_empty() {
                return Ok(());
            }
            for child in children.batch.drain_all() {
                let ino = child.payload().ino();
                // CAST: An inode number has fewer bits than a position.
                emitter.set_pos(first + ino as usize);
                if !emitter.emit(child.name(), ino, type_of(&child)) {
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
        inode.super_block().view().tree().dir_opened();
        Ok(open)
    }

    fn release(open: Self::Data, inode: &EventInode) {
        drop(open);
        inode.super_block().view().tree().dir_released();
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
                let generation = inode.super_block().view().tree().listing_generation();
                if children.generation != generation {
                    node.payload().provider().sync(inode)?;
                    children.generation = generation;
                }
                Self::emit_metadata(node, children, emitter)
            }
        }
    }

    fn rewind(open: Pin<&Self>, inode: &EventInode, file: OpenFile<'_, EventFs>) -> Result {
        let mut entries = match Self::entries(inode, file.dentry()) {
            Ok(entries) => entries,
            // A directory that was removed can be rewound. Reading it fails.
            Err(error) if error == ENOENT => {
                Entries::Pinned(PinnedDentries::new(inode.super_block())?)
            }
            Err(error) => return Err(error),
        };
        core::mem::swap(&mut *open.entries.lock(), &mut entries);
        // The former pins are put here, after the lock.
        drop(entries);
        Ok(())
    }
}
