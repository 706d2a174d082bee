// SPDX-License-Identifier: GPL-2.0

//! Another file system that ours is a view of: an internal mount of it, and its files.
//!
//! As in an overlay, inodes of ours stand for dentries there, and open files of ours for open files
//! there. What the kernel's own `struct file_operations` do with a file they do here: they are
//! called directly, with the user's memory, as debugfs's proxies do. (`kernel_read()` and its kin
//! refuse files that have `read` and not `read_iter`.)

use super::{
    bindings as more_bindings,
    dentry::{
        Dentry,
        DentryRef, //
    },
    file::{
        FlushOwner,
        OpenFile,
        PollTable,
        Position,
        SpliceRead,
        UserBuffer,
        WriteIter,
        POLL_ALWAYS, //
    },
    from_err_ptr,
    DirEntryType,
    FileSystem, //
};
use core::{
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    cred::Credential,
    error::to_result,
    fs::File,
    prelude::*,
    sync::aref::ARef, //
};

/// An internal mount of tracefs: no path leads there.
///
/// # Invariants
///
/// `mount` came from `kern_mount()`, and `fs` is its type, with a reference to its module.
pub(crate) struct KernMount {
    /// The mount, ours until it is unmounted.
    mount: NonNull<bindings::vfsmount>,
    /// Its type, whose module we keep loaded.
    fs: NonNull<bindings::file_system_type>,
    /// Who mounted: directories are listed with these credentials.
    cred: ARef<Credential>,
}

// SAFETY: A mount may be used on any thread.
unsafe impl Send for KernMount {}
// SAFETY: As above.
unsafe impl Sync for KernMount {}

impl KernMount {
    /// Mounts tracefs, which never renames or moves a dentry. May sleep.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the kernel has no tracefs. Whatever it fails to mount with.
    pub(crate) fn tracefs() -> Result<Self> {
        // SAFETY: The name is valid.
        let fs = unsafe { bindings::get_fs_type(c"tracefs".as_char_ptr()) };
        let fs = NonNull::new(fs).ok_or(ENODEV)?;
        // SAFETY: The type is valid, and was referenced just now.
        match from_err_ptr(unsafe { bindings::kern_mount(fs.as_ptr()) }) {
            Ok(mount) => {
                // SAFETY: The credentials of the current task are valid while it runs this.
                let cred = unsafe { Credential::from_ptr(current_cred()) };
                // INVARIANT: Both came from where they must.
                Ok(Self {
                    mount,
                    fs,
                    cred: cred.into(),
                })
            }
            Err(error) => {
                // SAFETY: Gives back the reference that `get_fs_type()` took.
                unsafe { bindings::module_put((*fs.as_ptr()).owner) };
                Err(error)
            }
        }
    }

    /// The root directory.
    pub(crate) fn root(&self) -> Result<DentryRef> {
        // SAFETY: The mount is valid, and keeps its root.
        let root = from_err_ptr(unsafe { (*self.mount.as_ptr()).mnt_root })?;
        // SAFETY: As above.
        Ok(unsafe { Dentry::from_raw(root.as_ptr()) }.into())
    }

    /// Opens a file or a directory there for somebody. May sleep.
    ///
    /// Permissions are not checked again: who opens a file of ours was, by its inode. Flags that
    /// say how to create a file are left out.
    fn open_as(
        &self,
        dentry: &Dentry,
        flags: u32,
        cred: *const bindings::cred,
    ) -> Result<LowerFile> {
        let path = bindings::path {
            mnt: self.mount.as_ptr(),
            dentry: dentry.as_ptr(),
        };
        // SAFETY: The path and the credentials are valid. `O_CREAT` and its kin are done with.
        let file = from_err_ptr(unsafe {
            bindings::dentry_open(
                &raw const path,
                (flags & !more_bindings::EVENTFS_OPEN_CREATE_FLAGS) as c_int,
                cred,
            )
        })?;
        // INVARIANT: Nobody else has the file, nor a descriptor of it.
        // SAFETY: The reference is ours.
        Ok(LowerFile(ManuallyDrop::new(unsafe {
            ARef::from_raw(file.cast())
        })))
    }

