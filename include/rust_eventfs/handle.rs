// SPDX-License-Identifier: GPL-2.0

//! The owning pointer in each [`Dir`](super::Dir).

#![allow(unsafe_code)]

use super::{
    ffi,
    table::Table,
    Ownership,
    Parent, //
};
use core::ptr::{
    self,
    NonNull, //
};
use kernel::{
    error::from_err_ptr,
    module::this_module,
    prelude::*, //
};

impl Parent<'_> {
    /// The parent as a C function expects it. Valid as long as `self` is borrowed.
    fn as_ptr(self) -> *mut ffi::EventfsFile {
        match self {
            Self::Root => ptr::null_mut(),
            Self::Events => ptr::without_provenance_mut(ffi::EVENTS),
            Self::Dir(dir) => dir.0 .0.as_ptr(),
        }
    }
}

/// A directory that this module has published, and a reference to it.
///
/// # Invariants
///
/// The pointer comes from `eventfs_create_dir_get()` and has not been passed to
/// `eventfs_remove_dir_put()`, so it is valid.
pub(super) struct DirHandle(NonNull<ffi::EventfsFile>);

// SAFETY: `eventfs_create_dir_get()` and `eventfs_remove_dir_put()` may be called on any thread.
// Dropping a handle also drops the data of the directory, which may so be dropped on another thread
// than it was created on: `Ownership` requires that the data is `Send`.
unsafe impl Send for DirHandle {}

// SAFETY: The only use of a shared handle is as a parent, see `Parent::as_ptr()`. Any number of
// threads may call `eventfs_create_dir_get()` with the same parent.
unsafe impl Sync for DirHandle {}

impl DirHandle {
    /// Creates a directory with the files of `P`'s table. It owns `data`.
    pub(super) fn with_files<P: Ownership>(
        name: &CStr,
        parent: Parent<'_>,
        data: P,
    ) -> Result<Self> {
        let data = data.into_foreign();
        // SAFETY: The entries are those of `P`, and `data` is from `P::into_foreign()` just now.
        unsafe { Self::create(name, parent, Table::<P>::ENTRIES, data) }.inspect_err(|_| {
            // SAFETY: `data` comes from `P::into_foreign()`. There is no directory that could have
            // kept it, and no release function is called, so this is the first and only
            // `from_foreign()`, and nothing is borrowed.
            drop(unsafe { P::from_foreign(data) });
        })
    }

    /// Creates a directory without files.
    pub(super) fn without_files(name: &CStr, parent: Parent<'_>) -> Result<Self> {
        // SAFETY: There are no entries.
        unsafe { Self::create(name, parent, &[], ptr::null_mut()) }
    }

    /// Creates a directory with the files of `entries`. If this succeeds it owns `data`; otherwise
    /// nothing has kept `data`.
    ///
    /// # Safety
    ///
    /// `entries` must be empty, or else `Table::<P>::ENTRIES` of some `P`. In that case `data` must
    /// come from `P::into_foreign()`; if this succeeds the caller must not use it again.
    unsafe fn create(
        name: &CStr,
        parent: Parent<'_>,
        entries: &'static [ffi::Entry],
        data: *mut c_void,
    ) -> Result<Self> {
        let size = c_int::try_from(entries.len())?;
        // The module that this file is compiled into, and with it the functions in the table.
        let owner = this_module::<crate::LocalModule>().as_ptr();
        // SAFETY:
        // - `name` is a C string.
        // - `parent` is null, `EVENTS`, or by the type invariant of the `DirHandle` that it borrows
        //   a pointer that is put only when that handle is dropped: not during the borrow.
        // - There are `size` entries. They are constants of the module, as are their names and
        //   functions, and eventfs removes what a module has left before the module is freed.
        // - By the safety requirements of this function, and by the invariant of `Table`, the
        //   functions accept `data`. The operations are constants of the module, too, and the data
        //   that the callbacks report is `data`, which only a release function drops.
        // - `owner` is this module, and so the caller: `LocalModule` is defined by its `module!`,
        //   and safe code cannot make the `ThisModule` of another one.
        let dir = from_err_ptr(unsafe {
            ffi::eventfs_create_dir_get(
                name.as_char_ptr(),
                parent.as_ptr(),
                entries.as_ptr(),
                size,
                data,
                owner,
            )
        })?;
        // A directory is never null.
        let dir = NonNull::new(dir).ok_or(EINVAL)?;
        // INVARIANT: It comes from `eventfs_create_dir_get()`, and only this handle knows it.
        Ok(Self(dir))
    }
}

impl Drop for DirHandle {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the pointer comes from `eventfs_create_dir_get()` and has
        // not been put. The handle ends here, and no other copy of the pointer is left.
        unsafe { ffi::eventfs_remove_dir_put(self.0.as_ptr()) };
    }
}
