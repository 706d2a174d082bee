// SPDX-License-Identifier: GPL-2.0

//! Open regular files.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h) (`struct file_operations`).

use super::{
    bindings as more_bindings,
    dentry::Dentry,
    FileSystem,
    Inode, //
};
use core::marker::PhantomData;
use kernel::{
    bindings,
    error::{
        from_result,
        VTABLE_DEFAULT_ERROR, //
    },
    fs::File,
    module::this_module,
    prelude::*,
    types::ForeignOwnable, //
};

/// What `poll` reports for a file that is gone.
pub(crate) const POLL_DEAD: u32 = more_bindings::EVENTFS_POLL_DEAD;

/// What `poll` reports for a file that has no `poll` of its own: always ready.
pub(crate) const POLL_ALWAYS: u32 = more_bindings::EVENTFS_DEFAULT_POLLMASK;

/// Bits of `f_mode` that tell how a file can be positioned.
const POSITION_MODES: u32 = more_bindings::EVENTFS_FMODE_LSEEK
    | more_bindings::EVENTFS_FMODE_PREAD
    | more_bindings::EVENTFS_FMODE_PWRITE
    | more_bindings::EVENTFS_FMODE_ATOMIC_POS
    | more_bindings::EVENTFS_FMODE_STREAM;

/// A file during a call of one of its operations.
///
/// # Invariants
///
/// The file is valid for `'a`, and has a published inode of `T`.
pub(crate) struct OpenFile<'a, T: FileSystem> {
    /// The file as C has it.
    file: *mut bindings::file,
    /// `'a` is the call of the operation.
    _call: PhantomData<(&'a (), T)>,
}

impl<T: FileSystem> Clone for OpenFile<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: FileSystem> Copy for OpenFile<'_, T> {}

impl<T: FileSystem> OpenFile<'_, T> {
    /// The wrapper of a C file.
    ///
    /// # Safety
    ///
    /// `file` is valid for the lifetime, and one of `T` that is open or is being opened.
    pub(super) unsafe fn from_raw(file: *mut bindings::file) -> Self {
        // INVARIANT: By the safety requirements; what is opened was published.
        Self {
            file,
            _call: PhantomData,
        }
    }

    /// The inode.
    pub(crate) fn inode(&self) -> &Inode<T> {
        // SAFETY: By the type invariant; the file keeps the inode, which never changes.
        unsafe { Inode::from_raw((*self.file).f_inode) }
    }

    /// The flags, as `open()` was given them and `fcntl()` has changed them.
    pub(crate) fn flags(&self) -> u32 {
        // SAFETY: By the type invariant. As in C, the field is read without a lock.
        unsafe { (&raw const (*self.file).f_flags).read_volatile() }
    }

    /// Who opened the file.
    pub(super) fn cred(&self) -> *const bindings::cred {
        // SAFETY: By the type invariant; the credentials of a file never change.
        unsafe { (*self.file).f_cred }
    }

    /// The dentry that it was opened through.
    pub(crate) fn dentry(&self) -> &Dentry {
        // SAFETY: By the type invariant; the file keeps its path, which never changes.
        unsafe { Dentry::from_raw((*self.file).__bindgen_anon_1.f_path.dentry) }
    }

    /// The position.
    pub(super) fn position(&self) -> *mut bindings::loff_t {
        // SAFETY: By the type invariant.
        unsafe { &raw mut (*self.file).f_pos }
    }

    /// Makes the file as positionable as another one is. To be called while it is opened.
    pub(crate) fn position_like(&self, other: &File) {
        // SAFETY: Both files are valid, and `f_mode` of a file that is being opened is ours.
        unsafe {
            let mode = (*other.as_ptr()).f_mode & POSITION_MODES;
            (*self.file).f_mode = (*self.file).f_mode & !POSITION_MODES | mode;
        }
    }
}

/// User memory that a call was given.
///
/// # Invariants
///
/// The VFS has checked the range (`access_ok()`).
#[derive(Clone, Copy)]
pub(crate) struct UserBuffer {
    /// Where it begins.
    pub(super) address: UserPtr,
    /// Its bytes.
    pub(super) len: usize,
}

/// The position that a call reads or writes at.
///
/// # Invariants
///
/// The pointer is valid, and ours, during the call that `'a` stands for; or it is null: streams
/// have no position.
pub(crate) struct Position<'a> {
    /// Where the position is read from, and written to afterwards.
    pub(super) position: *mut bindings::loff_t,
    /// `'a` is the call of the operation.
    _call: PhantomData<&'a ()>,
}

