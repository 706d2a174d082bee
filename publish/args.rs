// SPDX-License-Identifier: GPL-2.0

//! Arguments of the exported functions: from pointers of C code to requests, and back to results.

#![allow(unsafe_code)]

use super::{
    entries::UncheckedEntries,
    owner::ModuleId,
    publication::{
        published,
        PublishedTree, //
    },
    request::{
        Parent,
        Request, //
    },
};
use crate::{
    event_inode::{
        Meta,
        MetaRef, //
    },
    nodes::Node,
    vfs::{
        bindings as more_bindings,
        foreign::{
            name_from_raw,
            ForeignFile, //
        },
    },
};
use core::ptr;
use kernel::{
    bindings,
    error::{
        from_err_ptr,
        from_result, //
    },
    prelude::*,
};

/// A `struct eventfs_file`.
pub(super) type EventfsFile = Node<Meta>;

/// `EVENTFS_EVENTS`.
const EVENTS: usize = 1;

/// The meaning of a null pointer as a parent.
pub(super) enum Null {
    /// No directory: `EINVAL`.
    Refused,
    /// The root of the mounts.
    Root,
    /// The directory of the running kernel's events.
    Events,
}

/// Returns the parent that C code has named.
///
/// # Errors
///
/// `EINVAL`: the pointer is null, and null is refused. An error pointer gives its error.
///
/// # Safety
///
/// `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node that stays allocated for `'a`.
unsafe fn parent_from_raw<'a>(parent: *mut EventfsFile, null: Null) -> Result<Parent<'a>> {
    let parent = from_err_ptr(parent)?;
    if parent.addr() == EVENTS {
        return Ok(Parent::Events);
    }
    // SAFETY: The pointer is neither an error pointer nor `EVENTFS_EVENTS`, so by the safety
    // requirements it is null or a node that stays allocated for `'a`.
    match (unsafe { parent.as_ref() }, null) {
        (Some(node), _) => Ok(Parent::Node(node)),
        (None, Null::Root) => Ok(Parent::Root),
        (None, Null::Events) => Ok(Parent::Events),
        (None, Null::Refused) => Err(EINVAL),
    }
}

/// Makes a request from the arguments that all functions share. The owner may be in
/// `MODULE_STATE_GOING`.
///
/// # Errors
///
/// `EINVAL`: the owner or the name is null. Errors of [`parent_from_raw`].
///
/// # Safety
///
/// - `name` is null or a string that does not change for `'a`.
/// - `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node that stays allocated for `'a`.
/// - `owner` is the calling module. It keeps operations, tables and data of the request valid until
///   the node that is made with them is removed, or until it is freed itself.
pub(super) unsafe fn removal<'a>(
    name: *const c_char,
    parent: *mut EventfsFile,
    null: Null,
    owner: *mut bindings::module,
) -> Result<Request<'a>> {
    let owner = ModuleId::from_raw(owner)?;
    // SAFETY: Parent, name and owner are as the three functions require, by the safety requirements
    // of this one.
    unsafe {
        let parent = parent_from_raw(parent, null)?;
        let name = name_from_raw(name)?.to_bytes();
        Ok(Request::new(owner, parent, name))
    }
}

/// Makes a request to add a node.
///
/// # Errors
///
/// `ENODEV`: the owner is going. Errors of [`removal`].
///
/// # Safety
///
/// - `name` is null or a string that does not change for `'a`.
/// - `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node that stays allocated for `'a`.
/// - `owner` is the calling module. It keeps operations, tables and data of the request valid until
///   the node that is made with them is removed, or until it is freed itself.
pub(super) unsafe fn addition<'a>(
    name: *const c_char,
    parent: *mut EventfsFile,
    null: Null,
    owner: *mut bindings::module,
) -> Result<Request<'a>> {
    // SAFETY: The owner calls this function, so that it is in memory.
    unsafe { ModuleId::from_raw(owner)?.check_not_going() }?;
    // SAFETY: The requirements are those of this function.
    unsafe { removal(name, parent, null, owner) }
}

