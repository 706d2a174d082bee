// SPDX-License-Identifier: GPL-2.0

//! Open directories.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h) (`struct dir_context`,
//! `struct file_operations`).

use super::{
    file::OpenFile,
    Dentry,
    FileSystem,
    Inode, //
};
use core::marker::PhantomData;
use kernel::{
    bindings,
    error::from_result,
    module::this_module,
    prelude::*,
    types::ForeignOwnable, //
};

/// Operations of an open directory.
pub(crate) trait DirOperations<T: FileSystem>: Sized + 'static {
    /// What an open directory owns.
    type Data: ForeignOwnable + Send + Sync;

    /// Opens. May sleep; no locks are held.
    fn open(inode: &Inode<T>, file: OpenFile<'_, T>) -> Result<Self::Data>;

    /// The last user of an open directory has gone. May sleep; no locks are held.
    fn release(data: Self::Data, inode: &Inode<T>);

    /// Emits entries from the emitter's position on, until it is full or there are no more.
    ///
    /// May sleep; the `i_rwsem` of the directory is held for reading.
    fn iterate(
        data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        inode: &Inode<T>,
        emitter: &mut DirEmitter<'_>,
    ) -> Result;

    /// The position was set to 0 by a seek. May sleep; no locks of the file system are held.
    fn rewind(
        data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        inode: &Inode<T>,
        file: OpenFile<'_, T>,
    ) -> Result;
}

/// The type of an entry of a directory (`DT_*`).
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum DirEntryType {
    /// A directory.
    Directory = bindings::DT_DIR,
    /// A regular file.
    Regular = bindings::DT_REG,
}

/// Takes the entries of a directory that is read.
///
/// # Invariants
///
/// The pointers are valid, and the context nobody else's, during the call that `'a` stands for.
pub(crate) struct DirEmitter<'a> {
    /// The open directory.
    file: *mut bindings::file,
    /// The position, and the function that takes the entries.
    context: *mut bindings::dir_context,
    /// `'a` is the call of `iterate_shared`.
    _call: PhantomData<&'a ()>,
}

impl DirEmitter<'_> {
    /// The position: that of the entry that is due.
    pub(crate) fn pos(&self) -> usize {
        // SAFETY: By the type invariant.
        usize::try_from(unsafe { (*self.context).pos }).unwrap_or(0)
    }

    /// Sets the position, so that the entries before it are skipped.
    pub(crate) fn set_pos(&mut self, pos: usize) {
        // SAFETY: By the type invariant the context is valid, and nothing else uses it.
        // CAST: Positions are far from overflowing.
        unsafe { (*self.context).pos = pos as bindings::loff_t };
    }

    /// Passes over the entry that is due.
    pub(crate) fn skip(&mut self) {
        // SAFETY: By the type invariant. Directories have fewer entries than overflow it.
        unsafe { (*self.context).pos += 1 };
    }

    /// Emits the entry at the position, and advances the position. False if there is no room for the
    /// entry.
    pub(crate) fn emit(&mut self, name: &[u8], ino: u64, kind: DirEntryType) -> bool {
        // SAFETY: By the type invariant; the name is valid for reads. The actor is set by who
        // reads.
        let taken = unsafe {
            (*self.context).actor.is_some_and(|actor| {
                actor(
                    self.context,
                    name.as_ptr().cast(),
                    // CAST: Names are short.
                    name.len() as c_int,
                    (*self.context).pos,
                    ino,
                    kind as c_uint,
                )
            })
        };
        if taken {
            self.skip();
        }
        taken
    }

    /// Emits `.` and `..`, which are the entries 0 and 1; false if there was no room.
    pub(crate) fn emit_dots(&mut self) -> bool {
        // SAFETY: By the type invariant; the file keeps its path.
        let dentry = unsafe { Dentry::from_raw((*self.file).__bindgen_anon_1.f_path.dentry) };
        if self.pos() == 0 && !self.emit(b".", dentry.ino(), DirEntryType::Directory) {
            return false;
        }
        self.pos() != 1 || self.emit(b"..", dentry.parent().ino(), DirEntryType::Directory)
    }
}

