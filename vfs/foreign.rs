// SPDX-License-Identifier: GPL-2.0

//! Pointers from other modules: names, data, file operations.
//!
//! A pointer from C code cannot be checked. Its caller promises what `include/rust_eventfs.h` asks
//! for. An unsafe constructor (`from_raw`) turns that promise into the invariant of a type.

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

/// Borrows a name from C code.
///
/// # Errors
///
/// `EINVAL`: the name is null.
///
/// # Safety
///
/// `name` is null, or points to a string that does not change for `'a`.
pub(crate) unsafe fn name_from_raw<'a>(name: *const c_char) -> Result<&'a CStr> {
    if name.is_null() {
        return Err(EINVAL);
    }
    // SAFETY: The pointer is not null, so by the safety requirements it points to a string that
    // does not change for `'a`.
    Ok(unsafe { CStr::from_char_ptr(name) })
}

/// Returns the permissions in a mode from C code, which may have `S_IFREG` set.
///
/// # Errors
///
/// `EINVAL`: the mode is not one of a regular file.
fn mode_from_raw(mode: bindings::umode_t) -> Result<u16> {
    // CAST: File types fit into a mode.
    match mode & !PERMISSIONS {
        0 => Ok(mode),
        kind if kind == bindings::S_IFREG as u16 => Ok(mode & PERMISSIONS),
        _ => Err(EINVAL),
    }
}

/// A pointer that is only handed back to the module that it came from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ForeignData(*mut c_void);

// SAFETY: The pointer is never dereferenced here, only stored and handed back.
unsafe impl Send for ForeignData {}
// SAFETY: A shared reference only gives the value of the pointer, which never changes.
unsafe impl Sync for ForeignData {}

impl ForeignData {
    /// The null pointer.
    pub(crate) const NULL: Self = Self(ptr::null_mut());

    /// Stores a pointer from C code.
    pub(crate) const fn from_raw(data: *mut c_void) -> Self {
        Self(data)
    }

    /// Returns the pointer.
    pub(crate) const fn as_ptr(self) -> *mut c_void {
        self.0
    }

    /// Returns the pointer as a number.
    pub(crate) fn into_word(self) -> u64 {
        self.0.expose_provenance() as u64
    }

    /// Restores a pointer from its number.
    pub(crate) fn from_word(word: u64) -> Self {
        // CAST: The number was made from a pointer.
        Self(ptr::with_exposed_provenance_mut(word as usize))
    }
}

/// Whether operations are from `DEFINE_DEBUGFS_ATTRIBUTE()`: their `read` takes `d_fsdata` of any
/// dentry for the data of debugfs.
#[cfg(CONFIG_DEBUG_FS)]
fn is_debugfs_attribute(fops: &bindings::file_operations) -> bool {
    let of_debugfs: unsafe extern "C" fn(_, _, _, _) -> _ = bindings::debugfs_attr_read;
    fops.read
        .is_some_and(|read| ptr::fn_addr_eq(read, of_debugfs))
}

/// Without debugfs no such operations exist.
#[cfg(not(CONFIG_DEBUG_FS))]
fn is_debugfs_attribute(_fops: &bindings::file_operations) -> bool {
    false
}

/// The address of another module's file operations, none of which is refused.
///
/// It is an address only: it may outlive the operations. Code that dereferences it argues why they
/// are still there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ForeignOperations(NonNull<bindings::file_operations>);

// SAFETY: The type is an address. Safe code cannot dereference it.
unsafe impl Send for ForeignOperations {}
// SAFETY: A shared reference only gives the address, which never changes.
unsafe impl Sync for ForeignOperations {}