/// Adds a node and returns it to C code, or an error pointer.
pub(super) fn add_dir<'a>(
    request: Result<Request<'a>>,
    add: impl FnOnce(&Request<'a>, &PublishedTree) -> Result<MetaRef>,
) -> *mut EventfsFile {
    match request.and_then(|request| add(&request, &*published()?)) {
        // The node stays allocated without this reference: the tree has one until the node is
        // removed, the registry of handles another one until it is put.
        Ok(node) => ptr::from_ref::<EventfsFile>(&node).cast_mut(),
        Err(error) => error.to_ptr(),
    }
}

/// Adds a file, and returns 0 or an error.
///
/// # Safety
///
/// - `name` is null or a string.
/// - `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node that is not removed during the
///   call.
/// - `fops` is null, or points to operations that stay valid until the file is removed, and that
///   accept `data` as `i_private`.
/// - `owner` is the calling module.
pub(super) unsafe fn add_file<'a>(
    name: *const c_char,
    mode: bindings::umode_t,
    parent: *mut EventfsFile,
    data: *mut c_void,
    fops: *const bindings::file_operations,
    owner: *mut bindings::module,
    add: fn(&Request<'a>, &PublishedTree, ForeignFile) -> Result<MetaRef>,
) -> c_int {
    from_result(|| {
        // SAFETY: Name, parent and owner are as required for the time of this call, by the safety
        // requirements of this function. The owner keeps operations and data.
        let request: Request<'a> = unsafe { addition(name, parent, Null::Refused, owner) }?;
        // SAFETY: The operations are null, or valid and for use with the data, by the safety
        // requirements of this function.
        let file = unsafe { ForeignFile::from_raw(mode, data, fops) }?;
        add(&request, &*published()?, file).map(|_| 0)
    })
}

/// Adds a directory with the files of a table, and returns it to C code, or an error pointer.
///
/// # Safety
///
/// - `name` is null or a string.
/// - `parent` is null, an error pointer, `EVENTFS_EVENTS`, or a node that is not removed during the
///   call.
/// - If `size` is positive, `entries` is null or points to `size` entries, whose names are null or
///   strings. They stay as they are until the function that removes the directory has returned.
///   Their functions accept `data`.
/// - `owner` is the calling module.
pub(super) unsafe fn add_dir_with<'a>(
    name: *const c_char,
    parent: *mut EventfsFile,
    entries: *const more_bindings::eventfs_entry,
    size: c_int,
    data: *mut c_void,
    owner: *mut bindings::module,
    add: fn(&Request<'a>, &PublishedTree, Option<UncheckedEntries<'_>>) -> Result<MetaRef>,
) -> *mut EventfsFile {
    // SAFETY: Name, parent and owner are as required for the time of this call, by the safety
    // requirements of this function. The owner keeps the table and the data.
    let request = unsafe { addition(name, parent, Null::Root, owner) };
    add_dir(request, |request, published| {
        // SAFETY: Table, size and data are as required, by the safety requirements of this
        // function.
        let entries = unsafe { UncheckedEntries::from_raw(entries, size, data) }?;
        add(request, published, entries)
    })
}

/// Removes a node with all below it. Null, error pointers and `EVENTFS_EVENTS` are ignored.
///
/// # Safety
///
/// `file` is null, an error pointer, `EVENTFS_EVENTS`, or a node that was not removed yet.
pub(super) unsafe fn remove(file: *mut EventfsFile) {
    // SAFETY: A node that was not removed yet stays allocated until it is removed below.
    let Ok(Parent::Node(node)) = (unsafe { parent_from_raw(file, Null::Refused) }) else {
        return;
    };
    // The tree puts its reference.
    let node = MetaRef::from(node);
    if let Ok(published) = published() {
        published.tree().remove(&node);
    }
}
