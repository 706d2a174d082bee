// SPDX-License-Identifier: GPL-2.0

//! The table of entries of each type of data, and the C functions in it.
//!
//! An open file finds its [`File`] by the name of its dentry, once, in `open`. A wrong answer would
//! be another file of the same table, whose functions take the same type of data. So soundness does
//! not depend on the name.

#![allow(unsafe_code)]

use super::{
    ffi,
    file::{
        check_count,
        Read, //
    },
    File,
    Files,
    Ownership, //
};
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    bindings,
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    seq_file::SeqFile,
    str::as_char_ptr_in_const_context,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

/// The largest number of files in a table.
const MAX_FILES: usize = 64;

/// Whether a file can have this name.
const fn is_valid_name(name: &[u8]) -> bool {
    if matches!(name, [] | [b'.'] | [b'.', b'.']) || name.len() > 255 {
        return false;
    }
    let mut at = 0;
    while at < name.len() {
        if name[at] == b'/' {
            return false;
        }
        at += 1;
    }
    true
}

/// `one == other`, in a `const fn`.
const fn is_equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The table of the directories that own their data as a `P`.
///
/// # Invariants
///
/// Each directory with [`Self::ENTRIES`] owns data from `P::into_foreign()`, see
/// `DirHandle::with_files()`. rust_eventfs does with this pointer what `rust_eventfs.h` says:
///
/// - It passes it to [`Self::callback`], which leaves it as it is. So it is also in `i_private` of
///   the inodes of the files.
/// - It passes it to [`Self::release`] once, when each callback and each file operation of the
///   directory has returned, all open files are closed, and none of these can begin again.
///
/// So `P::borrow()` may borrow it during each callback and each file operation.
pub(super) struct Table<P>(PhantomData<P>);

impl<P: Ownership> Table<P> {
    /// One entry for each file.
    pub(super) const ENTRIES: &'static [ffi::Entry] =
        Self::ARRAY.split_at(P::Target::FILES.len()).0;

    /// The entries, followed by empty ones: the length of an array cannot depend on `P`.
    const ARRAY: &'static [ffi::Entry; MAX_FILES] = &Self::build();

