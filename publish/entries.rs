// SPDX-License-Identifier: GPL-2.0

//! Tables of entries of other modules.

#![allow(unsafe_code)]

use crate::{
    nodes::{
        check_name,
        ActiveRef,
        Payload, //
    },
    vfs::{
        bindings as more_bindings,
        foreign::{
            name_from_raw,
            permissions_of,
            ForeignData,
            ForeignFile,
            ForeignOperations, //
        },
    },
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

// What the clients' `Entry` of `include/rust_eventfs/ffi.rs` takes `struct eventfs_entry` for: these
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
        _inside: &ActiveRef<'_, P>,
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
