// SPDX-License-Identifier: GPL-2.0

//! The lower file system: an internal mount of tracefs, and its dentries.
//!
//! As in an overlay, an inode of ours stands for a dentry of the lower file system. The dentry
//! keeps everything that its inode refers to. Directories are listed here; open files are handed
//! over, see [`file`](super::file).

use super::{
    dentry::{
        ActiveDentry,
        Dentry, //
    },
    from_err_ptr,
    DirEntryType, //
};
use core::{
    mem::ManuallyDrop,
    ops::Deref,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    bindings,
    cred::Credential,
    error::to_result,
    fs::File,
    prelude::*,
    sync::aref::ARef, //
};

/// A dentry of the lower file system.
///
/// # Invariants
///
/// The dentry is one of tracefs. So
///
/// - its super block is never shut down: each entry of tracefs pins it (`simple_pin_fs()`), and the
///   entries of the root that the kernel makes at boot stay;
/// - it is never renamed or moved;
/// - the file operations of its inode depend on `i_private`, on `i_cdev`, and on the fields that
///   each open file and each inode of the VFS has, but neither on the path, nor on the super block,
///   nor on the struct that embeds the inode. (`make lint` searches the kernel's sources for a
///   function that does. Operations of directories do.)
/// - while the dentry has users, `i_private` and `i_cdev` of its inode lead to valid data: tracefs
///   frees the data of an event with the dentry, and that of its other files is static, or is
///   looked up and referenced by their `open`;
/// - a file is removed under the `i_rwsem` of its directory, before the module that owns its
///   operations is unloaded. Operations of files that are removed without it are built in.
#[repr(transparent)]
pub(crate) struct LowerDentry(Dentry);

impl Deref for LowerDentry {
    type Target = Dentry;

    fn deref(&self) -> &Dentry {
        &self.0
    }
}

impl LowerDentry {
    /// Looks a name up in the directory, without a check of permissions. May sleep; takes the
    /// `i_rwsem` of the directory for reading.
    ///
    /// # Errors
    ///
    /// `ENOENT`: the name does not exist. `ENOTDIR`. Otherwise the error of tracefs.
    pub(crate) fn lookup(&self, name: &[u8]) -> Result<LowerRef> {
        // SAFETY: A child of a dentry of tracefs is one of tracefs.
        Ok(unsafe { LowerRef::new(self.0.lookup(name)?) })
    }
}

