// SPDX-License-Identifier: GPL-2.0

//! A file of debugfs that keeps the module as long as it is open.
//!
//! The files of [`kernel::debugfs`] have operations without an owner: one that is open does not
//! keep the module, and when it is closed after that has gone, its `release` is looked for where
//! the module was.
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

/// A directory of debugfs with one file, which shows `T`. Dropping it removes both, and waits for
/// those who read just then. May sleep.
///
/// That debugfs fails, or is not there, is no error, as in C: there is no file then.
///
/// # Invariants
///
/// `dir` is a directory of debugfs that is ours to remove, or an error pointer. The file in it has
/// [`Self::OPERATIONS`], and `_data` as its `i_private`.
pub(crate) struct DebugFile<T: Writer + Send + Sync + 'static> {
    /// The directory.
    dir: *mut bindings::dentry,
    /// What is shown.
    _data: Arc<T>,
}

// SAFETY: debugfs may be called on any thread, and the data may be used and dropped on any.
unsafe impl<T: Writer + Send + Sync> Send for DebugFile<T> {}
// SAFETY: There is nothing that can be done with a shared reference.
unsafe impl<T: Writer + Send + Sync> Sync for DebugFile<T> {}

impl<T: Writer + Send + Sync> DebugFile<T> {
    /// What the file does.
    const OPERATIONS: &'static bindings::file_operations = &bindings::file_operations {
        owner: this_module::<crate::LocalModule>().as_ptr(),
        open: Some(Self::open),
        read: Some(bindings::seq_read),
        llseek: Some(bindings::seq_lseek),
        release: Some(bindings::single_release),
        ..pin_init::zeroed()
    };

    /// Makes the file `name`, for root to read, in the directory `dir`. May sleep.
    pub(crate) fn new(dir: &CStr, name: &CStr, data: Arc<T>) -> Self {
        #[cfg(not(CONFIG_DEBUG_FS))]
        let dir = ENODEV.to_ptr();
        #[cfg(CONFIG_DEBUG_FS)]
        // SAFETY: The name is a string.
        let dir = unsafe { bindings::debugfs_create_dir(dir.as_char_ptr(), ptr::null_mut()) };
        // SAFETY: The name is a string. An error pointer for a parent is answered with an error.
        // The data stay until the file was removed, and the operations are for them; nobody else
        // has those.
        #[cfg(CONFIG_DEBUG_FS)]
        unsafe {
            bindings::debugfs_create_file_full(
                name.as_char_ptr(),
                0o400,
                dir,
                ptr::from_ref(&*data).cast_mut().cast(),
                ptr::null(),
                Self::OPERATIONS,
            )
        };
        // INVARIANT: That is what was made.
        Self { dir, _data: data }
    }

    /// Opens the file.
    ///
    /// # Safety
    ///
    /// Called by debugfs for the file, which is not removed meanwhile.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: By the safety requirements. `show` is for these data.
        unsafe { bindings::single_open(file, Some(Self::show), (*inode).i_private) }
    }

    /// Shows the data.
    ///
    /// # Safety
    ///
    /// Called by `seq_read()`, which debugfs only calls as long as the file was not removed.
    unsafe extern "C" fn show(m: *mut bindings::seq_file, _: *mut c_void) -> c_int {
        // SAFETY: `open` has put the data there, by the type invariant; they stay until the file
        // was removed, for which debugfs waits for this.
        let data = unsafe { &*(*m).private.cast::<T>() };
        // SAFETY: The caller has a valid one, and waits.
        let m = unsafe { SeqFile::from_raw(m) };
        seq_print!(m, "{}", Shown(data));
        0
    }
}

impl<T: Writer + Send + Sync> Drop for DebugFile<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. Error pointers are ignored.
        #[cfg(CONFIG_DEBUG_FS)]
        unsafe {
            bindings::debugfs_remove(self.dir)
        };
    }
}

/// Lets what debugfs shows be printed.
struct Shown<'a, T>(&'a T);

impl<T: Writer> fmt::Display for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f)
    }
}