impl ForeignOperations {
    /// Checks operations from C code. Operations that cannot be taken back from an open file are
    /// refused.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the pointer is null, or an operation is refused.
    ///
    /// # Safety
    ///
    /// `fops` is null, or points to operations that are valid during this call.
    unsafe fn from_raw(fops: *const bindings::file_operations) -> Result<Self> {
        let fops = NonNull::new(fops.cast_mut()).ok_or(EINVAL)?;
        // SAFETY: The pointer is not null, so by the safety requirements it is valid during this
        // call, which is as long as the reference is used.
        let given = unsafe { fops.as_ref() };
        let refused = is_debugfs_attribute(given)
            || given.mmap.is_some()
            || given.mmap_prepare.is_some()
            || given.iterate_shared.is_some()
            || given.uring_cmd.is_some()
            || given.setlease.is_some();
        if refused {
            return Err(EINVAL);
        }
        Ok(Self(fops))
    }

    /// Returns the address.
    pub(crate) const fn as_ptr(self) -> *const bindings::file_operations {
        self.0.as_ptr()
    }
}

/// A file of another module: its mode, its operations and their data.
///
/// The value cannot be copied or taken apart and put together again: operations are never used with
/// the data, or for the node, of another file.
///
/// # Invariants
///
/// - The module has given `fops` for use with `data` as the `i_private` of the inode.
/// - If there is an `anchor` (an `A` other than `()`), `fops` and `data` are valid until the node
///   that it refers to is drained.
pub(crate) struct ForeignFile<A = ()> {
    /// The permissions.
    mode: u16,
    /// The operations of its open files.
    fops: ForeignOperations,
    /// The pointer that the operations find in `i_private`.
    data: ForeignData,
    /// A reference to the node whose removal ends the use of operations and data.
    anchor: A,
}

impl ForeignFile {
    /// Describes a file as C code has given it.
    ///
    /// # Errors
    ///
    /// `EINVAL`: `mode` is not one of a regular file; `fops` is null or has an operation that is
    /// refused.
    ///
    /// # Safety
    ///
    /// `fops` is null, or points to operations that are valid during this call, and that the module
    /// has given for use with `data`.
    pub(crate) unsafe fn from_raw(
        mode: bindings::umode_t,
        data: *mut c_void,
        fops: *const bindings::file_operations,
    ) -> Result<Self> {
        // INVARIANT: The operations are for use with the data by the safety requirements. There is
        // no anchor yet.
        Ok(Self {
            mode: mode_from_raw(mode)?,
            // SAFETY: `fops` is null or valid during this call by the safety requirements.
            fops: unsafe { ForeignOperations::from_raw(fops) }?,
            data: ForeignData::from_raw(data),
            anchor: (),
        })
    }

    /// Puts a file together again that was stored in parts.
    ///
    /// # Safety
    ///
    /// The parts are those of one file.
    pub(crate) unsafe fn from_parts(mode: u16, fops: ForeignOperations, data: ForeignData) -> Self {
        // INVARIANT: The parts are those of a file for which this held. There is no anchor yet.
        Self {
            mode,
            fops,
            data,
            anchor: (),
        }
    }

    /// Ties the file to the node that it was given for.
    ///
    /// # Safety
    ///
    /// Operations and data are valid until the node that `anchor` refers to is drained.
    pub(crate) unsafe fn anchored<A>(self, anchor: A) -> ForeignFile<A> {
        // INVARIANT: The anchor is right by the safety requirements. The rest is as it was.
        ForeignFile {
            mode: self.mode,
            fops: self.fops,
            data: self.data,
            anchor,
        }
    }
}

impl<A> ForeignFile<A> {
    /// The permissions.
    pub(crate) fn mode(&self) -> u16 {
        self.mode
    }

    /// The operations of its open files.
    pub(crate) fn fops(&self) -> ForeignOperations {
        self.fops
    }

    /// The pointer that the operations find in `i_private`.
    pub(crate) fn data(&self) -> ForeignData {
        self.data
    }

    /// A reference to the node whose removal ends the use of operations and data.
    pub(crate) fn anchor(&self) -> &A {
        &self.anchor
    }
}
