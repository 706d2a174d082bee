// SPDX-License-Identifier: GPL-2.0

//! Tables of entries of other modules (`struct eventfs_entry`).

#![allow(unsafe_code)]

use crate::{
    event_inode::FileTable,
    nodes::check_name,
    vfs::{
        bindings as more_bindings,
        foreign::{
            name_from_raw,
            ForeignData,
            ForeignFile, //
        },
    },
};
use core::{
    mem::offset_of,
    ptr::{
        self,
        NonNull, //
    },
    slice, //
};
use kernel::{
    bindings,
    prelude::*, //
};
use more_bindings::eventfs_entry as Entry;

// The layout that the clients' `Entry` of `include/rust_eventfs.rs` has: these three pointers, in
// this order, and nothing else.
const _: () = {
    let pointer = size_of::<*const ()>();
    assert!(offset_of!(Entry, name) == 0);
    assert!(offset_of!(Entry, callback) == pointer);
    assert!(offset_of!(Entry, release) == 2 * pointer);
    assert!(size_of::<Entry>() == 3 * pointer);
};

/// A table of entries as C code has given it, with the data of the directory to be made.
///
/// # Invariants
///
/// - The names of the entries are null or strings that do not change for `'a`.
/// - The callbacks and release functions accept `data`.
/// - If a directory is made with the table, all of it stays as it is until that directory, and each
///   other directory that was made with the same table, is drained and
///   [released](ForeignEntries::release), and until the function that removed it returns.
pub(super) struct UncheckedEntries<'a> {
    /// The entries; not empty.
    entries: &'a [Entry],
    /// The data.
    data: ForeignData,
}

impl<'a> UncheckedEntries<'a> {
    /// Borrows a table from C code; `None` if it has no entries.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the size is negative, or there is a size without a table.
    ///
    /// # Safety
    ///
    /// If `size` is positive, `entries` is null, or points to `size` entries that are valid for
    /// `'a` and, with `data`, as the type invariants say.
    pub(super) unsafe fn from_raw(
        entries: *const Entry,
        size: c_int,
        data: *mut c_void,
    ) -> Result<Option<Self>> {
        let len = usize::try_from(size).map_err(|_| EINVAL)?;
        if len == 0 {
            return Ok(None);
        }
        let entries = NonNull::new(entries.cast_mut()).ok_or(EINVAL)?;
        // INVARIANT: By the safety requirements of this function.
        Ok(Some(Self {
            // SAFETY: The pointer is not null, so by the safety requirements it points to `len`
            // entries that are valid for `'a`.
            entries: unsafe { slice::from_raw_parts(entries.as_ptr(), len) },
            data: ForeignData::from_raw(data),
        }))
    }

    /// The address of the table. Two tables that exist at the same time have different ones.
    pub(super) fn address(&self) -> usize {
        self.entries.as_ptr().addr()
    }

    /// The number of entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The data of the directory.
    pub(super) fn data(&self) -> ForeignData {
        self.data
    }

    /// Checks the table, and copies the names.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: an entry has no callback; two entries have the same name.
    /// - `EINVAL`, `ENAMETOOLONG`: an entry has a bad name, see [`check_name`].
    /// - `ENOMEM`.
    pub(super) fn check(self) -> Result<(ForeignEntries, FileTable)> {
        let mut names: KVec<KVec<u8>> = KVec::new();
        for entry in self.entries {
            // SAFETY: The name is null or a string that does not change for `'a`, by the type
            // invariants.
            let name = unsafe { name_from_raw(entry.name) }?.to_bytes();
            check_name(name)?;
            if entry.callback.is_none() {
                return Err(EINVAL);
            }
            let mut copy = KVec::new();
            copy.extend_from_slice(name, GFP_KERNEL)?;
            names.push(copy, GFP_KERNEL)?;
        }
        for (index, name) in names.iter().enumerate() {
            if names.iter().skip(index + 1).any(|other| **other == **name) {
                return Err(EINVAL);
            }
        }
        // INVARIANT: The names are strings and the callbacks are there, as was checked. The rest
        // holds by the type invariants of `UncheckedEntries`.
        let entries = ForeignEntries {
            entries: NonNull::from(self.entries).cast(),
            len: self.entries.len(),
        };
        Ok((entries, FileTable::new(names)))
    }
}

/// A checked table of entries. It may outlive the entries, so each use of them is unsafe.
///
/// # Invariants
///
/// As long as a directory that was made with the table has not been drained and released,
/// `entries` points to `len` entries that do not change. Their names are strings, their callbacks
/// are there, and callbacks and release functions accept the data that the directory was made with.
pub(super) struct ForeignEntries {
    /// The first entry.
    entries: NonNull<Entry>,
    /// The number of entries; not 0.
    len: usize,
}

// SAFETY: The entries do not change, and their functions may be called on any thread.
unsafe impl Send for ForeignEntries {}
// SAFETY: The entries do not change, and their functions may be called by several threads at once.
unsafe impl Sync for ForeignEntries {}

impl ForeignEntries {
    /// The entries.
    ///
    /// # Safety
    ///
    /// For `'a`, a directory that was made with the table has not been released.
    unsafe fn entries<'a>(&self) -> &'a [Entry] {
        // SAFETY: By the safety requirements there is such a directory for `'a`, so by the type
        // invariant there are `len` entries that do not change.
        unsafe { slice::from_raw_parts(self.entries.as_ptr(), self.len) }
    }

    /// Calls the callback of an entry; `None` if the file does not exist now. May sleep.
    ///
    /// Operations and data of the file are valid until the directory is drained.
    ///
    /// # Safety
    ///
    /// The caller has an active reference to a directory that was made with this table and `data`.
    pub(super) unsafe fn call(&self, index: usize, data: ForeignData) -> Option<ForeignFile> {
        // SAFETY: The directory of the caller is not drained during this call, so it has not been
        // released.
        let entry = unsafe { self.entries() }.get(index)?;
        let callback = entry.callback?;
        // The values that the callback finds.
        let mut mode: bindings::umode_t = 0o444;
        let mut data = data.as_ptr();
        let mut fops: *const bindings::file_operations = ptr::null();
        // SAFETY: The callback is valid, and accepts its name and the data of the directory, by the
        // type invariant. The other pointers are valid during the call.
        let exists =
            unsafe { callback(entry.name, &raw mut mode, &raw mut data, &raw mut fops) } > 0;
        if !exists {
            return None;
        }
        // SAFETY: The header requires of a callback that the operations it names are null or valid
        // until the directory is removed, and are for use with the data it names.
        unsafe { ForeignFile::from_raw(mode, data, fops) }.ok()
    }

    /// Calls the release functions of the entries: the module may free the data. May sleep.
    ///
    /// # Safety
    ///
    /// A directory that was made with this table and `data` is drained, its open files included.
    /// Each directory is released at most once.
    pub(super) unsafe fn release(&self, data: ForeignData) {
        // SAFETY: The directory is being released: this has not been done before, and is not over
        // before the last of the calls below has returned.
        for entry in unsafe { self.entries() } {
            if let Some(release) = entry.release {
                // SAFETY: The function is valid, and accepts its name and the data of the
                // directory, by the type invariant. It is called once for the directory, after the
                // last use of the data, by the safety requirements.
                unsafe { release(entry.name, data.as_ptr()) };
            }
        }
    }
}
