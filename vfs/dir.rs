// SPDX-License-Identifier: GPL-2.0

//! Open directories.
//!
//! An open directory owns a value of a type of the file system ([`DirOperations::Data`]) from its
//! open to its release. A [`DirEmitter`] exists during one call of `iterate_shared`, and takes the
//! entries of that call.
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

/// The operations of open directories.
pub(crate) trait DirOperations<T: FileSystem>: Sized + 'static {
    /// The data of an open directory, owned by it from its open to its release (`private_data`).
    type Data: ForeignOwnable + Send + Sync;

    /// Opens a directory. May sleep; no locks are held.
    fn open(inode: &Inode<T>, file: OpenFile<'_, T>) -> Result<Self::Data>;

    /// Releases an open directory, after its last user. May sleep; no locks are held.
    fn release(data: Self::Data, inode: &Inode<T>);

    /// Emits the entries from the emitter's position on, until the emitter is full. May sleep; the
    /// `i_rwsem` of the directory is held for reading.
    fn iterate(
        data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        inode: &Inode<T>,
        emitter: &mut DirEmitter<'_>,
    ) -> Result;

    /// Looks afresh at the directory, since a seek sets the position to 0. May sleep; no locks of
    /// the file system are held.
    fn rewind(
        data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        inode: &Inode<T>,
        file: OpenFile<'_, T>,
    ) -> Result;
}

/// The type of a directory entry (`DT_*`).
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum DirEntryType {
    /// A directory.
    Directory = bindings::DT_DIR,
    /// A regular file.
    Regular = bindings::DT_REG,
}

/// Takes the entries of a directory.
///
/// # Invariants
///
/// During `'a` the pointers are valid, nothing else uses the context, and `file` is an open
/// directory of a [`FileSystem`].
pub(crate) struct DirEmitter<'a> {
    /// The open directory.
    file: *mut bindings::file,
    /// The position, and the actor that takes the entries.
    context: *mut bindings::dir_context,
    /// `'a` is the call of `iterate_shared`.
    _call: PhantomData<&'a ()>,
}

