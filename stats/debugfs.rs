// SPDX-License-Identifier: GPL-2.0

//! A file of debugfs that keeps the module loaded as long as it is open.
//!
//! The files of [`kernel::debugfs`] have operations without an owner. An open one does not keep the
//! module: its last close after the module is gone calls a `release` in freed memory.
//!
//! C header: [`include/linux/debugfs.h`](srctree/include/linux/debugfs.h).

// Without debugfs there is nothing to call.
#![cfg_attr(
    not(CONFIG_DEBUG_FS),
    allow(dead_code, unused_imports, unused_variables)
)]
#![allow(unsafe_code)]

use core::ptr;
use kernel::{
    bindings,
    debugfs::Writer,
    fmt,
    module::this_module,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    sync::Arc, //
};

/// A directory of debugfs with one file, which shows `T`. The drop removes both, and waits for
/// running reads. May sleep.
///
/// If debugfs is missing or fails, there is no file. As in C, that is no error.
///
/// # Invariants
///
/// `dir` is a directory of debugfs that only the drop removes, or an error pointer. Files with
/// [`Self::FOPS`] are only in such a directory. Their `i_private` points to the `T` that `_data`
/// keeps.
pub(crate) struct DebugFile<T: Writer + Send + Sync + 'static> {
    /// The directory.
    dir: *mut bindings::dentry,
    /// The data that the file shows. A reference to it is kept until the file is removed.
    _data: Arc<T>,
}

// SAFETY: debugfs may be called on any thread. `T` may be used and dropped on any thread.
unsafe impl<T: Writer + Send + Sync> Send for DebugFile<T> {}
// SAFETY: No function takes a shared reference to a `DebugFile`.
unsafe impl<T: Writer + Send + Sync> Sync for DebugFile<T> {}

impl<T: Writer + Send + Sync> DebugFile<T> {
    /// The operations of the file.
    const FOPS: &'static bindings::file_operations = &bindings::file_operations {
        owner: this_module::<crate::LocalModule>().as_ptr(),
        open: Some(Self::open),
        read: Some(bindings::seq_read),
        llseek: Some(bindings::seq_lseek),
        release: Some(bindings::single_release),
        ..pin_init::zeroed()
    };

    /// Makes the file `name` in the directory `dir`, readable by root. May sleep.
    pub(crate) fn new(dir: &CStr, name: &CStr, data: Arc<T>) -> Self {
        #[cfg(not(CONFIG_DEBUG_FS))]
        let dir = ENODEV.to_ptr();
        // SAFETY: The name is a string during the call. A null pointer is the root of debugfs.
        #[cfg(CONFIG_DEBUG_FS)]
        let dir = unsafe { bindings::debugfs_create_dir(dir.as_char_ptr(), ptr::null_mut()) };
        // INVARIANT: The directory was made just now, or is an error pointer. There is no file yet.
        let this = Self { dir, _data: data };
        // INVARIANT: The file is in the directory, and its `i_private` points to the data.
        // SAFETY: The name is a string during the call. debugfs answers an error pointer for a
        // parent with an error. The operations are `'static`, and are for this type of data. The
        // data is in an allocation that `this._data` keeps. `this` is dropped after the file was
        // removed; if it is forgotten, so is the reference, and the data stays.
        #[cfg(CONFIG_DEBUG_FS)]
        unsafe {
            bindings::debugfs_create_file_full(
                name.as_char_ptr(),
                0o400,
                this.dir,
                ptr::from_ref::<T>(&this._data).cast_mut().cast(),
                ptr::null(),
                Self::FOPS,
            )
        };
        this
    }

    /// Opens the file.
    ///
    /// # Safety
    ///
    /// Called by debugfs for a file with [`Self::FOPS`], which is not removed meanwhile.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: Inode and file are valid during the call. `show()` gets `i_private`, which by the
        // type invariant points to a `T`.
        unsafe { bindings::single_open(file, Some(Self::show), (*inode).i_private) }
    }

    /// Shows the data.
    ///
    /// # Safety
    ///
    /// Called by `seq_read()` for a file that [`Self::open`] has opened, which is not removed
    /// meanwhile: debugfs passes no read on after the removal, and the removal waits for reads.
    unsafe extern "C" fn show(m: *mut bindings::seq_file, _: *mut c_void) -> c_int {
        // SAFETY: `open()` has put `i_private` there, which by the type invariant points to a `T`
        // that is kept until the file is removed. That waits for this call.
        let data = unsafe { &*(*m).private.cast::<T>() };
        // SAFETY: `m` is valid during the call. Only its caller uses it otherwise, which waits.
        let m = unsafe { SeqFile::from_raw(m) };
        seq_print!(m, "{}", Shown(data));
        0
    }
}

impl<T: Writer + Send + Sync> Drop for DebugFile<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the directory is removed here only. Error pointers are
        // ignored.
        #[cfg(CONFIG_DEBUG_FS)]
        unsafe {
            bindings::debugfs_remove(self.dir)
        };
    }
}

/// Displays a value as debugfs writes it.
struct Shown<'a, T>(&'a T);

impl<T: Writer> fmt::Display for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f)
    }
}
