// SPDX-License-Identifier: GPL-2.0

//! Open regular files.
//!
//! A regular file that stands for one of another file system (the lower file) has no operations of
//! its own. Its `open` hands the open file over to the lower file system: the file gets the lower
//! `file_operations`, and from then on the VFS calls those directly, with our file and our inode.
//! `chrdev_open()` and debugfs's proxies do the same with `replace_fops()`. The lower operations
//! find their data in `i_private` and `i_cdev` of our inode, where `open` puts the lower inode's.
//!
//! So the lower operations must not look at the path, the super block, or a struct that the lower
//! file system embeds its inodes in. The invariants of [`LowerDentry`] say so.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h) (`struct file_operations`).

use super::{
    bindings as more_bindings,
    dentry::Dentry,
    lower::LowerDentry,
    FileSystem,
    Inode, //
};
use core::marker::PhantomData;
use kernel::{
    bindings,
    error::from_result,
    module::this_module,
    prelude::*, //
};

/// The events that `poll` reports for a file whose owner was removed.
pub(crate) const POLL_DEAD: u32 = more_bindings::EVENTFS_POLL_DEAD;

/// A file during a call of one of its operations.
///
/// # Invariants
///
/// The file is valid for `'a`, and has a published inode of `T`.
pub(crate) struct OpenFile<'a, T: FileSystem> {
    /// The C file.
    file: *mut bindings::file,
    /// `'a` is the call of the operation.
    _call: PhantomData<(&'a (), T)>,
}

impl<T: FileSystem> OpenFile<'_, T> {
    /// The wrapper of a C file.
    ///
    /// # Safety
    ///
    /// `file` must be valid for the lifetime, have an inode of `T`, and be open or being opened.
    pub(super) unsafe fn from_raw(file: *mut bindings::file) -> Self {
        // INVARIANT: The caller guarantees that the file is valid and has an inode of `T`. An inode
        // that is opened was published.
        Self {
            file,
            _call: PhantomData,
        }
    }

    /// The dentry that the file was opened through.
    pub(crate) fn dentry(&self) -> &Dentry {
        // SAFETY: By the type invariant the file is valid. It keeps its path, which never changes.
        unsafe { Dentry::from_raw((*self.file).__bindgen_anon_1.f_path.dentry) }
    }

    /// The position of the file.
    pub(super) fn pos(&self) -> *mut bindings::loff_t {
        // SAFETY: By the type invariant the file is valid.
        unsafe { &raw mut (*self.file).f_pos }
    }
}

/// The operations of a regular file.
pub(crate) struct FileVTable<T: FileSystem> {
    /// The operations, which are never freed.
    fops: &'static bindings::file_operations,
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
    /// Operations that hand each open file over to the lower file system.
    pub(crate) const fn handover<H: Handover<T>>() -> Self {
        // SAFETY: `Lower::open` is for any regular inode of `T`, and this module owns it.
        unsafe { Self::from_static(const { &Lower::<T, H>::FOPS }) }
    }

    /// Operations that are built elsewhere.
    ///
    /// # Safety
    ///
    /// The operations must have this module as their owner, and must be sound for an open file of
    /// any regular inode of `T` that has them.
    pub(crate) const unsafe fn from_static(fops: &'static bindings::file_operations) -> Self {
        Self {
            fops,
            _fs: PhantomData,
        }
    }

    /// The operations, for `i_fop`.
    pub(super) fn as_ptr(self) -> *const bindings::file_operations {
        self.fops
    }
}

/// A kind of files that are handed over to the lower file system.
pub(crate) trait Handover<T: FileSystem>: 'static {
    /// Whether [`Self::written`] is called for this kind of file.
    const NOTICES_WRITES: bool;

    /// A write to the file, or an open with `O_TRUNC`, has returned, be it with an error. Called in
    /// the context of the writer. May sleep; no locks are held.
    fn written(inode: &Inode<T>);
}

