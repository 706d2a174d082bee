// SPDX-License-Identifier: GPL-2.0

//! Safe wrappers over the parts of the VFS that the kernel crate does not wrap yet.
//!
//! A file system is a type that implements [`FileSystem`]. A [`Registration`] registers it.
//!
//! The promises of the VFS are types, most of them with the lifetime of one call:
//!
//! - a [`SuperBlock`] in the state [`New`] is shown by no mount; an
//!   [`ActiveSuper`](super_block::ActiveSuper) delays the unmount;
//! - no path leads to a [`NewInode`]; an [`Inode`] is borrowed from something that keeps it;
//! - an [`UnhashedDentry`] has to be answered by a look-up, a [`Spliced`](dentry::Spliced) one was;
//! - [`PinnedDentries`] keep their super block, an [`ActiveDentry`] keeps the dentry only;
//! - a [`SetAttr`] exists while the inode is locked, a [`DirEmitter`] while a directory is read;
//! - no [`LowerDentry`](lower::LowerDentry) is ever renamed, and it keeps the data of its file.
//!
//! The C headers are named in each file. Marks such as (L12) are rules of
//! `Documentation/design.md`; marks such as (U24) are rows of `Documentation/upstream-defects.md`.

#![allow(unsafe_code)]

pub(crate) mod dentry;
pub(crate) mod dir;
pub(crate) mod file;
pub(crate) mod file_system;
pub(crate) mod foreign;
pub(crate) mod fs_context;
pub(crate) mod inode;
pub(crate) mod lower;
pub(crate) mod super_block;

/// Bindings that `kernel::bindings` lacks. `Kbuild` generates them.
#[cfg_attr(not(CONFIG_RUSTC_HAS_UNNECESSARY_TRANSMUTES), allow(unknown_lints))]
#[allow(
    clippy::all,
    clippy::cast_lossless,
    clippy::missing_docs_in_private_items,
    clippy::ptr_as_ptr,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unnecessary_transmutes,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    unused_imports
)]
pub(crate) mod bindings {
    use kernel::ffi;

    include!(env!("EVENTFS_BINDINGS"));
}

pub(crate) use self::{
    dentry::{
        ActiveDentry,
        Dentry,
        PinnedDentries,
        UnhashedDentry, //
    },
    dir::{
        DirEmitter,
        DirEntryType,
        DirOperations, //
    },
    file::{
        FileVTable,
        OpenFile, //
    },
    file_system::{
        FileSystem,
        RcuForeign,
        Registration, //
    },
    inode::{
        Inode,
        InodeInit,
        InodeKind,
        NewInode,
        SetAttr, //
    },
    super_block::{
        CollectedDentry,
        New,
        SharedView,
        SuperBlock, //
    },
};

use kernel::{
    error::code::*,
    prelude::*, //
};

/// The permission bits of a mode, with set-uid, set-gid and sticky (`S_IALLUGO`).
pub(crate) const PERMISSIONS: u16 = 0o7777;

/// Converts the result of a C function.
///
/// # Errors
///
/// The error that the pointer encodes. `ENOENT`: the pointer is null.
fn from_err_ptr<T>(pointer: *mut T) -> Result<core::ptr::NonNull<T>> {
    let pointer = kernel::error::from_err_ptr(pointer)?;
    core::ptr::NonNull::new(pointer).ok_or(ENOENT)
}

/// Checks that kernel lockdown allows the use of tracefs, and so of this file system (U24).
///
/// # Errors
///
/// `EPERM`: it does not.
pub(crate) fn check_lockdown() -> Result {
    // SAFETY: The function may be called with any reason of the enumeration.
    kernel::error::to_result(unsafe {
        kernel::bindings::security_locked_down(kernel::bindings::lockdown_reason_LOCKDOWN_TRACEFS)
    })
}