/// C functions for a trait implementation: see the `VTable` of `file.rs`.
pub(super) struct VTable<T: FileSystem, O: DirOperations<T>>(PhantomData<(T, O)>);

impl<T: FileSystem, O: DirOperations<T>> VTable<T, O> {
    /// What an inode gets as its `i_fop`.
    const OPS: bindings::file_operations = bindings::file_operations {
        owner: this_module::<T::OwnerModule>().as_ptr(),
        open: Some(Self::open),
        release: Some(Self::release),
        read: Some(bindings::generic_read_dir),
        iterate_shared: Some(Self::iterate),
        llseek: Some(Self::llseek),
        ..pin_init::zeroed()
    };

    /// The operations that `O` makes, in memory that is never freed.
    pub(super) const fn build() -> &'static bindings::file_operations {
        &Self::OPS
    }

    /// Opens a directory, and hands what it owns to the file.
    ///
    /// # Safety
    ///
    /// Called by the VFS, for an inode of `T`.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: An inode that is opened is in use, and was published.
        let inode = unsafe { Inode::from_raw(inode) };
        from_result(|| {
            // SAFETY: The file is valid during the call.
            let data = O::open(inode, unsafe { OpenFile::from_raw(file) })?;
            // SAFETY: `private_data` is for the file system to use.
            unsafe { (*file).private_data = data.into_foreign() };
            Ok(0)
        })
    }

    /// Drops what an open directory owns, after its last user has gone.
    ///
    /// # Safety
    ///
    /// Called by the VFS, for a file that `open` has opened.
    unsafe extern "C" fn release(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `private_data` owns it, and is not used any more.
        let data = unsafe { O::Data::from_foreign((*file).private_data) };
        // SAFETY: The file keeps the inode, which was published.
        O::release(data, unsafe { Inode::from_raw(inode) });
        0
    }

    /// Reads entries from the position of the context on.
    ///
    /// # Safety
    ///
    /// Called by the VFS, for a file that `open` has opened, with the inode locked for reading.
    unsafe extern "C" fn iterate(
        file: *mut bindings::file,
        context: *mut bindings::dir_context,
    ) -> c_int {
        let mut emitter = DirEmitter {
            file,
            context,
            _call: PhantomData,
        };
        // SAFETY: By the safety requirements; the file keeps the inode.
        from_result(|| unsafe {
            O::iterate(
                O::Data::borrow((*file).private_data),
                Inode::from_raw((*file).f_inode),
                &mut emitter,
            )
            .map(|()| 0)
        })
    }

    /// Positions are those that `iterate` counts: from the start and from the current one.
    ///
    /// # Safety
    ///
    /// Called by the VFS, for a file that `open` has opened.
    unsafe extern "C" fn llseek(
        file: *mut bindings::file,
        offset: bindings::loff_t,
        whence: c_int,
    ) -> bindings::loff_t {
        // SAFETY: The file is valid.
        let file_ref = unsafe { OpenFile::<T>::from_raw(file) };
        let position = file_ref.pos();
        // SAFETY: The position of a directory is under `f_pos_lock`, which the caller holds.
        let now = unsafe { *position };
        let target = match u32::try_from(whence) {
            Ok(bindings::SEEK_SET) => Some(offset),
            Ok(bindings::SEEK_CUR) => now.checked_add(offset),
            _ => None,
        };
        let Some(target) = target.filter(|target| *target >= 0) else {
            return bindings::loff_t::from(EINVAL.to_errno());
        };
        if target == 0 {
            // SAFETY: By the safety requirements; the file keeps the inode.
            let rewound = unsafe {
                O::rewind(
                    O::Data::borrow((*file).private_data),
                    Inode::from_raw((*file).f_inode),
                    file_ref,
                )
            };
            if let Err(error) = rewound {
                return bindings::loff_t::from(error.to_errno());
            }
        }
        // SAFETY: As above.
        unsafe { *position = target };
        target
    }
}