/// The operations of files that are handed over.
struct Lower<T: FileSystem, H: Handover<T>>(PhantomData<(T, H)>);

impl<T: FileSystem, H: Handover<T>> Lower<T, H> {
    /// The `i_fop` of such a file.
    const FOPS: bindings::file_operations = bindings::file_operations {
        owner: this_module::<T::OwnerModule>().as_ptr(),
        open: Some(Self::open),
        ..pin_init::zeroed()
    };

    /// Opens a file: hands it over, and lets the lower file system open it.
    ///
    /// # Errors
    ///
    /// `ESTALE` or `ENODEV`: the lower file was removed, see [`Inode::stale_error`]. `ENODEV`: its
    /// module is being unloaded.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a regular inode of `T` and a file that is being opened.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        from_result(|| {
            // SAFETY: An inode that is opened was published, and the file keeps it.
            let this = unsafe { Inode::<T>::from_raw(inode) };
            let lower = this.lower().ok_or(ENODEV)?;
            let fops = LowerFops::get(lower)?.ok_or_else(|| this.stale_error())?;
            // SAFETY: The file is being opened by the caller, who has taken a reference to the
            // owner of the operations that it has now.
            unsafe { Self::replace_fops(file, &fops) }?;
            // SAFETY: `fops` keeps the lower operations. By the invariants of `LowerDentry` they
            // depend on no more of our inode than on these two fields. The lower dentry keeps what
            // the fields lead to, and has a user, our inode, until that is evicted, which is after
            // the last close. Opens and readers of the fields may run at the same time, and see the
            // same values.
            let (ours, error) = unsafe {
                let lower = fops.inode;
                (&raw mut (*inode).i_private).write_volatile((*lower).i_private);
                let cdev = (&raw const (*lower).__bindgen_anon_5.i_cdev).read_volatile();
                (&raw mut (*inode).__bindgen_anon_5.i_cdev).write_volatile(cdev);
                let ours = (*file).f_op;
                (ours, (*fops.fops).open.map_or(0, |open| open(inode, file)))
            };
            // The file has a reference of its own to the owner of its operations.
            drop(fops);
            if H::NOTICES_WRITES {
                // SAFETY: Only the opener uses the file.
                unsafe { Self::opened(this, file, ours, error) };
            }
            match error {
                0 => Ok(0),
                // Only errors may be returned.
                1.. => Err(EINVAL),
                _ => Err(Error::from_errno(error)),
            }
        })
    }

    /// The lower `open` of a file with the operations `ours`, those of a [`Noticed`], has returned
    /// `error`.
    ///
    /// # Safety
    ///
    /// The caller must be opening `file`.
    unsafe fn opened(
        inode: &Inode<T>,
        file: *mut bindings::file,
        ours: *const bindings::file_operations,
        error: c_int,
    ) {
        // SAFETY: Only the opener uses the file. A lower `open` that has replaced the operations
        // may have put their owner, so that a reference is taken again: one too many only keeps
        // this module loaded.
        unsafe {
            if (*file).f_op != ours {
                kernel::pr_warn_once!(
                    "open() of tracefs has replaced the operations of its file\n"
                );
                bindings::__module_get((*ours).owner);
                (*file).f_op = ours;
            }
        }
        // SAFETY: The file is valid.
        if unsafe { (*file).f_flags } & bindings::O_TRUNC != 0 {
            H::written(inode);
        }
        if error != 0 {
            // SAFETY: The file is not opened after all, and has the operations `ours`.
            unsafe { Noticed::<T, H>::disown(file) };
        }
    }

    /// Gives a file the lower operations, with a reference to their owner instead of that which the
    /// file has.
    ///
    /// # Safety
    ///
    /// The caller must be opening `file`, which must own a reference to this module by its `f_op`.
    unsafe fn replace_fops(file: *mut bindings::file, fops: &LowerFops) -> Result {
        if H::NOTICES_WRITES {
            // SAFETY: The caller guarantees what `Noticed::own` demands.
            return unsafe { Noticed::<T, H>::own(file, fops) };
        }
        // SAFETY: `fops` has a reference to the owner, so that it is not being unloaded, and a
        // further reference can be taken. The file gives back the reference to this module. The
        // file keeps its mount, and with it this module.
        unsafe {
            bindings::__module_get((*fops.fops).owner);
            bindings::module_put((*(*file).f_op).owner);
            (*file).f_op = fops.fops;
        }
        Ok(())
    }
}