/// Operations of an open regular file.
///
/// All may sleep, none is called with a lock of this file system held. Those that are not there
/// behave as the VFS has it for a file that lacks them.
#[vtable]
pub(crate) trait FileOperations<T: FileSystem>: Sized + 'static {
    /// What an open file owns.
    type Data: ForeignOwnable + Send + Sync;

    /// Opens.
    fn open(inode: &Inode<T>, file: OpenFile<'_, T>) -> Result<Self::Data>;

    /// What the file that was just opened does from now on, if that is not what is said here: what
    /// it can do may be known only now.
    fn variant(
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
    ) -> Option<Variant<T, Self::Data>> {
        None
    }

    /// Reads at `position`, and moves it on.
    fn read(
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: OpenFile<'_, T>,
        _buffer: UserBuffer,
        _position: Position<'_>,
    ) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Writes at `position`, and moves it on.
    fn write(
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: OpenFile<'_, T>,
        _buffer: UserBuffer,
        _position: Position<'_>,
    ) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Writes, all segments at once.
    fn write_iter(
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: OpenFile<'_, T>,
        _call: WriteIter<'_>,
    ) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Moves the position of the file.
    fn llseek(
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: OpenFile<'_, T>,
        _offset: i64,
        _whence: c_int,
    ) -> Result<i64> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells what the file is ready for, and when to ask again.
    fn poll(
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: OpenFile<'_, T>,
        _table: PollTable<'_>,
    ) -> u32 {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Moves data from the file into a pipe.
    fn splice_read(
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: OpenFile<'_, T>,
        _call: SpliceRead<'_>,
    ) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A descriptor of the file is closed.
    fn flush(
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: OpenFile<'_, T>,
        _owner: FlushOwner,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Does what the number says.
    fn ioctl(
        _data: <Self::Data as ForeignOwnable>::Borrowed<'_>,
        _file: OpenFile<'_, T>,
        _command: u32,
        _argument: usize,
        _compat: bool,
    ) -> Result<isize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// Where a `poll` puts its wait queues.
#[derive(Clone, Copy)]
pub(crate) struct PollTable<'a> {
    /// Valid during the call.
    pub(super) table: *mut bindings::poll_table_struct,
    /// `'a` is the call of `poll`.
    _call: PhantomData<&'a ()>,
}

/// A write of several segments.
pub(crate) struct WriteIter<'a> {
    /// The file, the position and the flags of the write; valid during the call.
    pub(super) kiocb: *mut bindings::kiocb,
    /// The segments; what was taken of them is counted there.
    pub(super) from: *mut bindings::iov_iter,
    /// `'a` is the call of `write_iter`.
    _call: PhantomData<&'a ()>,
}

/// Where a splice goes.
pub(crate) struct SpliceRead<'a> {
    /// Where the position is read from, and written to afterwards.
    pub(super) position: *mut bindings::loff_t,
    /// The pipe that takes the data; locked by the caller.
    pub(super) pipe: *mut bindings::pipe_inode_info,
    /// The bytes to move, at most.
    pub(super) len: usize,
    /// `SPLICE_F_*`.
    pub(super) flags: c_uint,
    /// `'a` is the call of `splice_read`.
    _call: PhantomData<&'a ()>,
}

/// Who closes a descriptor: the table of descriptors that it was in.
#[derive(Clone, Copy)]
pub(crate) struct FlushOwner(pub(super) bindings::fl_owner_t);

/// The operations of a regular file.
pub(crate) struct FileVTable<T: FileSystem> {
    /// Built at compile time, and never freed.
    operations: &'static bindings::file_operations,
    /// The file system whose inodes may have these operations.
    _fs: PhantomData<T>,
}

impl<T: FileSystem> Clone for FileVTable<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: FileSystem> Copy for FileVTable<T> {}

impl<T: FileSystem> FileVTable<T> {
    /// The operations that a trait implementation makes.
    pub(crate) const fn new<O: FileOperations<T>>() -> Self {
        // SAFETY: The functions of `VTable` are for files of any inode of `T`, and this module owns
        // them.
        unsafe { Self::from_static(const { &VTable::<T, O>::OPS }) }
    }

    /// Operations that are built elsewhere.
    ///
    /// # Safety
    ///
    /// The operations have an owner that is counted as this module is, and are sound for an open
    /// file of any regular inode of `T` that has them.
    pub(crate) const unsafe fn from_static(operations: &'static bindings::file_operations) -> Self {
        Self {
            operations,
            _fs: PhantomData,
        }
    }

    /// The operations as an inode takes them.
    pub(super) fn as_ptr(self) -> *const bindings::file_operations {
        self.operations
    }
}

/// The operations of an open file that owns a `D`.
pub(crate) struct Variant<T: FileSystem, D> {
    /// Made from an implementation of [`FileOperations`] with this data.
    operations: FileVTable<T>,
    /// What the file owns.
    _data: PhantomData<fn(D)>,
}