    /// Opens the file that a file of ours stands for, with the flags of ours and the credentials of
    /// who opens it. May sleep.
    pub(crate) fn open<T: FileSystem>(
        &self,
        dentry: &Dentry,
        file: OpenFile<'_, T>,
    ) -> Result<LowerFile> {
        self.open_as(dentry, file.flags(), file.cred())
    }

    /// Reads a directory: calls `take` with each name, inode number and whether it is a directory,
    /// but for `.` and `..`, and for as many after them as are to be passed over. May sleep; takes
    /// the `i_rwsem` of the directory.
    ///
    /// # Errors
    ///
    /// What `take` returns, and what the file system fails with. `ESPIPE`: it cannot pass over so
    /// many.
    pub(crate) fn list(
        &self,
        dentry: &Dentry,
        pass: usize,
        take: impl FnMut(&[u8], u64, bool) -> Result,
    ) -> Result {
        let flags = bindings::O_RDONLY | bindings::O_DIRECTORY;
        let file = self.open_as(dentry, flags, self.cred.as_ptr())?;
        if pass > 0 {
            // The positions of `.` and `..` come first.
            let position = bindings::loff_t::try_from(pass)?
                .checked_add(2)
                .ok_or(ESPIPE)?;
            // SAFETY: The file is open, and nobody else uses it.
            let reached = unsafe {
                bindings::vfs_llseek(file.file().as_ptr(), position, bindings::SEEK_SET as c_int)
            };
            if reached != position {
                return Err(ESPIPE);
            }
        }
        let mut lister = Lister {
            context: bindings::dir_context {
                actor: Some(Lister::<_>::actor_of(&take)),
                // As many as there are.
                count: c_int::MAX,
                ..pin_init::zeroed()
            },
            result: Ok(()),
            progress: true,
            take,
        };
        while lister.progress {
            lister.progress = false;
            // SAFETY: The file is an open directory, and the context is part of a `Lister`.
            let listed = to_result(unsafe {
                bindings::iterate_dir(file.file().as_ptr(), (&raw mut lister).cast())
            });
            // tracefs returns an error of its own when an actor has had enough.
            lister.result?;
            listed?;
        }
        Ok(())
    }
}

impl Drop for KernMount {
    fn drop(&mut self) {
        // SAFETY: By the type invariants.
        unsafe {
            bindings::kern_unmount(self.mount.as_ptr());
            bindings::module_put((*self.fs.as_ptr()).owner);
        }
    }
}

/// The credentials of the current task.
fn current_cred() -> *const bindings::cred {
    // SAFETY: `current` is valid, and only the task itself changes its credentials.
    unsafe { (*bindings::get_current()).cred }
}

/// What a directory is read into.
#[repr(C)]
struct Lister<F> {
    /// First, so that a pointer to it is one to the whole.
    context: bindings::dir_context,
    /// What `take` has returned last.
    result: Result,
    /// Whether this round has given an entry: the last one gives none.
    progress: bool,
    /// Takes the name, the inode number and whether it is a directory.
    take: F,
}

impl<F: FnMut(&[u8], u64, bool) -> Result> Lister<F> {
    /// The C function for a closure of this type.
    fn actor_of(
        _take: &F,
    ) -> unsafe extern "C" fn(
        *mut bindings::dir_context,
        *const c_char,
        c_int,
        bindings::loff_t,
        u64,
        c_uint,
    ) -> bool {
        Self::actor
    }

    /// Takes an entry; false ends the round.
    ///
    /// # Safety
    ///
    /// Called by `iterate_dir()` with the context of a `Lister<F>`.
    unsafe extern "C" fn actor(
        context: *mut bindings::dir_context,
        name: *const c_char,
        len: c_int,
        _position: bindings::loff_t,
        number: u64,
        kind: c_uint,
    ) -> bool {
        // SAFETY: By the safety requirements.
        let this = unsafe { &mut *context.cast::<Self>() };
        let len = usize::try_from(len).unwrap_or(0);
        // SAFETY: The caller gives a name of this length.
        let name = unsafe { core::slice::from_raw_parts(name.cast::<u8>(), len) };
        this.progress = true;
        if name == b"." || name == b".." {
            return true;
        }
        this.result = (this.take)(name, number, kind == DirEntryType::Directory as c_uint);
        this.result.is_ok()
    }
}