impl DirEmitter<'_> {
    /// The position of the next entry.
    pub(crate) fn pos(&self) -> usize {
        // SAFETY: By the type invariant the context is valid, and nothing else uses it.
        usize::try_from(unsafe { (*self.context).pos }).unwrap_or(0)
    }

    /// Sets the position of the next entry.
    pub(crate) fn set_pos(&mut self, pos: usize) {
        // SAFETY: By the type invariant the context is valid, and nothing else uses it.
        // CAST: Positions are far from overflowing.
        unsafe { (*self.context).pos = pos as bindings::loff_t };
    }

    /// Skips the next entry.
    pub(crate) fn skip(&mut self) {
        // SAFETY: By the type invariant the context is valid, and nothing else uses it. Directories
        // have fewer entries than overflow the position.
        unsafe { (*self.context).pos += 1 };
    }

    /// Emits the entry at the position, and advances the position. False if the actor takes no more
    /// entries, or if the name does not have 1 to `NAME_MAX` bytes.
    pub(crate) fn emit(&mut self, name: &[u8], ino: u64, kind: DirEntryType) -> bool {
        if name.is_empty() || name.len() > bindings::NAME_MAX as usize {
            return false;
        }
        // SAFETY: By the type invariant the context is valid, and the actor is the one of its
        // reader. The name is valid for reads, and has a length that actors have to expect.
        let taken = unsafe {
            (*self.context).actor.is_some_and(|actor| {
                actor(
                    self.context,
                    name.as_ptr().cast(),
                    // CAST: At most `NAME_MAX`.
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

    /// Emits `.` and `..`, which are at the positions 0 and 1. False if the actor takes no more
    /// entries.
    pub(crate) fn emit_dots(&mut self) -> bool {
        // SAFETY: By the type invariant the file is an open directory of a `FileSystem`. It keeps
        // its dentry, and its mount keeps the super block.
        let dentry = unsafe { Dentry::from_raw((*self.file).__bindgen_anon_1.f_path.dentry) };
        if self.pos() == 0 && !self.emit(b".", dentry.ino(), DirEntryType::Directory) {
            return false;
        }
        self.pos() != 1 || self.emit(b"..", dentry.parent().ino(), DirEntryType::Directory)
    }
}

/// The operations of a directory.
pub(crate) struct DirVTable<T: FileSystem> {
    /// The operations, which are never freed.
    fops: &'static bindings::file_operations,
    /// The file system whose inodes may have these operations.
    _fs: PhantomData<T>,
}

impl<T: FileSystem> DirVTable<T> {
    /// The operations that `O` implements.
    pub(crate) const fn new<O: DirOperations<T>>() -> Self {
        Self {
            fops: const { &VTable::<T, O>::FOPS },
            _fs: PhantomData,
        }
    }

    /// The operations, for `i_fop`.
    pub(super) fn as_ptr(&self) -> *const bindings::file_operations {
        self.fops
    }
}

/// C functions for an implementation of [`DirOperations`].
struct VTable<T: FileSystem, O: DirOperations<T>>(PhantomData<(T, O)>);

impl<T: FileSystem, O: DirOperations<T>> VTable<T, O> {
    /// The `i_fop` of a directory.
    const FOPS: bindings::file_operations = bindings::file_operations {
        owner: this_module::<T::OwnerModule>().as_ptr(),
        open: Some(Self::open),
        release: Some(Self::release),
        read: Some(bindings::generic_read_dir),
        iterate_shared: Some(Self::iterate),
        llseek: Some(Self::llseek),
        ..pin_init::zeroed()
    };

    /// Opens a directory, and stores its data in the file.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a directory inode of `T` and a file that is being opened.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: The file keeps the inode, which was published before it got a dentry.
        let inode = unsafe { Inode::from_raw(inode) };
        from_result(|| {
            // SAFETY: The file is valid for the call, and is being opened.
            let data = O::open(inode, unsafe { OpenFile::from_raw(file) })?;
            // SAFETY: The VFS leaves `private_data` to the file system.
            unsafe { (*file).private_data = data.into_foreign() };
            Ok(0)
        })
    }

    /// Releases an open directory, and its data.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a file that [`Self::open`] has opened, as the last call.
    unsafe extern "C" fn release(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `private_data` owns the data since `open`, and gives it up here, in the last
        // call.
        let data = unsafe { O::Data::from_foreign((*file).private_data) };
        // SAFETY: The file keeps the inode, which was published before it got a dentry.
        O::release(data, unsafe { Inode::from_raw(inode) });
        0
    }

    /// Emits the entries from the position of the context on.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a file that [`Self::open`] has opened, with a valid context and with
    /// the `i_rwsem` of the inode held for reading.
    unsafe extern "C" fn iterate(
        file: *mut bindings::file,
        context: *mut bindings::dir_context,
    ) -> c_int {
        // INVARIANT: The caller guarantees that both are valid for the call. The context is the
        // caller's own.
        let mut emitter = DirEmitter {
            file,
            context,
            _call: PhantomData,
        };
        // SAFETY: `private_data` owns the data from `open` to `release`, which is the last call.
        // The file keeps the inode, which was published before it got a dentry.
        from_result(|| unsafe {
            O::iterate(
                O::Data::borrow((*file).private_data),
                Inode::from_raw((*file).f_inode),
                &mut emitter,
            )
            .map(|()| 0)
        })
    }

    /// Sets the position, relative to the start or to the current position. A seek to 0 rewinds.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a file that [`Self::open`] has opened, with `f_pos_lock` held.
    unsafe extern "C" fn llseek(
        file: *mut bindings::file,
        offset: bindings::loff_t,
        whence: c_int,
    ) -> bindings::loff_t {
        // SAFETY: The file is valid for the call, open, and has an inode of `T`.
        let open = unsafe { OpenFile::<T>::from_raw(file) };
        let pos = open.pos();
        // SAFETY: The caller holds `f_pos_lock`, under which the position of a directory changes.
        let now = unsafe { *pos };
        let target = match u32::try_from(whence) {
            Ok(bindings::SEEK_SET) => Some(offset),
            Ok(bindings::SEEK_CUR) => now.checked_add(offset),
            _ => None,
        };
        let Some(target) = target.filter(|target| *target >= 0) else {
            return bindings::loff_t::from(EINVAL.to_errno());
        };
        if target == 0 {
            // SAFETY: `private_data` owns the data from `open` to `release`, which is the last
            // call. The file keeps the inode, which was published before it got a dentry.
            let rewound = unsafe {
                O::rewind(
                    O::Data::borrow((*file).private_data),
                    Inode::from_raw((*file).f_inode),
                    open,
                )
            };
            if let Err(error) = rewound {
                return bindings::loff_t::from(error.to_errno());
            }
        }
        // SAFETY: The caller holds `f_pos_lock`, under which the position of a directory changes.
        unsafe { *pos = target };
        target
    }
}
