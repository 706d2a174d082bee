// SPDX-License-Identifier: GPL-2.0

//! The functions that other modules call. `include/rust_eventfs.h` documents them.
//!
//! All may sleep. A pointer to a `struct eventfs_file` is one to a node; the reference that keeps
//! it is the tree's, unless said otherwise.

#![allow(unsafe_code)]

use super::{
    entries::GivenEntries,
    owner::Owner,
    Clients,
    Parent,
    PublishedTree,
    Request, //
};
use crate::{
    event_inode::{
        EventTree,
        Meta,
        MetaRef, //
    },
    nodes::Node,
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
use core::ptr;
use kernel::{
    bindings,
    error::from_result,
    prelude::*,
    sync::{
        global_lock,
        Arc, //
    },
};

global_lock! {
    // SAFETY: `Published::new()` initialises it, before the module can be called by others and
    // before it watches for modules that go.
    /// The tree that other modules publish in: their calls do not say which.
    unsafe(uninit) static TREE: Mutex<Option<Arc<PublishedTree>>> = None;
}

/// The tree that other modules publish in.
///
/// # Errors
///
/// `ENODEV`: there is none (any more).
pub(super) fn published() -> Result<Arc<PublishedTree>> {
    TREE.lock().clone().ok_or(ENODEV)
}

/// Makes a tree the one that other modules publish in, until it is dropped.
pub(crate) struct Published(());

impl Published {
    /// Publishes a tree. To be called once, by the module's init function.
    pub(crate) fn new(tree: Arc<EventTree>, clients: Arc<Clients>) -> Result<Self> {
        let site = Arc::new(PublishedTree { tree, clients }, GFP_KERNEL)?;
        // SAFETY: This is the only call, as the caller says.
        unsafe { TREE.init() };
        *TREE.lock() = Some(site);
        Ok(Self(()))
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        // What it was is put after the lock.
        let tree = TREE.lock().take();
        drop(tree);
    }
}

/// Exports a function as `EXPORT_SYMBOL_GPL()` does: modpost reads this section.
macro_rules! export_symbol_gpl {
    ($($name:ident),* $(,)?) => {
        $(
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

export_symbol_gpl!(
    eventfs_add_dir,
    eventfs_add_events_file,
    eventfs_add_file,
    eventfs_add_subsystem_dir,
    eventfs_create_dir,
    eventfs_create_dir_get,
    eventfs_create_events_dir,
    eventfs_lookup_and_remove,
    eventfs_remove,
    eventfs_remove_dir,
    eventfs_remove_dir_put,
    eventfs_remove_events_dir,
);

/// A `struct eventfs_file`.
type EventfsFile = Node<Meta>;

/// `EVENTFS_EVENTS`.
const EVENTS: usize = 1;

/// What null stands for as a parent.
enum Null {
    /// Nothing: `EINVAL`.
    Nothing,
    /// The root of the mounts.
    Root,
    /// The directory of the running kernel's events.
    Events,
}

/// The directory that C code means.
///
/// # Errors
///
/// `EINVAL`: null where there must be something. What an error pointer says.
///
/// # Safety
///
/// Null, an error pointer, `EVENTFS_EVENTS`, or a node that stays for `'a`.
unsafe fn parent_from_raw<'a>(parent: *mut EventfsFile, null: Null) -> Result<Parent<'a>> {
    let parent = kernel::error::from_err_ptr(parent)?;
    if parent.addr() == EVENTS {
        return Ok(Parent::Events);
    }
    // SAFETY: By the safety requirements.
    match (unsafe { parent.as_ref() }, null) {
        (Some(node), _) => Ok(Parent::Node(node)),
        (None, Null::Root) => Ok(Parent::Root),
        (None, Null::Events) => Ok(Parent::Events),
        (None, Null::Nothing) => Err(EINVAL),
    }
}

/// The first arguments of all functions.
///
/// # Errors
///
/// `EINVAL`: null, see the parts. `ENODEV`: the owner goes.
///
/// # Safety
///
/// As the header says; `owner` is the caller.
unsafe fn request<'a>(
    name: *const c_char,
    parent: *mut EventfsFile,
    null: Null,
    owner: *mut bindings::module,
) -> Result<Request<'a>> {
    let owner = Owner::from_raw(owner)?;
    // SAFETY: By the safety requirements.
    unsafe {
        owner.check_stays()?;
        Ok(Request {
            owner,
            parent: parent_from_raw(parent, null)?,
            name: name_from_raw(name)?.to_bytes(),
        })
    }
}

/// What C code gets for a directory that the tree keeps.
fn kept_by_tree(made: Result<MetaRef>) -> *mut EventfsFile {
    match made {
        // The tree has a reference of its own as long as the node is not removed.
        Ok(node) => ptr::from_ref::<EventfsFile>(&node).cast_mut(),
        Err(error) => error.to_ptr(),
    }
}

/// What a file of C code is.
///
/// # Safety
///
/// As the header says.
unsafe fn file_from_raw(
    mode: bindings::umode_t,
    data: *mut c_void,
    operations: *const bindings::file_operations,
) -> Result<ForeignFile> {
    Ok(ForeignFile {
        permissions: permissions_of(mode)?,
        // SAFETY: By the safety requirements.
        operations: unsafe { ForeignOperations::from_raw(operations) }?,
        data: ForeignData::from_raw(data),
    })
}

/// Removes what C code means: nothing, if it is null or an error pointer.
///
/// # Safety
///
/// Else it is a node that was not removed yet.
unsafe fn remove(file: *mut EventfsFile) {
    let Ok(file) = kernel::error::from_err_ptr(file) else {
        return;
    };
    if file.addr() == EVENTS {
        return;
    }
    // SAFETY: By the safety requirements.
    let Some(node) = (unsafe { file.as_ref() }) else {
        return;
    };
    // The reference of the tree goes.
    let node = MetaRef::from(node);
    if let Ok(site) = published() {
        site.tree.remove(&node);
    }
}

/// Makes the top directory of a tree.
///
/// # Safety
///
/// As the header says.
#[no_mangle]
unsafe extern "C" fn eventfs_create_events_dir(
    name: *const c_char,
    parent: *mut EventfsFile,
    owner: *mut bindings::module,
) -> *mut EventfsFile {
    // SAFETY: As for this function.
    let request = unsafe { request(name, parent, Null::Root, owner) };
    kept_by_tree(request.and_then(|request| request.events_dir(&*published()?)))
}

/// Makes a directory for a subsystem.
///
/// # Safety
///
/// As the header says.
#[no_mangle]
unsafe extern "C" fn eventfs_add_subsystem_dir(
    name: *const c_char,
    parent: *mut EventfsFile,
    owner: *mut bindings::module,
) -> *mut EventfsFile {
    // SAFETY: As for this function.
    let request = unsafe { request(name, parent, Null::Events, owner) };
    kept_by_tree(request.and_then(|request| request.subsystem_dir(&*published()?)))
}

/// Makes a directory without files.
///
/// # Safety
///
/// As the header says.
#[no_mangle]
unsafe extern "C" fn eventfs_add_dir(
    name: *const c_char,
    parent: *mut EventfsFile,
    owner: *mut bindings::module,
) -> *mut EventfsFile {
    // SAFETY: As for this function.
    let request = unsafe { request(name, parent, Null::Nothing, owner) };
    kept_by_tree(request.and_then(|request| match request.parent {
        Parent::Node(_) => request.dir(&*published()?),
        _ => Err(EINVAL),
    }))
}

/// Adds a file to an events directory.
///
/// # Safety
///
/// As the header says.
#[no_mangle]
unsafe extern "C" fn eventfs_add_events_file(
    name: *const c_char,
    mode: bindings::umode_t,
    parent: *mut EventfsFile,
    data: *mut c_void,
    operations: *const bindings::file_operations,
    owner: *mut bindings::module,
) -> c_int {
    from_result(|| {
        // SAFETY: As for this function.
        let request = unsafe { request(name, parent, Null::Nothing, owner) }?;
        // SAFETY: As for this function.
        let file = unsafe { file_from_raw(mode, data, operations) }?;
        request.events_file(&*published()?, file).map(|_| 0)
    })
}

/// Adds a file to a directory.
///
/// # Safety
///
/// As the header says.
#[no_mangle]
unsafe extern "C" fn eventfs_add_file(
    name: *const c_char,
    mode: bindings::umode_t,
    parent: *mut EventfsFile,
    data: *mut c_void,
    operations: *const bindings::file_operations,
    owner: *mut bindings::module,
) -> c_int {
    from_result(|| {
        // SAFETY: As for this function.
        let request = unsafe { request(name, parent, Null::Nothing, owner) }?;
        // SAFETY: As for this function.
        let file = unsafe { file_from_raw(mode, data, operations) }?;
        request.file(&*published()?, file).map(|_| 0)
    })
}

/// Makes a directory with the files of a table.
///
/// # Safety
///
/// As the header says.
#[no_mangle]
unsafe extern "C" fn eventfs_create_dir(
    name: *const c_char,
    parent: *mut EventfsFile,
    entries: *const more_bindings::eventfs_entry,
    size: c_int,
    data: *mut c_void,
    owner: *mut bindings::module,
) -> *mut EventfsFile {
    // SAFETY: As for this function.
    let request = unsafe { request(name, parent, Null::Root, owner) };
    kept_by_tree(request.and_then(|request| {
        // SAFETY: As for this function.
        let entries = unsafe { GivenEntries::from_raw(entries, size) }?;
        request.dir_with(&*published()?, entries, ForeignData::from_raw(data))
    }))
}

/// As [`eventfs_create_dir`]; but what it returns owns a reference, and stays valid until
/// [`eventfs_remove_dir_put`], whatever is removed meanwhile. For the Rust twin of the header.
///
/// # Safety
///
/// As the header says for `eventfs_create_dir`.
#[no_mangle]
unsafe extern "C" fn eventfs_create_dir_get(
    name: *const c_char,
    parent: *mut EventfsFile,
    entries: *const more_bindings::eventfs_entry,
    size: c_int,
    data: *mut c_void,
    owner: *mut bindings::module,
) -> *mut EventfsFile {
    // SAFETY: As for this function.
    let request = unsafe { request(name, parent, Null::Root, owner) };
    // Kept until it is withdrawn.
    kept_by_tree(request.and_then(|request| {
        // SAFETY: As for this function.
        let entries = unsafe { GivenEntries::from_raw(entries, size) }?;
        request.counted_dir_with(&*published()?, entries, ForeignData::from_raw(data))
    }))
}

/// Removes a directory of [`eventfs_create_dir_get`] with all that is in it, unless that was done
/// before, and gives the reference back.
///
/// # Safety
///
/// `dir` is what that function has returned, and not used any more.
#[no_mangle]
unsafe extern "C" fn eventfs_remove_dir_put(dir: *mut EventfsFile) {
    // SAFETY: By the safety requirements: it is kept until it is withdrawn here.
    let Some(node) = (unsafe { dir.as_ref() }) else {
        return;
    };
    let node = MetaRef::from(node);
    if let Ok(site) = published() {
        site.tree.remove(&node);
        site.clients.withdraw(&node);
    }
}

/// Removes a directory or a file with all that is in it.
///
/// # Safety
///
/// As the header says.
#[no_mangle]
unsafe extern "C" fn eventfs_remove(file: *mut EventfsFile) {
    // SAFETY: As for this function.
    unsafe { remove(file) };
}

/// Removes an events directory with all that is in it.
///
/// # Safety
///
/// As the header says.
#[no_mangle]
unsafe extern "C" fn eventfs_remove_events_dir(dir: *mut EventfsFile) {
    // SAFETY: As for this function.
    unsafe { remove(dir) };
}

/// Removes a directory that has a table, with all that is in it.
///
/// # Safety
///
/// As the header says.
#[no_mangle]
unsafe extern "C" fn eventfs_remove_dir(dir: *mut EventfsFile) {
    // SAFETY: As for this function.
    unsafe { remove(dir) };
}

/// Removes a file or a directory by its name.
///
/// # Safety
///
/// As the header says.
#[no_mangle]
unsafe extern "C" fn eventfs_lookup_and_remove(
    name: *const c_char,
    parent: *mut EventfsFile,
    owner: *mut bindings::module,
) -> c_int {
    from_result(|| {
        let owner = Owner::from_raw(owner)?;
        // SAFETY: As for this function.
        let request = unsafe {
            Request {
                owner,
                parent: parent_from_raw(parent, Null::Root)?,
                name: name_from_raw(name)?.to_bytes(),
            }
        };
        request.remove(&*published()?).map(|()| 0)
    })
}
