// SPDX-License-Identifier: GPL-2.0

//! Files that are those of tracefs: each open of ours opens the file there, and passes calls on.
//!
//! Corresponds to the proxies in [`fs/debugfs/file.c`](srctree/fs/debugfs/file.c).

use super::{
    mirror,
    names::is_control_file, //
};
use crate::{
    event_inode::{
        EventFs,
        EventInode, //
    },
    vfs::{
        file::{
            FlushOwner,
            PollTable,
            Position,
            SpliceRead,
            UserBuffer,
            Variant,
            WriteIter,
            POLL_DEAD, //
        },
        lower::LowerFile,
        Dentry,
        DentryRef,
        FileOperations,
        FileVTable,
        OpenFile, //
    },
};
use kernel::{
    bindings,
    prelude::*, //
};

/// An open file that stands for one of tracefs.
pub(crate) struct Forward {
    /// The open file of tracefs.
    lower: LowerFile,
    /// Its dentry there, which tells whether the file is still good.
    dentry: DentryRef,
}

impl Forward {
    /// Opens the file there, with the flags and the credentials of `file`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENODEV`: what it belongs to is gone. Whatever tracefs fails with.
    fn new(inode: &EventInode, file: OpenFile<'_, EventFs>) -> Result<Self> {
        let dentry = inode.lower().ok_or(ENODEV)?;
        if !dentry.is_current() {
            return Err(ENODEV);
        }
        let node = inode.private().ok_or(ENODEV)?.node();
        let mount = node.payload().provider().lower().ok_or(ENODEV)?;
        let lower = mount.open(dentry, file)?;
        file.position_like(lower.file());
        Ok(Self {
            lower,
            dentry: dentry.into(),
        })
    }

    /// The file there.
    ///
    /// # Errors
    ///
    /// `ENODEV`: what it belongs to is gone (U12).
    fn lower(&self) -> Result<&LowerFile> {
        if self.dentry.is_current() {
            Ok(&self.lower)
        } else {
            Err(ENODEV)
        }
    }
}

/// The operations for a file of tracefs. What it can do there is seen when it is opened: only then
/// its operations are kept.
pub(crate) fn fops_for(lower: &Dentry) -> FileVTable<EventFs> {
    if is_control_file(lower) {
        FileVTable::new::<Control>()
    } else {
        FileVTable::new::<Plain>()
    }
}

/// Implements the operations of a kind of file: those that all have in common, and its own.
///
/// The whole `impl` comes out of it, as `#[vtable]` looks at what it is given for the operations
/// that there are.
macro_rules! forward {
    ($(#[$doc:meta])* $kind:ident { $($own:item)* }) => {
        $(#[$doc])*
        struct $kind;

        #[vtable]
        impl FileOperations<EventFs> for $kind {
            type Data = KBox<Forward>;

            fn read(
                open: &Forward,
                file: OpenFile<'_, EventFs>,
                buffer: UserBuffer,
                position: Position<'_>,
            ) -> Result<usize> {
                open.lower()?.read(file, buffer, position)
            }

            fn llseek(
                open: &Forward,
                file: OpenFile<'_, EventFs>,
                offset: i64,
                whence: c_int,
            ) -> Result<i64> {
                open.lower()?.llseek(file, offset, whence)
            }

            fn poll(open: &Forward, file: OpenFile<'_, EventFs>, table: PollTable<'_>) -> u32 {
                open.lower()
                    .map_or(POLL_DEAD, |lower| lower.poll(file, table))
            }

            fn splice_read(
                open: &Forward,
                file: OpenFile<'_, EventFs>,
                call: SpliceRead<'_>,
            ) -> Result<usize> {
                open.lower()?.splice_read(file, call)
            }

            fn flush(
                open: &Forward,
                _file: OpenFile<'_, EventFs>,
                owner: FlushOwner,
            ) -> Result {
                open.lower.flush(owner)
            }

            fn ioctl(
                open: &Forward,
                file: OpenFile<'_, EventFs>,
                command: u32,
                argument: usize,
                compat: bool,
            ) -> Result<isize> {
                open.lower()?.ioctl(file, command, argument, compat)
            }

            $($own)*
        }
    };
}

forward! {
    /// Most files.
    Plain {
        fn open(inode: &EventInode, file: OpenFile<'_, EventFs>) -> Result<KBox<Forward>> {
            Ok(KBox::new(Forward::new(inode, file)?, GFP_KERNEL)?)
        }

        fn variant(open: &Forward) -> Option<Variant<EventFs, KBox<Forward>>> {
            match (open.lower.has_write(), open.lower.has_write_iter()) {
                (_, false) => None,
                (false, true) => Some(Variant::new::<Segments>()),
                (true, true) => Some(Variant::new::<Both>()),
            }
        }

        fn write(
            open: &Forward,
            file: OpenFile<'_, EventFs>,
            buffer: UserBuffer,
            position: Position<'_>,
        ) -> Result<usize> {
            open.lower()?.write(file, buffer, position)
        }
    }
}

forward! {
    /// Files that take writes of several segments as a whole, and no others.
    Segments {
        fn open(inode: &EventInode, file: OpenFile<'_, EventFs>) -> Result<KBox<Forward>> {
            Plain::open(inode, file)
        }

        fn write_iter(
            open: &Forward,
            file: OpenFile<'_, EventFs>,
            call: WriteIter<'_>,
        ) -> Result<usize> {
            open.lower()?.write_iter(file, call)
        }
    }
}

forward! {
    /// Files that take writes of several segments as a whole, and others in another way.
    Both {
        fn open(inode: &EventInode, file: OpenFile<'_, EventFs>) -> Result<KBox<Forward>> {
            Plain::open(inode, file)
        }

        fn write(
            open: &Forward,
            file: OpenFile<'_, EventFs>,
            buffer: UserBuffer,
            position: Position<'_>,
        ) -> Result<usize> {
            Plain::write(open, file, buffer, position)
        }

        fn write_iter(
            open: &Forward,
            file: OpenFile<'_, EventFs>,
            call: WriteIter<'_>,
        ) -> Result<usize> {
            Segments::write_iter(open, file, call)
        }
    }
}

forward! {
    /// The control files of dynamic events.
    Control {
        fn open(inode: &EventInode, file: OpenFile<'_, EventFs>) -> Result<KBox<Forward>> {
            let open = Plain::open(inode, file);
            if file.flags() & bindings::O_TRUNC != 0 {
                // To open the file there has removed its events, or some of them if it has failed.
                mirror::prune_stale(inode.super_block().view().tree());
            }
            open
        }

        fn write(
            open: &Forward,
            file: OpenFile<'_, EventFs>,
            buffer: UserBuffer,
            position: Position<'_>,
        ) -> Result<usize> {
            let written = open.lower()?.write(file, buffer, position);
            // Also if it has failed: the commands before the one that did are carried out.
            mirror::prune_stale(file.inode().super_block().view().tree());
            written
        }
    }
}
