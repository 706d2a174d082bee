// SPDX-License-Identifier: GPL-2.0

//! What other modules give us: names, data, tables of entries, file operations.
//!
//! Pointers from C code cannot be checked. What they have to be is said in
//! `include/rust_eventfs.h`, and becomes an invariant here when they come in (`from_raw`).

use super::{
    bindings as more_bindings,
    node::{
        check_name,
        Inside,
        Payload, //
    },
    PERMISSIONS, //
};
use core::{
    mem::offset_of,
    ptr::{
        self,
        NonNull, //
    }, //
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
pub(super) unsafe fn name_from_raw<'a>(name: *const c_char) -> Result<&'a CStr> {
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
pub(super) fn permissions_of(mode: bindings::umode_t) -> Result<u16> {
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
    pub(super) const fn from_raw(data: *mut c_void) -> Self {
        Self(data)
    }

    /// The pointer, for C code.
    pub(super) const fn as_ptr(self) -> *mut c_void {
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
    pub(super) unsafe fn from_raw(operations: *const bindings::file_operations) -> Result<Self> {
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
    pub(super) const fn as_ptr(self) -> *const bindings::file_operations {
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

// What the clients' `Entry` of `include/rust_eventfs.rs` takes `struct eventfs_entry` for: these
// three pointers, in this order, and nothing else.
const _: () = {
    use more_bindings::eventfs_entry as Entry;
    let pointer = size_of::<*const ()>();
    assert!(offset_of!(Entry, name) == 0);
    assert!(offset_of!(Entry, callback) == pointer);
    assert!(offset_of!(Entry, release) == 2 * pointer);
    assert!(size_of::<Entry>() == 3 * pointer);
};

/// A table of entries of another module (`struct eventfs_entry`).
///
/// # Invariants
///
/// There are `len` entries, with names and callbacks. They, and the functions, stay until the last
/// directory that was made with them is removed: until [`Self::release`] was called for it, and
/// until the function that has removed it returns.
#[derive(Clone, Copy)]
pub(crate) struct ForeignEntries {
    /// The first one.
    entries: NonNull<more_bindings::eventfs_entry>,
    /// How many there are; not 0.
    len: usize,
}

// SAFETY: The table is constant, and its functions may be called on any thread.
unsafe impl Send for ForeignEntries {}
// SAFETY: As above.
unsafe impl Sync for ForeignEntries {}

/// A table of entries that was not looked at yet.
///
/// # Invariants
///
/// There are `len` entries, whose names are null or strings, and that stay as those of
/// [`ForeignEntries`] do.
#[derive(Clone, Copy)]
pub(crate) struct GivenEntries {
    /// The first one.
    entries: NonNull<more_bindings::eventfs_entry>,
    /// How many there are; not 0.
    len: usize,
}

impl GivenEntries {
    /// The table that C code has given; `None` if it is an empty one.
    ///
    /// # Errors
    ///
    /// `EINVAL`: a negative size; a size without a table.
    ///
    /// # Safety
    ///
    /// `entries` is null, or there are `size` of them, as the type invariant says.
    pub(super) unsafe fn from_raw(
        entries: *const more_bindings::eventfs_entry,
        size: c_int,
    ) -> Result<Option<Self>> {
        let len = usize::try_from(size).map_err(|_| EINVAL)?;
        if len == 0 {
            return Ok(None);
        }
        let entries = NonNull::new(entries.cast_mut()).ok_or(EINVAL)?;
        // INVARIANT: By the safety requirements.
        Ok(Some(Self { entries, len }))
    }

    /// Where the table is: two that are there at the same time are not at the same place.
    pub(crate) fn address(&self) -> usize {
        self.entries.addr().get()
    }

    /// The number of entries.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Looks at the table.
    ///
    /// # Errors
    ///
    /// `EINVAL`: an entry without a callback; a name that is there twice. Whatever is wrong with a
    /// name.
    pub(crate) fn check(self) -> Result<ForeignEntries> {
        // SAFETY: By the type invariant.
        let all = unsafe { core::slice::from_raw_parts(self.entries.as_ptr(), self.len) };
        for entry in all {
            // SAFETY: By the type invariant.
            let name = unsafe { name_from_raw(entry.name) }?;
            check_name(name.to_bytes())?;
            if entry.callback.is_none() {
                return Err(EINVAL);
            }
        }
        // INVARIANT: As was checked.
        let table = ForeignEntries {
            entries: self.entries,
            len: self.len,
        };
        for (at, name) in table.names().enumerate() {
            if table.names().skip(at + 1).any(|other| other == name) {
                return Err(EINVAL);
            }
        }
        Ok(table)
    }
}

impl ForeignEntries {
    /// The entries.
    fn all(&self) -> &[more_bindings::eventfs_entry] {
        // SAFETY: By the type invariant.
        unsafe { core::slice::from_raw_parts(self.entries.as_ptr(), self.len) }
    }

    /// The names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &CStr> {
        // SAFETY: By the type invariant.
        self.all()
            .iter()
            .map(|entry| unsafe { CStr::from_char_ptr(entry.name) })
    }

    /// Asks what an entry is, in a directory with this data; `None` if there is no such file now.
    ///
    /// `_inside` is the directory, which so is not removed meanwhile. May sleep.
    pub(crate) fn describe<P: Payload>(
        &self,
        index: usize,
        data: ForeignData,
        _inside: &Inside<'_, P>,
    ) -> Option<ForeignFile> {
        let entry = self.all().get(index)?;
        let callback = entry.callback?;
        // What the callback finds.
        let mut mode: bindings::umode_t = 0o444;
        let mut data = data.as_ptr();
        let mut operations: *const bindings::file_operations = ptr::null();
        // SAFETY: By the type invariant. The other pointers are valid during the call.
        let there = unsafe {
            callback(
                entry.name,
                &raw mut mode,
                &raw mut data,
                &raw mut operations,
            )
        };
        if there <= 0 {
            return None;
        }
        // SAFETY: The header demands of callbacks what `from_raw()` does.
        let operations = unsafe { ForeignOperations::from_raw(operations) };
        Some(ForeignFile {
            permissions: permissions_of(mode).ok()?,
            operations: operations.ok()?,
            data: ForeignData::from_raw(data),
        })
    }

    /// Says that a directory with this data is not used any more. May sleep.
    ///
    /// To be called once for each directory with these entries, when it was removed and nobody is
    /// inside: who calls it twice releases data twice.
    pub(crate) fn release(&self, data: ForeignData) {
        for entry in self.all() {
            if let Some(release) = entry.release {
                // SAFETY: By the type invariant.
                unsafe { release(entry.name, data.as_ptr()) };
            }
        }
    }
}