/// A reference to a dentry of the lower file system. Dropping it may sleep.
///
/// # Invariants
///
/// The dentry is one of tracefs.
pub(crate) struct LowerRef(ActiveDentry<'static>);

impl LowerRef {
    /// Makes a reference to a dentry of tracefs one of unlimited lifetime.
    ///
    /// # Safety
    ///
    /// The dentry must be one of tracefs.
    unsafe fn new(dentry: ActiveDentry<'_>) -> Self {
        // INVARIANT: The caller guarantees that the dentry is one of tracefs.
        // SAFETY: The counted reference is that of `dentry`. The super block of tracefs is never
        // shut down, by the invariants of `LowerDentry`.
        Self(unsafe { ActiveDentry::from_raw(dentry.into_raw()) })
    }

    /// Gives the reference to the caller, as a pointer for [`Self::from_raw`].
    pub(super) fn into_raw(self) -> NonNull<LowerDentry> {
        self.0.into_raw().cast()
    }

    /// Takes the reference back.
    ///
    /// # Safety
    ///
    /// `dentry` must come from [`Self::into_raw`], and must not be used here a second time.
    pub(super) unsafe fn from_raw(dentry: NonNull<LowerDentry>) -> Self {
        // SAFETY: The caller guarantees that the reference is that of `into_raw()`.
        Self(unsafe { ActiveDentry::from_raw(dentry.cast()) })
    }
}

impl Deref for LowerRef {
    type Target = LowerDentry;

    fn deref(&self) -> &LowerDentry {
        // SAFETY: By the type invariant the dentry is one of tracefs. The cast is to a transparent
        // wrapper.
        unsafe { &*ptr::from_ref::<Dentry>(&self.0).cast() }
    }
}

/// An internal mount of tracefs: no path leads there.
///
/// # Invariants
///
/// `mount` came from `kern_mount()`, and `fs` is its type, with a reference to its module.
pub(crate) struct KernMount {
    /// The mount, owned by this.
    mount: NonNull<bindings::vfsmount>,
    /// Its type, with a reference to its module.
    fs: NonNull<bindings::file_system_type>,
    /// The credentials that directories are listed with: those of the task that mounted.
    cred: ARef<Credential>,
}

// SAFETY: A mount may be used and unmounted on any thread.
unsafe impl Send for KernMount {}
// SAFETY: The mount, its type and the credentials are not changed through a shared reference.
unsafe impl Sync for KernMount {}

impl KernMount {
    /// Mounts tracefs. May sleep.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the kernel has no tracefs. Otherwise the error of the mount.
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
    pub(crate) fn root(&self) -> Result<LowerRef> {
        // SAFETY: By the type invariant the mount is valid. It keeps its root.
        let root = from_err_ptr(unsafe { (*self.mount.as_ptr()).mnt_root })?;
        // SAFETY: The mount is a user of the root, and keeps the super block, which is one of
        // tracefs.
        let root = unsafe { Dentry::from_raw(root.as_ptr()) };
        // SAFETY: The root of tracefs is a dentry of tracefs.
        Ok(unsafe { LowerRef::new(root.into()) })
    }

    /// Opens a directory. May sleep.
    fn open_dir(&self, dentry: &LowerDentry) -> Result<LowerDir> {
        let path = bindings::path {
            mnt: self.mount.as_ptr(),
            dentry: dentry.as_ptr(),
        };
        let flags = bindings::O_RDONLY | bindings::O_DIRECTORY;
        // SAFETY: The path and the credentials are valid for the call.
        let file = from_err_ptr(unsafe {
            bindings::dentry_open(&raw const path, flags as c_int, self.cred.as_ptr())
        })?;
        // INVARIANT: `dentry_open()` returns a new file, which has no descriptor.
        // SAFETY: It returns a reference to the file.
        Ok(LowerDir(ManuallyDrop::new(unsafe {
            ARef::from_raw(file.cast())
        })))
    }

    /// Lists a directory: calls `take` with the name and the inode number of each entry, and with
    /// whether that is a directory, without `.` and `..` and without the first `skip` others. May
    /// sleep; takes the `i_rwsem` of the directory for reading.
    ///
    /// # Errors
    ///
    /// The error of `take`, which ends the listing, or of tracefs. `ESPIPE`: the directory has
    /// fewer than `skip` entries.
    pub(crate) fn list(
        &self,
        dentry: &LowerDentry,
        skip: usize,
        take: impl FnMut(&[u8], u64, bool) -> Result,
    ) -> Result {
        let dir = self.open_dir(dentry)?;
        let file = dir.0.as_ptr();
        if skip > 0 {
            // `.` and `..` have the first two positions.
            let pos = bindings::loff_t::try_from(skip)?
                .checked_add(2)
                .ok_or(ESPIPE)?;
            // SAFETY: By the invariant of `LowerDir` the file is open, and nothing else uses it.
            let reached = unsafe { bindings::vfs_llseek(file, pos, bindings::SEEK_SET as c_int) };
            if reached != pos {
                return Err(ESPIPE);
            }
        }
        let mut lister = Lister {
            context: bindings::dir_context {
                actor: Some(Lister::<_>::actor_of(&take)),
                // The caller takes any number of entries.
                count: c_int::MAX,
                ..pin_init::zeroed()
            },
            result: Ok(()),
            progress: true,
            take,
        };
        while lister.progress {
            lister.progress = false;
            // SAFETY: The file is an open directory. The context is the first field of a `Lister`,
            // whose actor it has.
            let listed =
                to_result(unsafe { bindings::iterate_dir(file, (&raw mut lister).cast()) });
            // tracefs returns an error of its own when the actor has returned false.
            lister.result?;
            listed?;
        }
        Ok(())
    }
}

impl Drop for KernMount {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this owns the mount and the reference to the module.
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

/// The context of a listing.
#[repr(C)]
struct Lister<F> {
    /// The context of the VFS. First, so that a pointer to it is one to the whole.
    context: bindings::dir_context,
    /// The last result of `take`.
    result: Result,
    /// Whether this call of `iterate_dir()` has emitted an entry: the last call emits none.
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

    /// Takes an entry. False ends the call of `iterate_dir()`.
    ///
    /// # Safety
    ///
    /// `iterate_dir()` calls this with the context of a `Lister<F>`, and with a name of `len`
    /// bytes.
    unsafe extern "C" fn actor(
        context: *mut bindings::dir_context,
        name: *const c_char,
        len: c_int,
        _pos: bindings::loff_t,
        ino: u64,
        kind: c_uint,
    ) -> bool {
        // SAFETY: The context is the first field of a `Lister<F>`, which only this call uses.
        let this = unsafe { &mut *context.cast::<Self>() };
        let len = usize::try_from(len).unwrap_or(0);
        // SAFETY: The caller passes a name of this length.
        let name = unsafe { core::slice::from_raw_parts(name.cast::<u8>(), len) };
        this.progress = true;
        if name == b"." || name == b".." {
            return true;
        }
        this.result = (this.take)(name, ino, kind == DirEntryType::Directory as c_uint);
        this.result.is_ok()
    }
}

/// An open directory of the lower file system.
///
/// # Invariants
///
/// Nothing else uses the file, and no descriptor leads to it.
struct LowerDir(ManuallyDrop<ARef<File>>);

impl Drop for LowerDir {
    fn drop(&mut self) {
        let file = self.0.as_ptr();
        // Closes the file now, and not when the task returns to user space.
        // SAFETY: By the type invariant this is the last reference, and it is given up here. The
        // caller is in process context, and holds no lock that closing a directory of tracefs
        // takes.
        unsafe { bindings::__fput_sync(file) };
    }
}