/// The operations of a lower file, with a reference to the module that owns them.
///
/// # Invariants
///
/// `fops` are the operations of `inode`, the inode of a [`LowerDentry`] with users. This owns a
/// reference to their owner, if they have one.
struct LowerFops {
    /// The operations.
    fops: *const bindings::file_operations,
    /// The lower inode.
    inode: *mut bindings::inode,
}

impl LowerFops {
    /// Takes a reference to the operations of a lower file; `None` if the file was removed. May
    /// sleep; takes the `i_rwsem` of the lower directory for reading.
    ///
    /// A lower file that a module has added goes before the module does. It is removed under the
    /// `i_rwsem` of its directory: as long as it is there under that lock, its operations are, too.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the module that owns the operations is being unloaded.
    fn get(lower: &LowerDentry) -> Result<Option<Self>> {
        // SAFETY: The lower dentry has users, so that it keeps its inode and its parent, whose
        // inode it keeps as well.
        let (inode, dir) = unsafe {
            let dentry = lower.as_ptr();
            ((*dentry).d_inode, (*(*dentry).d_parent).d_inode)
        };
        // Operations of directories are not for other inodes, see `LowerDentry`.
        if inode.is_null() || dir.is_null() || !lower.is_regular() {
            return Ok(None);
        }
        // SAFETY: The inode of the directory is valid.
        unsafe { bindings::down_read(&raw mut (*dir).i_rwsem) };
        let fops = if lower.is_current() {
            // SAFETY: The lower file was not removed, and is not before the lock is released. So
            // the module that owns its operations is loaded.
            unsafe {
                let fops = (*inode).__bindgen_anon_3.i_fop;
                if bindings::try_module_get((*fops).owner) {
                    Ok(Some(fops))
                } else {
                    Err(ENODEV)
                }
            }
        } else {
            Ok(None)
        };
        // SAFETY: The lock was taken above.
        unsafe { bindings::up_read(&raw mut (*dir).i_rwsem) };
        // INVARIANT: The reference was taken above, and the lower dentry has users.
        Ok(fops?.map(|fops| Self { fops, inode }))
    }
}

impl Drop for LowerFops {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this owns the reference, or the owner is null.
        unsafe { bindings::module_put((*self.fops).owner) };
    }
}

/// The operations of one open file: those of the lower file, but for writes, after which
/// [`Handover::written`] is called.
///
/// # Invariants
///
/// `lower` are operations whose owner this owns a reference of. A file has `fops` as its `f_op`
/// from [`Self::own`] until [`Self::disown`], and owns this meanwhile.
#[repr(C)]
struct Noticed<T: FileSystem, H: Handover<T>> {
    /// The `f_op` of the open file. First, so that a pointer to it is one to the whole.
    fops: bindings::file_operations,
    /// The operations of the lower file.
    lower: *const bindings::file_operations,
    /// The type whose [`Handover::written`] is called.
    _handover: PhantomData<(T, H)>,
}