impl<T: FileSystem, D> Variant<T, D> {
    /// The operations that a trait implementation makes. Its `open` is not called.
    pub(crate) const fn new<O: FileOperations<T, Data = D>>() -> Self {
        Self {
            operations: FileVTable::new::<O>(),
            _data: PhantomData,
        }
    }
}

/// C functions for a trait implementation.
///
/// They are called by the VFS for files that `open` has opened: `private_data` owns an `O::Data`
/// until `release`.
struct VTable<T: FileSystem, O: FileOperations<T>>(PhantomData<(T, O)>);

impl<T: FileSystem, O: FileOperations<T>> VTable<T, O> {
    /// The operations; those that `O` does not have are null.
    const OPS: bindings::file_operations = bindings::file_operations {
        owner: this_module::<T::OwnerModule>().as_ptr(),
        open: Some(Self::open),
        release: Some(Self::release),
        read: if O::HAS_READ { Some(Self::read) } else { None },
        write: if O::HAS_WRITE {
            Some(Self::write)
        } else {
            None
        },
        write_iter: if O::HAS_WRITE_ITER {
            Some(Self::write_iter)
        } else {
            None
        },
        llseek: if O::HAS_LLSEEK {
            Some(Self::llseek)
        } else {
            None
        },
        poll: if O::HAS_POLL { Some(Self::poll) } else { None },
        splice_read: if O::HAS_SPLICE_READ {
            Some(Self::splice_read)
        } else {
            None
        },
        flush: if O::HAS_FLUSH {
            Some(Self::flush)
        } else {
            None
        },
        unlocked_ioctl: if O::HAS_IOCTL {
            Some(Self::ioctl)
        } else {
            None
        },
        compat_ioctl: if O::HAS_IOCTL {
            Some(Self::compat_ioctl)
        } else {
            None
        },
        ..pin_init::zeroed()
    };

    /// What an open file owns.
    ///
    /// # Safety
    ///
    /// `file` was opened by `open`, and is not released during `'a`.
    unsafe fn data<'a>(file: *mut bindings::file) -> <O::Data as ForeignOwnable>::Borrowed<'a> {
        // SAFETY: By the safety requirements `private_data` owns an `O::Data`.
        unsafe { O::Data::borrow((*file).private_data) }
    }

