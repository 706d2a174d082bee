// SPDX-License-Identifier: GPL-2.0

//! The exported functions, and the types in their signatures.

#![allow(unsafe_code)]

use kernel::{
    bindings,
    prelude::*, //
};

/// `struct eventfs_file`.
#[repr(C)]
pub(super) struct EventfsFile {
    /// Nobody looks into it.
    _opaque: [u8; 0],
}

/// `eventfs_callback` of `linux/tracefs.h`.
pub(super) type Callback = unsafe extern "C" fn(
    *const c_char,
    *mut bindings::umode_t,
    *mut *mut c_void,
    *mut *const bindings::file_operations,
) -> c_int;

/// `eventfs_release` of `linux/tracefs.h`.
pub(super) type Release = unsafe extern "C" fn(*const c_char, *mut c_void);

/// `struct eventfs_entry` of `linux/tracefs.h`, which `kernel::bindings` does not bind. A
/// client has no bindings of its own; the layout is a part of what the module promises to its
/// clients, and `vfs/foreign.rs` does not compile if C's is another one.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// The name of the file.
    pub(super) name: *const c_char,
    /// Says what the file is.
    pub(super) callback: Option<Callback>,
    /// Takes the data back.
    pub(super) release: Option<Release>,
}

// What is in a `struct module` is nobody's business here.
#[allow(improper_ctypes)]
extern "C" {
    /// As `eventfs_create_dir()`, with a counted reference: the pointer stays good memory until
    /// it is withdrawn, also when the directory is removed with one that it is in.
    pub(super) fn eventfs_create_dir_get(
        name: *const c_char,
        parent: *mut EventfsFile,
        entries: *const Entry,
        size: c_int,
        data: *mut c_void,
        owner: *mut bindings::module,
    ) -> *mut EventfsFile;

    /// Removes what `eventfs_create_dir_get()` has made if it is still there, and gives the
    /// reference back.
    pub(super) fn eventfs_remove_dir_put(dir: *mut EventfsFile);
}
