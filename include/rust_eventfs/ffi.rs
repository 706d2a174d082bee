// SPDX-License-Identifier: GPL-2.0

//! The functions that rust_eventfs exports for the Rust twin of its header, and their types.
//!
//! A client has no bindings of its own, so these declarations are written by hand. They are part of
//! the ABI of rust_eventfs, whose build fails if the layout of [`Entry`] is not the one in C.

#![allow(unsafe_code)]

use kernel::{
    bindings,
    prelude::*, //
};

/// `struct eventfs_file`. Opaque.
#[repr(C)]
pub(super) struct EventfsFile {
    /// Makes the type one of size 0 that only rust_eventfs can create.
    _opaque: [u8; 0],
}

/// The address that stands for `events` as a parent: `EVENTFS_EVENTS` of `rust_eventfs.h`.
pub(super) const EVENTS: usize = 1;

/// `eventfs_callback` of `linux/tracefs.h`.
pub(super) type Callback = unsafe extern "C" fn(
    name: *const c_char,
    mode: *mut bindings::umode_t,
    data: *mut *mut c_void,
    fops: *mut *const bindings::file_operations,
) -> c_int;

/// `eventfs_release` of `linux/tracefs.h`.
pub(super) type Release = unsafe extern "C" fn(name: *const c_char, data: *mut c_void);

/// `struct eventfs_entry` of `linux/tracefs.h`, which `kernel::bindings` does not have.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// The name of the file.
    pub(super) name: *const c_char,
    /// Called at each look-up of the name: reports the file's mode, data and operations.
    pub(super) callback: Option<Callback>,
    /// Called once, after the directory was removed, with the data of the directory.
    pub(super) release: Option<Release>,
}

// `struct module` has no layout that C guarantees, but only its address is passed.
#[allow(improper_ctypes)]
extern "C" {
    /// `eventfs_create_dir()` that also takes a reference: the returned pointer stays valid until
    /// [`eventfs_remove_dir_put`], even if the directory is removed before, together with a parent.
    ///
    /// Returns an error pointer if it fails. Then it has not kept `data`, and no release function
    /// is called.
    ///
    /// # Safety
    ///
    /// - `name` must be a C string for the duration of the call.
    /// - `parent` must be null, [`EVENTS`], or a pointer returned by this function that is not
    ///   passed to [`eventfs_remove_dir_put`] before the call has returned.
    /// - `entries` must point to `size` entries with callbacks. Neither they, nor their names and
    ///   functions, may change or go away until the directory is removed and its release functions
    ///   have returned.
    /// - The callbacks and release functions must accept `data`. The operations and the data that
    ///   a callback reports must stay valid until the release functions are called.
    /// - `owner` must be the calling module, and the functions above must be its own or built in.
    pub(super) fn eventfs_create_dir_get(
        name: *const c_char,
        parent: *mut EventfsFile,
        entries: *const Entry,
        size: c_int,
        data: *mut c_void,
        owner: *mut bindings::module,
    ) -> *mut EventfsFile;

    /// Removes a directory of [`eventfs_create_dir_get`], unless that has happened already, and
    /// puts the reference.
    ///
    /// # Safety
    ///
    /// `dir` must come from [`eventfs_create_dir_get`], and must not be used afterwards.
    pub(super) fn eventfs_remove_dir_put(dir: *mut EventfsFile);
}
