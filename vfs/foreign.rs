// SPDX-License-Identifier: GPL-2.0

//! What other modules give us: names, data, tables of entries, file operations.
//!
//! Pointers from C code cannot be checked. What they have to be is said in
//! `include/rust_eventfs.h`, and becomes an invariant here when they come in (`from_raw`).

use super::PERMISSIONS;
use core::ptr::{
    self,
    NonNull, //
};
use kernel::{
    bindings,
    prelude::*,
    str::CStr, //
};

/// The name that C code has given.
///
/// # Errors
///
/// `EINVAL`: it is null.
///
/// # Safety
///
/// `name` is null, or a string that does not change for `'a`.
pub(crate) unsafe fn name_from_raw<'a>(name: *const c_char) -> Result<&'a CStr> {
    if name.is_null() {
        return Err(EINVAL);
    }
    // SAFETY: By the safety requirements.
    Ok(unsafe { CStr::from_char_ptr(name) })
}

/// The permissions of a regular file that C code has given.
///
/// # Errors
///
/// `EINVAL`: it is the mode of something else.
pub(crate) fn permissions_of(mode: bindings::umode_t) -> Result<u16> {
    // CAST: File types fit into a mode.
    match mode & !PERMISSIONS {
        0 => Ok(mode),
        kind if kind == bindings::S_IFREG as u16 => Ok(mode & PERMISSIONS),
        _ => Err(EINVAL),
    }
}

/// A pointer that is only handed back to who has given it.
#[derive(Clone, Copy)]
pub(crate) struct ForeignData(*mut c_void);

// SAFETY: Nothing is done with the pointer here.
unsafe impl Send for ForeignData {}
// SAFETY: As above.
unsafe impl Sync for ForeignData {}

impl ForeignData {
    /// Nothing.
    pub(crate) const NULL: Self = Self(ptr::null_mut());

    /// The pointer that C code has given.
    pub(crate) const fn from_raw(data: *mut c_void) -> Self {
        Self(data)
    }

    /// The pointer, for C code.
    pub(crate) const fn as_ptr(self) -> *mut c_void {
        self.0
    }

    /// The pointer as a number.
    pub(crate) fn into_word(self) -> u64 {
        self.0.expose_provenance() as u64
    }

    /// What was made a number.
    pub(crate) fn from_word(word: u64) -> Self {
        // CAST: It was a pointer.
        Self(ptr::with_exposed_provenance_mut(word as usize))
    }
}

/// Whether these are from `DEFINE_DEBUGFS_ATTRIBUTE`, the read of which takes what a dentry has in
/// `d_fsdata` for debugfs's.
#[cfg(CONFIG_DEBUG_FS)]
fn is_debugfs_attribute(operations: &bindings::file_operations) -> bool {
    let of_debugfs: unsafe extern "C" fn(_, _, _, _) -> _ = bindings::debugfs_attr_read;
    operations
        .read
        .is_some_and(|read| ptr::fn_addr_eq(read, of_debugfs))
}

/// Without debugfs there are none.
#[cfg(not(CONFIG_DEBUG_FS))]
fn is_debugfs_attribute(_operations: &bindings::file_operations) -> bool {
    false
}

/// File operations of another module, with none among them that could not be taken back.
///
/// # Invariants
///
/// They are valid until the file, or the directory with the entry, that they were given for is
/// removed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ForeignOperations(NonNull<bindings::file_operations>);

// SAFETY: They are constant.
unsafe impl Send for ForeignOperations {}
// SAFETY: As above.
unsafe impl Sync for ForeignOperations {}

impl ForeignOperations {
    /// The operations that C code has given.
    ///
    /// # Errors
    ///
    /// `EINVAL`: there are none, or some that are refused.
    ///
    /// # Safety
    ///
    /// Null, or as the type invariant says.
    pub(crate) unsafe fn from_raw(operations: *const bindings::file_operations) -> Result<Self> {
        let operations = NonNull::new(operations.cast_mut()).ok_or(EINVAL)?;
        // SAFETY: By the safety requirements.
        let given = unsafe { operations.as_ref() };
        let refused = is_debugfs_attribute(given)
            || given.mmap.is_some()
            || given.mmap_prepare.is_some()
            || given.iterate_shared.is_some()
            || given.uring_cmd.is_some()
            || given.setlease.is_some();
        if refused {
            return Err(EINVAL);
        }
        // INVARIANT: By the safety requirements.
        Ok(Self(operations))
    }

    /// The operations, for those who know that they are still there.
    pub(crate) const fn as_ptr(self) -> *const bindings::file_operations {
        self.0.as_ptr()
    }
}

/// What a file of another module is.
#[derive(Clone, Copy)]
pub(crate) struct ForeignFile {
    /// Its permissions.
    pub(crate) permissions: u16,
    /// What its open files do.
    pub(crate) operations: ForeignOperations,
    /// What they find in `i_private`.
    pub(crate) data: ForeignData,
}