/// An open file of another file system that one of ours stands for.
///
/// # Invariants
///
/// Nobody else uses it, but during calls of its operations. (Who sleeps in `poll()` keeps it, too,
/// with the wait queues that are the file's; all of that is the kernel's, not ours.)
pub(crate) struct LowerFile(ManuallyDrop<ARef<File>>);

impl Drop for LowerFile {
    fn drop(&mut self) {
        let file = self.0.as_ptr();
        // At once, not when the task returns to user space: who closes our file finds that one
        // closed, unless somebody sleeps in `poll()`.
        // SAFETY: The reference is given up here. This is process context, without locks that
        // closing the file might need.
        unsafe { bindings::__fput_sync(file) };
    }
}

impl LowerFile {
    /// The file.
    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// What the file can do there.
    fn operations(&self) -> &bindings::file_operations {
        // SAFETY: The file is open, so it has operations, which stay as long as it is.
        unsafe { &*(*self.0.as_ptr()).f_op }
    }

    /// Whether it takes writes one by one.
    pub(crate) fn has_write(&self) -> bool {
        self.operations().write.is_some()
    }

    /// Whether it takes writes of several segments as a whole.
    pub(crate) fn has_write_iter(&self) -> bool {
        self.operations().write_iter.is_some()
    }

    /// Whether the file was opened for this.
    fn check_mode(&self, mode: u32) -> Result {
        // SAFETY: The file is valid. These bits of `f_mode` do not change while it is open.
        if unsafe { (*self.0.as_ptr()).f_mode } & mode == 0 {
            return Err(EBADF);
        }
        Ok(())
    }

    /// Takes over the flags that `fcntl()` may have changed since the file was opened.
    fn follow_flags<T: FileSystem>(&self, file: OpenFile<'_, T>) {
        let mask = more_bindings::EVENTFS_SETFL_FLAGS;
        let flags = file.flags() & mask;
        if self.0.flags() & mask == flags {
            return;
        }
        let lower = self.0.as_ptr();
        // SAFETY: The file is valid; `f_lock` is what `f_flags` is written under.
        unsafe {
            bindings::spin_lock(&raw mut (*lower).f_lock);
            let all = (*lower).f_flags & !mask | flags;
            (&raw mut (*lower).f_flags).write_volatile(all);
            bindings::spin_unlock(&raw mut (*lower).f_lock);
        }
    }

    /// Reads. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the file cannot be read at all.
    pub(crate) fn read<T: FileSystem>(
        &self,
        file: OpenFile<'_, T>,
        buffer: UserBuffer,
        position: Position<'_>,
    ) -> Result<usize> {
        self.follow_flags(file);
        self.check_mode(more_bindings::EVENTFS_FMODE_READ)?;
        let read = self.operations().read.ok_or(EINVAL)?;
        // SAFETY: The file is open for reading, and the user's memory was checked, by the invariant
        // of `UserBuffer`.
        bytes(unsafe {
            read(
                self.0.as_ptr(),
                buffer.address.as_mut_ptr().cast(),
                buffer.len,
                position.position,
            )
        })
    }

    /// Writes. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the file cannot be written at all.
    pub(crate) fn write<T: FileSystem>(
        &self,
        file: OpenFile<'_, T>,
        buffer: UserBuffer,
        position: Position<'_>,
    ) -> Result<usize> {
        self.follow_flags(file);
        self.check_mode(more_bindings::EVENTFS_FMODE_WRITE)?;
        let write = self.operations().write.ok_or(EINVAL)?;
        // SAFETY: As for `read()`.
        bytes(unsafe {
            write(
                self.0.as_ptr(),
                buffer.address.as_const_ptr().cast(),
                buffer.len,
                position.position,
            )
        })
    }