    /// The operations of files that are read by `seq_file`.
    const SEQ_FOPS: &'static bindings::file_operations = &bindings::file_operations {
        open: Some(Self::seq_open),
        read: Some(bindings::seq_read),
        write: Some(Self::seq_write),
        llseek: Some(bindings::seq_lseek),
        release: Some(bindings::single_release),
        ..pin_init::zeroed()
    };

    /// The operations of all other files.
    const RAW_FOPS: &'static bindings::file_operations = &bindings::file_operations {
        open: Some(Self::raw_open),
        read: Some(Self::raw_read),
        write: Some(Self::raw_write),
        llseek: Some(bindings::default_llseek),
        ..pin_init::zeroed()
    };

    /// Checks the files, and builds their entries.
    const fn build() -> [ffi::Entry; MAX_FILES] {
        let files = P::Target::FILES;
        // The release function of an entry drops the data.
        assert!(!files.is_empty(), "a directory with data has no files");
        assert!(files.len() <= MAX_FILES, "a directory has too many files");
        let mut entries = [ffi::Entry {
            name: ptr::null(),
            callback: None,
            release: None,
        }; MAX_FILES];
        let mut at = 0;
        while at < files.len() {
            let name = files[at].name;
            assert!(
                is_valid_name(name.to_bytes()),
                "this cannot be a file's name"
            );
            let mut earlier = 0;
            while earlier < at {
                let other = files[earlier].name;
                assert!(
                    !is_equal(name.to_bytes(), other.to_bytes()),
                    "two files have the same name"
                );
                earlier += 1;
            }
            // Called for its assertions.
            files[at].effective_mode();
            entries[at].name = as_char_ptr_in_const_context(name);
            entries[at].callback = Some(Self::callback);
            at += 1;
        }
        // Each entry's release function is called, but the data is to be dropped once.
        entries[0].release = Some(Self::release);
        entries
    }

    /// Finds a file by its name.
    fn lookup(name: &CStr) -> Option<&'static File<P::Target>> {
        P::Target::FILES.iter().find(|file| file.name == name)
    }

    /// The callback of all entries: reports mode and operations of a file.
    ///
    /// # Safety
    ///
    /// - `name` must be a C string for the duration of the call.
    /// - `data` must point to the data pointer of a directory with [`Self::ENTRIES`]. This call
    ///   must return before [`Self::release`] is called with that pointer.
    /// - `mode` and `fops` must be valid for writes.
    unsafe extern "C" fn callback(
        name: *const c_char,
        mode: *mut bindings::umode_t,
        data: *mut *mut c_void,
        fops: *mut *const bindings::file_operations,
    ) -> c_int {
        // SAFETY: By the safety requirements `name` is a C string during the call. `lookup()` does
        // not keep it.
        let name = unsafe { CStr::from_char_ptr(name) };
        let Some(file) = Self::lookup(name) else {
            return 0;
        };
        if let Some(present) = file.present {
            // SAFETY: By the safety requirements `data` points to the data pointer of a directory
            // with our entries, which by the type invariant comes from `P::into_foreign()`. It is
            // not released, so not passed to `P::from_foreign()`, before this call returns.
            // `present` cannot keep the reference.
            if !present(unsafe { P::borrow(*data) }) {
                return 0;
            }
        }
        // SAFETY: By the safety requirements both are valid for writes.
        unsafe {
            *mode = file.effective_mode();
            *fops = if file.is_seq() {
                Self::SEQ_FOPS
            } else {
                Self::RAW_FOPS
            };
        }
        1
    }

    /// The release function of the first entry: drops the data of a directory.
    ///
    /// # Safety
    ///
    /// `data` must be the data pointer of a directory with [`Self::ENTRIES`]. This must be the only
    /// call with it, each callback and file operation of the directory must have returned, and none
    /// may begin again.
    unsafe extern "C" fn release(_name: *const c_char, data: *mut c_void) {
        // SAFETY: By the type invariant `data` comes from `P::into_foreign()`. By the safety
        // requirements this is the only call with it, and all callbacks and file operations, which
        // alone borrow it, have returned.
        drop(unsafe { P::from_foreign(data) });
    }

    /// Finds the file that `filp` is about to open.
    ///
    /// # Safety
    ///
    /// `filp` must be a file of eventfs that is being opened.
    unsafe fn file_of(filp: *mut bindings::file) -> Result<&'static File<P::Target>> {
        // SAFETY: By the safety requirements `filp` is being opened, so it has a dentry, and holds
        // a reference to it. The name of a dentry is a C string, and stays where it is because
        // eventfs does not rename. `lookup()` does not keep it.
        let name = unsafe {
            let dentry = (*filp).__bindgen_anon_1.f_path.dentry;
            CStr::from_char_ptr((*dentry).__bindgen_anon_1.d_name.name.cast())
        };
        Self::lookup(name).ok_or(ENOENT)
    }

    /// Calls `then` with the data of an open file's directory.
    ///
    /// # Safety
    ///
    /// `filp` must be an open file with [`Self::SEQ_FOPS`] or [`Self::RAW_FOPS`]. One of these
    /// operations must be running for it, and must not return before this function.
    unsafe fn with_data<R>(filp: *const bindings::file, then: impl FnOnce(&P::Target) -> R) -> R {
        // SAFETY: By the safety requirements `filp` is open, so `f_inode` is valid. It has our
        // operations, which only `callback()` hands out: so the inode is one of a directory with
        // our entries, and by the type invariant `i_private` comes from `P::into_foreign()`. One of
        // the operations runs until this function has returned, so the pointer is not released
        // before. `then` cannot keep the reference.
        then(unsafe { P::borrow((*(*filp).f_inode).i_private) })
    }

    /// `open` of [`Self::SEQ_FOPS`]: stores the [`File`] in `private` of the `seq_file`.
    ///
    /// # Safety
    ///
    /// Must only be called as this operation, for a `filp` that is being opened.
    unsafe extern "C" fn seq_open(
        _inode: *mut bindings::inode,
        filp: *mut bindings::file,
    ) -> c_int {
        from_result(|| {
            // SAFETY: By the safety requirements `filp` is being opened. It is a file of eventfs,
            // because it has our operations.
            let file = ptr::from_ref(unsafe { Self::file_of(filp)? });
            let private = file.cast_mut().cast();
            // SAFETY: By the safety requirements `filp` is being opened. `private` is what
            // `seq_show()` and `seq_write()` expect.
            to_result(unsafe { bindings::single_open(filp, Some(Self::seq_show), private) })?;
            Ok(0)
        })
    }

    /// `show` of a `seq_file`.
    ///
    /// # Safety
    ///
    /// Must only be called by `seq_file`, with its lock held, for a `seq` that [`Self::seq_open`]
    /// has opened, while a file operation runs for `seq`'s file.
    unsafe extern "C" fn seq_show(seq: *mut bindings::seq_file, _: *mut c_void) -> c_int {
        // SAFETY: `seq_open()` has stored a pointer to a constant `File` in `private`.
        let file = unsafe { &*(*seq).private.cast::<File<P::Target>>() };
        // SAFETY: By the safety requirements `seq` is valid until this function returns, and its
        // lock keeps other threads out. `show()` cannot keep the reference.
        let printer = unsafe { SeqFile::from_raw(seq) };
        from_result(|| {
            // SAFETY: `single_open()` has set `seq.file` to the file that `seq_open()` has opened,
            // which has `SEQ_FOPS`. By the safety requirements one of its operations runs, and
            // returns after this function.
            unsafe { Self::with_data((*seq).file, |data| file.show(data, printer)) }?;
            Ok(0)
        })
    }

    /// `write` of [`Self::SEQ_FOPS`].
    ///
    /// # Safety
    ///
    /// Must only be called as this operation, for a `filp` that [`Self::seq_open`] has opened, with
    /// a `pos` as the VFS passes it.
    unsafe extern "C" fn seq_write(
        filp: *mut bindings::file,
        buf: *const c_char,
        count: usize,
        pos: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: `single_open()` has stored the `seq_file` in `private_data`, and `seq_open()` a
        // pointer to a constant `File` in its `private`. Neither changes while the file is open.
        let file = unsafe {
            let seq = (*filp).private_data.cast::<bindings::seq_file>();
            &*(*seq).private.cast::<File<P::Target>>()
        };
        // SAFETY: By the safety requirements this is a `write` of `SEQ_FOPS`, called with these
        // arguments. It does not return before `write()`.
        unsafe { Self::write(file, filp, buf, count, pos) }
    }

    /// `open` of [`Self::RAW_FOPS`]: stores the [`File`] in `private_data`.
    ///
    /// # Safety
    ///
    /// Must only be called as this operation, for a `filp` that is being opened.
    unsafe extern "C" fn raw_open(
        _inode: *mut bindings::inode,
        filp: *mut bindings::file,
    ) -> c_int {
        from_result(|| {
            // SAFETY: By the safety requirements `filp` is being opened. It is a file of eventfs,
            // because it has our operations.
            let file = ptr::from_ref(unsafe { Self::file_of(filp)? });
            // SAFETY: By the safety requirements `filp` is being opened, so no other thread uses
            // it. `private_data` belongs to the operations of the file.
            unsafe { (*filp).private_data = file.cast_mut().cast() };
            Ok(0)
        })
    }

    /// `read` of [`Self::RAW_FOPS`].
    ///
    /// # Safety
    ///
    /// Must only be called as this operation, for a `filp` that [`Self::raw_open`] has opened, with
    /// a `pos` as the VFS passes it.
    unsafe extern "C" fn raw_read(
        filp: *mut bindings::file,
        buf: *mut c_char,
        count: usize,
        pos: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: `raw_open()` has stored a pointer to a constant `File` in `private_data`, which
        // does not change while the file is open.
        let file = unsafe { &*(*filp).private_data.cast::<File<P::Target>>() };
        let Read::Raw(read) = file.read else {
            return count_or_errno(Err(EINVAL));
        };
        let mut user = UserSlice::new(UserPtr::from_ptr(buf.cast()), count).writer();
        // SAFETY: The VFS passes a position that belongs to this call. It is null only for files
        // with `FMODE_STREAM`, which `raw_open()` does not set.
        let pos = unsafe { &mut *pos };
        // SAFETY: By the safety requirements `filp` is open with `RAW_FOPS`, and this is one of
        // these operations.
        let done = unsafe { Self::with_data(filp, |data| read(data, &mut user, pos)) };
        count_or_errno(done.and_then(|done| check_count(done, count)))
    }

    /// `write` of [`Self::RAW_FOPS`].
    ///
    /// # Safety
    ///
    /// Must only be called as this operation, for a `filp` that [`Self::raw_open`] has opened, with
    /// a `pos` as the VFS passes it.
    unsafe extern "C" fn raw_write(
        filp: *mut bindings::file,
        buf: *const c_char,
        count: usize,
        pos: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: `raw_open()` has stored a pointer to a constant `File` in `private_data`, which
        // does not change while the file is open.
        let file = unsafe { &*(*filp).private_data.cast::<File<P::Target>>() };
        // SAFETY: By the safety requirements this is a `write` of `RAW_FOPS`, called with these
        // arguments. It does not return before `write()`.
        unsafe { Self::write(file, filp, buf, count, pos) }
    }

    /// Writes to an open file.
    ///
    /// # Safety
    ///
    /// The arguments other than `file` must be those of a `write` of [`Self::SEQ_FOPS`] or
    /// [`Self::RAW_FOPS`], which must not return before this function.
    unsafe fn write(
        file: &File<P::Target>,
        filp: *mut bindings::file,
        buf: *const c_char,
        count: usize,
        pos: *mut bindings::loff_t,
    ) -> isize {
        let user = UserSlice::new(UserPtr::from_ptr(buf.cast_mut().cast()), count).reader();
        // SAFETY: By the safety requirements `pos` is what the VFS has passed to a `write`: a
        // position that belongs to this call. It is null only for files with `FMODE_STREAM`, which
        // neither `seq_open()` nor `raw_open()` sets.
        let pos = unsafe { &mut *pos };
        // SAFETY: By the safety requirements `filp` is open with one of our operations, and its
        // `write` runs until this function has returned.
        let done = unsafe { Self::with_data(filp, |data| file.store(data, user, pos)) };
        count_or_errno(done)
    }
}

/// The return value of a `read` or `write`.
fn count_or_errno(done: Result<usize>) -> isize {
    match done.and_then(|done| isize::try_from(done).map_err(|_| EIO)) {
        Ok(done) => done,
        // CAST: An `isize` holds all error numbers.
        Err(error) => error.to_errno() as isize,
    }
}
