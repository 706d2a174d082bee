// SPDX-License-Identifier: GPL-2.0

//! The functions that other modules call.
//!
//! All may sleep. A pointer to a `struct eventfs_file` is one to a node. The tree owns the
//! reference that keeps the node, except for `eventfs_create_dir_get()`: it returns a counted
//! reference.
//!
//! C header: `include/rust_eventfs.h`, which has the contract in full.

#![allow(unsafe_code)]

use super::{
    args::{
        add_dir,
        add_dir_with,
        add_file,
        addition,
        removal,
        remove,
        EventfsFile,
        Null, //
    },
    publication::published,
    request::Request, //
};
use crate::{
    event_inode::MetaRef,
    vfs::bindings as more_bindings, //
};
use kernel::{
    bindings,
    error::from_result,
    prelude::*, //
};

/// Defines functions for other modules, and exports them as `EXPORT_SYMBOL_GPL()` does: modpost
/// reads the section `.export_symbol`.
macro_rules! export_symbol_gpl {
    ($($(#[$doc:meta])*
        unsafe fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block)*) => {
        $(
            $(#[$doc])*
            #[no_mangle]
            unsafe extern "C" fn $name($($arg: $type),*) $(-> $result)? $body

            core::arch::global_asm!(
                ".pushsection .export_symbol, \"a\"",
                concat!("__export_symbol_", stringify!($name), ":"),
                ".asciz \"GPL\"",
                ".asciz \"\"",
                ".balign 8",
                concat!(".quad ", stringify!($name)),
                ".popsection",
            );
        )*
    };
}

export_symbol_gpl! {
    /// Makes the top directory of a tree: an events directory. `parent` is a directory of a module,
    /// `EVENTFS_EVENTS`, or null for the root of the mounts.
    ///
    /// C: `eventfs_create_events_dir()`. May sleep.
    ///
    /// # Errors
    ///
    /// An error pointer: see [`Request::events_dir`].
    ///
    /// # Safety
    ///
    /// `name` is null or a string. `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node
    /// that is not removed during the call. `owner` is the calling module.
    unsafe fn eventfs_create_events_dir(
        name: *const c_char,
        parent: *mut EventfsFile,
        owner: *mut bindings::module,
    ) -> *mut EventfsFile {
        // SAFETY: Name, parent and owner are as required during this call. Nothing else is given.
        let request = unsafe { addition(name, parent, Null::Root, owner) };
        add_dir(request, Request::events_dir)
    }

    /// Makes a directory for a subsystem. `parent` is an events directory, or null or
    /// `EVENTFS_EVENTS` for the running kernel's events.
    ///
    /// C: `eventfs_add_subsystem_dir()`. May sleep.
    ///
    /// # Errors
    ///
    /// An error pointer: see [`Request::subsystem_dir`].
    ///
    /// # Safety
    ///
    /// `name` is null or a string. `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node
    /// that is not removed during the call. `owner` is the calling module.
    unsafe fn eventfs_add_subsystem_dir(
        name: *const c_char,
        parent: *mut EventfsFile,
        owner: *mut bindings::module,
    ) -> *mut EventfsFile {
        // SAFETY: Name, parent and owner are as required during this call. Nothing else is given.
        let request = unsafe { addition(name, parent, Null::Events, owner) };
        add_dir(request, Request::subsystem_dir)
    }

    /// Makes a directory without files. `parent` is a directory of a module.
    ///
    /// C: `eventfs_add_dir()`. May sleep.
    ///
    /// # Errors
    ///
    /// An error pointer: see [`Request::dir`].
    ///
    /// # Safety
    ///
    /// `name` is null or a string. `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node
    /// that is not removed during the call. `owner` is the calling module.
    unsafe fn eventfs_add_dir(
        name: *const c_char,
        parent: *mut EventfsFile,
        owner: *mut bindings::module,
    ) -> *mut EventfsFile {
        // SAFETY: Name, parent and owner are as required during this call. Nothing else is given.
        let request = unsafe { addition(name, parent, Null::Refused, owner) };
        add_dir(request, Request::dir)
    }

    /// Adds a file to an events directory.
    ///
    /// C: `eventfs_add_events_file()`. May sleep.
    ///
    /// # Errors
    ///
    /// See [`Request::events_file`] and `ForeignFile::from_raw()`.
    ///
    /// # Safety
    ///
    /// `name` is null or a string. `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node
    /// that is not removed during the call. `fops` is null, or points to operations that stay valid
    /// until the file is removed, and that accept `data` as `i_private`. `owner` is the calling
    /// module.
    unsafe fn eventfs_add_events_file(
        name: *const c_char,
        mode: bindings::umode_t,
        parent: *mut EventfsFile,
        data: *mut c_void,
        fops: *const bindings::file_operations,
        owner: *mut bindings::module,
    ) -> c_int {
        // SAFETY: All arguments are as required of the caller of this function.
        unsafe { add_file(name, mode, parent, data, fops, owner, Request::events_file) }
    }

    /// Adds a file to a directory of a module.
    ///
    /// C: `eventfs_add_file()`. May sleep.
    ///
    /// # Errors
    ///
    /// See [`Request::file`] and `ForeignFile::from_raw()`.
    ///
    /// # Safety
    ///
    /// `name` is null or a string. `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node
    /// that is not removed during the call. `fops` is null, or points to operations that stay valid
    /// until the file is removed, and that accept `data` as `i_private`. `owner` is the calling
    /// module.
    unsafe fn eventfs_add_file(
        name: *const c_char,
        mode: bindings::umode_t,
        parent: *mut EventfsFile,
        data: *mut c_void,
        fops: *const bindings::file_operations,
        owner: *mut bindings::module,
    ) -> c_int {
        // SAFETY: All arguments are as required of the caller of this function.
        unsafe { add_file(name, mode, parent, data, fops, owner, Request::file) }
    }

    /// Makes a directory with the files of a table. `parent` is a directory of a module,
    /// `EVENTFS_EVENTS`, or null for the root of the mounts.
    ///
    /// C: `eventfs_create_dir()`. May sleep.
    ///
    /// # Errors
    ///
    /// An error pointer: see [`Request::dir_with`] and `UncheckedEntries::from_raw()`.
    ///
    /// # Safety
    ///
    /// `name` is null or a string. `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node
    /// that is not removed during the call. If `size` is positive, `entries` is null or points to
    /// `size` entries, whose names are null or strings. They stay as they are until the function
    /// that removes the directory has returned. Their functions accept `data`. `owner` is the
    /// calling module.
    unsafe fn eventfs_create_dir(
        name: *const c_char,
        parent: *mut EventfsFile,
        entries: *const more_bindings::eventfs_entry,
        size: c_int,
        data: *mut c_void,
        owner: *mut bindings::module,
    ) -> *mut EventfsFile {
        // SAFETY: All arguments are as required of the caller of this function.
        unsafe { add_dir_with(name, parent, entries, size, data, owner, Request::dir_with) }
    }

    /// Makes a directory as [`eventfs_create_dir`] does, and returns a counted reference: the node
    /// stays allocated until [`eventfs_remove_dir_put`], also if it is removed before.
    ///
    /// For the Rust twin of the header. May sleep.
    ///
    /// # Errors
    ///
    /// An error pointer: see [`Request::dir_with_handle`] and `UncheckedEntries::from_raw()`.
    ///
    /// # Safety
    ///
    /// `name` is null or a string. `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node
    /// that stays allocated during the call. If `size` is positive, `entries` is null or points to
    /// `size` entries, whose names are null or strings. They stay as they are until the function
    /// that removes the directory has returned. Their functions accept `data`. `owner` is the
    /// calling module.
    unsafe fn eventfs_create_dir_get(
        name: *const c_char,
        parent: *mut EventfsFile,
        entries: *const more_bindings::eventfs_entry,
        size: c_int,
        data: *mut c_void,
        owner: *mut bindings::module,
    ) -> *mut EventfsFile {
        // SAFETY: All arguments are as required of the caller of this function.
        unsafe { add_dir_with(name, parent, entries, size, data, owner, Request::dir_with_handle) }
    }

    /// Removes a directory of [`eventfs_create_dir_get`] with all below it, unless that was done
    /// before, and drops the reference. Null is ignored.
    ///
    /// For the Rust twin of the header. May sleep.
    ///
    /// # Safety
    ///
    /// `dir` is null, or a pointer from [`eventfs_create_dir_get`] that is not an error pointer.
    /// The caller does not use the pointer afterwards.
    unsafe fn eventfs_remove_dir_put(dir: *mut EventfsFile) {
        // SAFETY: The pointer is null, or a node to which there is a counted reference until
        // `put_handle()` below.
        let Some(node) = (unsafe { dir.as_ref() }) else {
            return;
        };
        let node = MetaRef::from(node);
        if let Ok(published) = published() {
            published.tree().remove(&node);
            // SAFETY: The caller does not use the pointer afterwards.
            unsafe { published.clients().put_handle(&node) };
        }
    }

    /// Removes a directory or a file with all below it. Null and error pointers are ignored.
    ///
    /// C: `eventfs_remove()`. May sleep. Waits for calls of the module's operations, callbacks and
    /// release functions.
    ///
    /// # Safety
    ///
    /// `file` is null, an error pointer, `EVENTFS_EVENTS`, or a node that was not removed yet.
    unsafe fn eventfs_remove(file: *mut EventfsFile) {
        // SAFETY: The argument is as required of the caller of this function.
        unsafe { remove(file) };
    }

    /// Removes an events directory with all below it, as [`eventfs_remove`] does.
    ///
    /// C: `eventfs_remove_events_dir()`. May sleep.
    ///
    /// # Safety
    ///
    /// `dir` is null, an error pointer, `EVENTFS_EVENTS`, or a node that was not removed yet.
    unsafe fn eventfs_remove_events_dir(dir: *mut EventfsFile) {
        // SAFETY: The argument is as required of the caller of this function.
        unsafe { remove(dir) };
    }

    /// Removes a directory that has a table, with all below it, as [`eventfs_remove`] does.
    ///
    /// C: `eventfs_remove_dir()`. May sleep.
    ///
    /// # Safety
    ///
    /// `dir` is null, an error pointer, `EVENTFS_EVENTS`, or a node that was not removed yet.
    unsafe fn eventfs_remove_dir(dir: *mut EventfsFile) {
        // SAFETY: The argument is as required of the caller of this function.
        unsafe { remove(dir) };
    }

    /// Removes a node of the calling module by its name, with all below it. `parent` is a directory
    /// of a module, `EVENTFS_EVENTS`, or null for the root of the mounts. Works also while the
    /// module is going.
    ///
    /// C: `eventfs_lookup_and_remove()`. May sleep.
    ///
    /// # Errors
    ///
    /// See [`Request::remove`].
    ///
    /// # Safety
    ///
    /// `name` is null or a string. `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node
    /// that is not removed during the call. `owner` is the calling module.
    unsafe fn eventfs_lookup_and_remove(
        name: *const c_char,
        parent: *mut EventfsFile,
        owner: *mut bindings::module,
    ) -> c_int {
        from_result(|| {
            // SAFETY: Name, parent and owner are as required during this call. Nothing else is
            // given.
            let request = unsafe { removal(name, parent, Null::Root, owner) }?;
            request.remove(&*published()?).map(|()| 0)
        })
    }
}