    /// Writes, all segments at once. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the file cannot be written so.
    pub(crate) fn write_iter<T: FileSystem>(
        &self,
        file: OpenFile<'_, T>,
        call: WriteIter<'_>,
    ) -> Result<usize> {
        self.follow_flags(file);
        self.check_mode(more_bindings::EVENTFS_FMODE_WRITE)?;
        let write_iter = self.operations().write_iter.ok_or(EINVAL)?;
        // SAFETY: The call is valid, and ours until it returns. The copy has no completion: it is
        // done when the function returns.
        bytes(unsafe {
            let mut kiocb = bindings::kiocb {
                ki_filp: self.0.as_ptr(),
                ki_pos: (*call.kiocb).ki_pos,
                // It is not the one that fs/aio.c has made.
                ki_flags: (*call.kiocb).ki_flags & !(bindings::IOCB_AIO_RW as c_int),
                ki_ioprio: (*call.kiocb).ki_ioprio,
                ..core::mem::zeroed()
            };
            let written = write_iter(&raw mut kiocb, call.from);
            (*call.kiocb).ki_pos = kiocb.ki_pos;
            written
        })
    }

    /// Moves the position of both files. May sleep.
    ///
    /// # Errors
    ///
    /// `ESPIPE`: the file has no position. Whatever it fails with.
    pub(crate) fn llseek<T: FileSystem>(
        &self,
        file: OpenFile<'_, T>,
        offset: i64,
        whence: c_int,
    ) -> Result<i64> {
        // SAFETY: Both files are valid. Who seeks holds `f_pos_lock` of ours; nobody else has the
        // other one.
        unsafe {
            (*self.0.as_ptr()).f_pos = *file.position();
            let position = bindings::vfs_llseek(self.0.as_ptr(), offset, whence);
            if position < 0 {
                return Err(errno(position));
            }
            *file.position() = position;
            Ok(position)
        }
    }

    /// Polls. Does not sleep by itself.
    pub(crate) fn poll<T: FileSystem>(&self, file: OpenFile<'_, T>, table: PollTable<'_>) -> u32 {
        self.follow_flags(file);
        match self.operations().poll {
            // SAFETY: Both are valid during the call. The wait queues are the file's, which the
            // table keeps.
            Some(poll) => unsafe { poll(self.0.as_ptr(), table.table) },
            None => POLL_ALWAYS,
        }
    }

    /// Moves data into a pipe. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the file cannot be spliced. Whatever it fails with.
    pub(crate) fn splice_read<T: FileSystem>(
        &self,
        file: OpenFile<'_, T>,
        call: SpliceRead<'_>,
    ) -> Result<usize> {
        self.follow_flags(file);
        // SAFETY: All pointers are valid during the call, and the pipe is locked by the caller.
        bytes(unsafe {
            more_bindings::vfs_splice_read(
                self.0.as_ptr(),
                call.position,
                call.pipe,
                call.len,
                call.flags,
            )
        })
    }

    /// A descriptor of our file is closed. May sleep.
    pub(crate) fn flush(&self, owner: FlushOwner) -> Result {
        match self.operations().flush {
            // SAFETY: The file is valid.
            Some(flush) => to_result(unsafe { flush(self.0.as_ptr(), owner.0) }),
            None => Ok(()),
        }
    }

    /// Does what a number says. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOTTY`: the file has no such thing. Whatever it fails with.
    pub(crate) fn ioctl<T: FileSystem>(
        &self,
        file: OpenFile<'_, T>,
        command: u32,
        argument: usize,
        compat: bool,
    ) -> Result<isize> {
        self.follow_flags(file);
        let operations = self.operations();
        let ioctl = if compat {
            operations.compat_ioctl
        } else {
            operations.unlocked_ioctl
        };
        let ioctl = ioctl.ok_or(ENOTTY)?;
        // SAFETY: The file is valid; what the argument means is checked there.
        let value = unsafe { ioctl(self.0.as_ptr(), command, argument) };
        if value < 0 {
            return Err(errno(value as i64));
        }
        Ok(value)
    }
}

/// What a C function returns in place of a position or a number of bytes.
fn errno(value: i64) -> Error {
    // CAST: Error numbers are small; `from_errno()` checks.
    Error::from_errno(value as c_int)
}

/// The number of bytes, or the error, that a C function has returned.
fn bytes(value: isize) -> Result<usize> {
    usize::try_from(value).map_err(|_| errno(value as i64))
}