impl<T: FileSystem, H: Handover<T>> Noticed<T, H> {
    /// Gives a file these operations. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Safety
    ///
    /// The caller must be opening `file`, which must own a reference to this module by its `f_op`.
    unsafe fn own(file: *mut bindings::file, lower: &LowerFops) -> Result {
        // SAFETY: `lower` keeps the operations.
        let theirs = unsafe { &*lower.fops };
        let noticed = KBox::new(
            Self {
                fops: bindings::file_operations {
                    owner: this_module::<T::OwnerModule>().as_ptr(),
                    release: Some(Self::release),
                    write: theirs.write.and(Some(Self::write)),
                    write_iter: theirs.write_iter.and(Some(Self::write_iter)),
                    ..*theirs
                },
                lower: lower.fops,
                _handover: PhantomData,
            },
            GFP_KERNEL_ACCOUNT,
        )?;
        // SAFETY: `lower` has a reference to the owner, so that a further one can be taken. The
        // file is being opened by the caller. Both operations have the same owner, so that the
        // reference of the file stays right.
        unsafe {
            // INVARIANT: This is the reference of `noticed`.
            bindings::__module_get(theirs.owner);
            // CAST: The operations are the first field.
            (*file).f_op = KBox::into_raw(noticed).cast();
        }
        Ok(())
    }

    /// Takes these operations from a file, and drops them.
    ///
    /// # Safety
    ///
    /// `file` must have these operations, and its release, or its failed open, must be the caller.
    unsafe fn disown(file: *mut bindings::file) {
        // SAFETY: By the type invariant the file owns `noticed`, which owns the reference to the
        // owner of `lower`. The operations that the file gets have the same owner as those that it
        // had, which the VFS puts.
        unsafe {
            let noticed = KBox::<Self>::from_raw((*file).f_op.cast_mut().cast());
            (*file).f_op = const { &Lower::<T, H>::FOPS };
            bindings::module_put((*noticed.lower).owner);
        }
    }

    /// The operations of the lower file.
    ///
    /// # Safety
    ///
    /// `file` must have these operations for `'a`.
    unsafe fn lower<'a>(file: *mut bindings::file) -> &'a bindings::file_operations {
        // SAFETY: By the type invariant `f_op` is part of a `Noticed` that the file owns, and which
        // keeps the lower operations.
        unsafe { &*(*(*file).f_op.cast::<Self>()).lower }
    }

    /// Writes.
    ///
    /// # Safety
    ///
    /// The VFS calls this for an open file that has these operations.
    unsafe extern "C" fn write(
        file: *mut bindings::file,
        buffer: *const c_char,
        len: usize,
        pos: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: The call is as the VFS has made it, and the lower operations have this one,
        // otherwise `own` would not have set it. The file keeps its inode.
        unsafe {
            let written = Self::lower(file)
                .write
                .map_or(-(bindings::EINVAL as isize), |write| {
                    write(file, buffer, len, pos)
                });
            H::written(Inode::from_raw((*file).f_inode));
            written
        }
    }

    /// Writes segments.
    ///
    /// # Safety
    ///
    /// The VFS calls this for an open file that has these operations.
    unsafe extern "C" fn write_iter(
        kiocb: *mut bindings::kiocb,
        from: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: The call is as the VFS has made it, but for that the lower function must complete
        // it before it returns (`is_sync_kiocb()`). So the file, which keeps its inode, is there
        // after the call as well.
        unsafe {
            let file = (*kiocb).ki_filp;
            let mut sync = *kiocb;
            sync.ki_complete = None;
            // The copy is not the one that fs/aio.c has made.
            sync.ki_flags &= !(bindings::IOCB_AIO_RW as c_int);
            let written = Self::lower(file)
                .write_iter
                .map_or(-(bindings::EINVAL as isize), |write| {
                    write(&raw mut sync, from)
                });
            (*kiocb).ki_pos = sync.ki_pos;
            H::written(Inode::from_raw((*file).f_inode));
            written
        }
    }

    /// Releases the file, and drops its operations.
    ///
    /// # Safety
    ///
    /// The VFS calls this for an open file that has these operations, as the last call.
    unsafe extern "C" fn release(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: The call is as the VFS has made it, and it is the last one for the file.
        unsafe {
            let released = Self::lower(file)
                .release
                .map_or(0, |release| release(inode, file));
            Self::disown(file);
            released
        }
    }
}