    /// Opens a file, and hands what it owns to it.
    ///
    /// # Safety
    ///
    /// Called by the VFS, for an inode of `T`.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: An inode that is opened is in use, and was published.
        let inode = unsafe { Inode::from_raw(inode) };
        // SAFETY: The file is valid during the call.
        from_result(
            || match O::open(inode, unsafe { OpenFile::from_raw(file) }) {
                Ok(data) => {
                    // SAFETY: `private_data` is for the file system to use.
                    unsafe { (*file).private_data = data.into_foreign() };
                    // SAFETY: It was set just now.
                    if let Some(variant) = O::variant(unsafe { Self::data(file) }) {
                        // SAFETY: A file that is being opened is ours. These operations are for the
                        // same data, and have the same owner, whose count the VFS puts.
                        unsafe { (*file).f_op = variant.operations.as_ptr() };
                    }
                    Ok(0)
                }
                Err(error) => Err(error),
            },
        )
    }

    /// Drops what an open file owns, after its last user has gone.
    ///
    /// # Safety
    ///
    /// As for [`VTable`].
    unsafe extern "C" fn release(_inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `private_data` owns it, and is not used any more.
        drop(unsafe { O::Data::from_foreign((*file).private_data) });
        0
    }

    /// Calls [`FileOperations::read`].
    ///
    /// # Safety
    ///
    /// As for [`VTable`].
    unsafe extern "C" fn read(
        file: *mut bindings::file,
        buffer: *mut c_char,
        len: usize,
        position: *mut bindings::loff_t,
    ) -> isize {
        let buffer = UserBuffer {
            address: UserPtr::from_ptr(buffer.cast()),
            len,
        };
        // SAFETY: As for `VTable`.
        result_of(unsafe {
            O::read(
                Self::data(file),
                OpenFile::from_raw(file),
                buffer,
                Position {
                    position,
                    _call: PhantomData,
                },
            )
        })
    }

    /// Calls [`FileOperations::write`].
    ///
    /// # Safety
    ///
    /// As for [`VTable`].
    unsafe extern "C" fn write(
        file: *mut bindings::file,
        buffer: *const c_char,
        len: usize,
        position: *mut bindings::loff_t,
    ) -> isize {
        let buffer = UserBuffer {
            address: UserPtr::from_ptr(buffer.cast_mut().cast()),
            len,
        };
        // SAFETY: As for `VTable`.
        result_of(unsafe {
            O::write(
                Self::data(file),
                OpenFile::from_raw(file),
                buffer,
                Position {
                    position,
                    _call: PhantomData,
                },
            )
        })
    }

    /// Calls [`FileOperations::write_iter`] for the file of a `struct kiocb`.
    ///
    /// # Safety
    ///
    /// As for [`VTable`].
    unsafe extern "C" fn write_iter(
        kiocb: *mut bindings::kiocb,
        from: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: The call is for a file that is valid.
        let file = unsafe { (*kiocb).ki_filp };
        let call = WriteIter {
            kiocb,
            from,
            _call: PhantomData,
        };
        // SAFETY: As for `VTable`.
        result_of(unsafe { O::write_iter(Self::data(file), OpenFile::from_raw(file), call) })
    }

    /// Calls [`FileOperations::llseek`].
    ///
    /// # Safety
    ///
    /// As for [`VTable`].
    unsafe extern "C" fn llseek(
        file: *mut bindings::file,
        offset: bindings::loff_t,
        whence: c_int,
    ) -> bindings::loff_t {
        // SAFETY: As for `VTable`.
        match unsafe { O::llseek(Self::data(file), OpenFile::from_raw(file), offset, whence) } {
            Ok(position) => position,
            Err(error) => bindings::loff_t::from(error.to_errno()),
        }
    }

    /// Calls [`FileOperations::poll`].
    ///
    /// # Safety
    ///
    /// As for [`VTable`].
    unsafe extern "C" fn poll(
        file: *mut bindings::file,
        table: *mut bindings::poll_table_struct,
    ) -> bindings::__poll_t {
        let table = PollTable {
            table,
            _call: PhantomData,
        };
        // SAFETY: As for `VTable`.
        unsafe { O::poll(Self::data(file), OpenFile::from_raw(file), table) }
    }

    /// Calls [`FileOperations::splice_read`].
    ///
    /// # Safety
    ///
    /// As for [`VTable`].
    unsafe extern "C" fn splice_read(
        file: *mut bindings::file,
        position: *mut bindings::loff_t,
        pipe: *mut bindings::pipe_inode_info,
        len: usize,
        flags: c_uint,
    ) -> isize {
        let call = SpliceRead {
            position,
            pipe,
            len,
            flags,
            _call: PhantomData,
        };
        // SAFETY: As for `VTable`.
        result_of(unsafe { O::splice_read(Self::data(file), OpenFile::from_raw(file), call) })
    }

    /// Calls [`FileOperations::flush`].
    ///
    /// # Safety
    ///
    /// As for [`VTable`].
    unsafe extern "C" fn flush(file: *mut bindings::file, id: bindings::fl_owner_t) -> c_int {
        // SAFETY: As for `VTable`.
        from_result(|| unsafe {
            O::flush(Self::data(file), OpenFile::from_raw(file), FlushOwner(id)).map(|()| 0)
        })
    }

    /// Calls [`FileOperations::ioctl`], for a caller of our word size or a `compat` one.
    ///
    /// # Safety
    ///
    /// As for [`VTable`].
    unsafe fn any_ioctl(
        file: *mut bindings::file,
        command: c_uint,
        argument: c_ulong,
        compat: bool,
    ) -> c_long {
        // SAFETY: As for `VTable`.
        let result = unsafe {
            O::ioctl(
                Self::data(file),
                OpenFile::from_raw(file),
                command,
                argument,
                compat,
            )
        };
        match result {
            Ok(value) => value,
            Err(error) => error.to_errno() as c_long,
        }
    }

    /// Does an `ioctl()` of a caller of our word size.
    ///
    /// # Safety
    ///
    /// As for [`VTable`].
    unsafe extern "C" fn ioctl(
        file: *mut bindings::file,
        command: c_uint,
        argument: c_ulong,
    ) -> c_long {
        // SAFETY: As for this function.
        unsafe { Self::any_ioctl(file, command, argument, false) }
    }

    /// Does an `ioctl()` of a 32-bit caller on a 64-bit kernel.
    ///
    /// # Safety
    ///
    /// As for [`VTable`].
    unsafe extern "C" fn compat_ioctl(
        file: *mut bindings::file,
        command: c_uint,
        argument: c_ulong,
    ) -> c_long {
        // SAFETY: As for this function.
        unsafe { Self::any_ioctl(file, command, argument, true) }
    }
}

/// What a C function returns for a number of bytes or an error.
fn result_of(result: Result<usize>) -> isize {
    match result {
        // CAST: The VFS bounds the length of reads and writes (`MAX_RW_COUNT`).
        Ok(bytes) => bytes as isize,
        Err(error) => error.to_errno() as isize,
    }
}
