// SPDX-License-Identifier: GPL-2.0

//! The handle of a directory.

#![allow(unsafe_code)]

use super::{
    ffi,
    table::Table,
    Ownership,
    Parent, //
};
use core::ptr::NonNull;
use kernel::{
    error::from_err_ptr,
    module::this_module,
    prelude::*, //
};

impl Parent<'_> {
    /// What the exported functions take for it.
    fn as_ptr(self) -> *mut ffi::EventfsFile {
        match self {
            Self::Root => core::ptr::null_mut(),
            Self::Events => core::ptr::without_provenance_mut(1),
            Self::Dir(dir) => dir.0 .0.as_ptr(),
        }
    }
}

/// A directory that this module has published.
///
/// # Invariants
///
/// The pointer comes from `eventfs_create_dir_get()` and was not given to
/// `eventfs_remove_dir_put()` yet.
pub(super) struct DirHandle(NonNull<ffi::EventfsFile>);

// SAFETY: The exported functions may be called in any thread. The data, which the drop of a
// `DirHandle` drops, is `Send`: `Ownership` says so.
unsafe impl Send for DirHandle {}

// SAFETY: What takes a `&DirHandle` only hands the pointer to `eventfs_create_dir_get()`, which may
// be called in any number of threads.
unsafe impl Sync for DirHandle {}

impl DirHandle {
    /// Makes a directory with the files of `data`'s type.
    pub(super) fn with_files<P: Ownership>(
        name: &CStr,
        parent: Parent<'_>,
        data: P,
    ) -> Result<Self> {
        let data = data.into_foreign();
        Self::create(name, parent, Table::<P>::ENTRIES, data).inspect_err(|_| {
            // SAFETY: It was made of `data` above, and nobody has it: the directory was not made,
            // so that its release function is not called.
            drop(unsafe { P::from_foreign(data) });
        })
    }

    /// Makes a directory without files.
    pub(super) fn without_files(name: &CStr, parent: Parent<'_>) -> Result<Self> {
        Self::create(name, parent, &[], core::ptr::null_mut())
    }

    /// Makes a directory with the files of `entries`, whose functions are for `data`.
    fn create(
        name: &CStr,
        parent: Parent<'_>,
        entries: &'static [ffi::Entry],
        data: *mut c_void,
    ) -> Result<Self> {
        let size = c_int::try_from(entries.len())?;
        // The functions in the tables are this module's, so it has to be the owner.
        let owner = this_module::<crate::LocalModule>().as_ptr();
        // SAFETY: The name is a string, the parent is one of the two special ones or, by the
        // invariant of its `DirHandle`, a directory; there are `size` entries, for ever; the owner
        // is this module.
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
        // INVARIANT: It was made just now.
        NonNull::new(dir).map(Self).ok_or(EINVAL)
    }
}

impl Drop for DirHandle {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant, it is good and this is its end.
        unsafe { ffi::eventfs_remove_dir_put(self.0.as_ptr()) };
    }
}
