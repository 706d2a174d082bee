// SPDX-License-Identifier: GPL-2.0

//! The tables of directories, and the functions in them.

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
use core::marker::PhantomData;
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

/// Whether a name can be that of a file.
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

/// Whether two names are the same.
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

/// The tables of the directories that have their data as a `P`, and what is in them: the callback,
/// the release function and the file operations.
///
/// # Invariants
///
/// The entries are only published with data that comes from `P::into_foreign`, see
/// `DirHandle::with_files`. eventfs hands that data to the callback and, as `i_private`, to the
/// file operations, and to the release function once: after all of them have returned, and none
/// is called any more. So in each callback and operation, and as long as it runs, the data can be
/// borrowed.
pub(super) struct Table<P>(PhantomData<P>);

/// The number of files that a table may have.
const MAX_FILES: usize = 64;

impl<P: Ownership> Table<P> {
    /// The entries.
    pub(super) const ENTRIES: &'static [ffi::Entry] =
        Self::ARRAY.split_at(P::Target::FILES.len()).0;

    /// The entries, and behind them what makes the array as long as any.
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

    /// The operations of the other files.
    const RAW_FOPS: &'static bindings::file_operations = &bindings::file_operations {
        open: Some(Self::raw_open),
        read: Some(Self::raw_read),
        write: Some(Self::raw_write),
        llseek: Some(bindings::default_llseek),
        ..pin_init::zeroed()
    };

    /// Makes the entries of the files, which it checks.
    const fn build() -> [ffi::Entry; MAX_FILES] {
        let files = P::Target::FILES;
        // The entries are what the data is released by.
        assert!(!files.is_empty(), "a directory with data has no files");
        assert!(files.len() <= MAX_FILES, "a directory has too many files");
        let mut entries = [ffi::Entry {
            name: core::ptr::null(),
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
            // For its checks.
            files[at].effective_mode();
            entries[at].name = as_char_ptr_in_const_context(name);
            entries[at].callback = Some(Self::callback);
            at += 1;
        }
        // It is called for each entry that has one, and there is one piece of data.
        entries[0].release = Some(Self::release);
        entries
    }

    /// The file of a name.
    fn lookup(name: &CStr) -> Option<&'static File<P::Target>> {
        P::Target::FILES.iter().find(|file| file.name == name)
    }

    /// Says what the file of a name is.
    ///
    /// # Safety
    ///
    /// For eventfs, which calls it as the callback of an entry.
    unsafe extern "C" fn callback(
        name: *const c_char,
        mode: *mut bindings::umode_t,
        data: *mut *mut c_void,
        fops: *mut *const bindings::file_operations,
    ) -> c_int {
        // SAFETY: eventfs gives an entry's name, a string.
        let name = unsafe { CStr::from_char_ptr(name) };
        let Some(file) = Self::lookup(name) else {
            return 0;
        };
        if let Some(present) = file.present {
            // SAFETY: By the type's invariant, the data that `data` is preset to can be borrowed.
            if !present(unsafe { P::borrow(*data) }) {
                return 0;
            }
        }
        // SAFETY: eventfs gives where to write the mode and the operations.
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

    /// Drops the data of a directory.
    ///
    /// # Safety
    ///
    /// For eventfs, which calls it as the release function of an entry.
    unsafe extern "C" fn release(_name: *const c_char, data: *mut c_void) {
        // SAFETY: By the type's invariant, it comes from `into_foreign`, is used by nobody any
        // more, and this is the only time that it is released.
        drop(unsafe { P::from_foreign(data) });
    }

    /// The file that is being opened.
    ///
    /// # Safety
    ///
    /// `filp` must be one that eventfs is about to open.
    unsafe fn file_of(filp: *mut bindings::file) -> Result<&'static File<P::Target>> {
        // SAFETY: It has a dentry, whose name ends with a zero byte and does not change, for
        // nothing is ever renamed in eventfs.
        let name = unsafe {
            let dentry = (*filp).__bindgen_anon_1.f_path.dentry;
            CStr::from_char_ptr((*dentry).__bindgen_anon_1.d_name.name.cast())
        };
        Self::lookup(name).ok_or(ENOENT)
    }

    /// Calls a function with the data of an open file's directory, and gives what it gives.
    ///
    /// # Safety
    ///
    /// `filp` must be the file that one of the operations of this type was called for, and that
    /// operation must not return before this function.
    unsafe fn with_data<R>(filp: *const bindings::file, then: impl FnOnce(&P::Target) -> R) -> R {
        // SAFETY: By the type's invariant, eventfs has put the data there, and it can be borrowed
        // while the operation runs. The reference cannot leave the function.
        then(unsafe { P::borrow((*(*filp).f_inode).i_private) })
    }

    /// Opens a file that is read by `seq_file`, whose `private` becomes the [`File`].
    ///
    /// # Safety
    ///
    /// For eventfs, which calls it as an operation.
    unsafe extern "C" fn seq_open(
        _inode: *mut bindings::inode,
        filp: *mut bindings::file,
    ) -> c_int {
        from_result(|| {
            // SAFETY: eventfs opens it.
            let file = core::ptr::from_ref(unsafe { Self::file_of(filp)? });
            let private = file.cast_mut().cast();
            // SAFETY: It is being opened; `seq_show` gets what it wants in `private`.
            to_result(unsafe { bindings::single_open(filp, Some(Self::seq_show), private) })?;
            Ok(0)
        })
    }

    /// Prints what a file shows.
    ///
    /// # Safety
    ///
    /// For `seq_read()`, as an operation of a file that `seq_open` has opened.
    unsafe extern "C" fn seq_show(seq: *mut bindings::seq_file, _: *mut c_void) -> c_int {
        // SAFETY: `seq_open` has put it there.
        let file = unsafe { &*(*seq).private.cast::<File<P::Target>>() };
        // SAFETY: It is good as long as the file is open, and its lock is held.
        let printer = unsafe { SeqFile::from_raw(seq) };
        // SAFETY: It is the file that is being read, and this is a part of that.
        from_result(|| unsafe {
            Self::with_data((*seq).file, |data| file.show(data, printer))?;
            Ok(0)
        })
    }

    /// Writes to a file that is read by `seq_file`.
    ///
    /// # Safety
    ///
    /// For eventfs, which calls it as an operation of a file that `seq_open` has opened.
    unsafe extern "C" fn seq_write(
        filp: *mut bindings::file,
        buf: *const c_char,
        count: usize,
        pos: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: `seq_open` has put both there.
        let file = unsafe {
            let seq = (*filp).private_data.cast::<bindings::seq_file>();
            &*(*seq).private.cast::<File<P::Target>>()
        };
        // SAFETY: eventfs gives what an operation gets.
        unsafe { Self::write(file, filp, buf, count, pos) }
    }

    /// Opens a file that is not read by `seq_file`. Its `private_data` becomes the [`File`].
    ///
    /// # Safety
    ///
    /// For eventfs, which calls it as an operation.
    unsafe extern "C" fn raw_open(
        _inode: *mut bindings::inode,
        filp: *mut bindings::file,
    ) -> c_int {
        from_result(|| {
            // SAFETY: eventfs opens it.
            let file = core::ptr::from_ref(unsafe { Self::file_of(filp)? });
            // SAFETY: That is for who opens it to set.
            unsafe { (*filp).private_data = file.cast_mut().cast() };
            Ok(0)
        })
    }

    /// Reads a file that is not read by `seq_file`.
    ///
    /// # Safety
    ///
    /// For eventfs, which calls it as an operation of a file that `raw_open` has opened.
    unsafe extern "C" fn raw_read(
        filp: *mut bindings::file,
        buf: *mut c_char,
        count: usize,
        pos: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: `raw_open` has put it there.
        let file = unsafe { &*(*filp).private_data.cast::<File<P::Target>>() };
        let Read::Raw(read) = file.read else {
            return EINVAL.to_errno() as isize;
        };
        let mut user = UserSlice::new(UserPtr::from_ptr(buf.cast()), count).writer();
        // SAFETY: eventfs gives a position that is only for this operation.
        let pos = unsafe { &mut *pos };
        // SAFETY: This is the operation.
        let done = unsafe { Self::with_data(filp, |data| read(data, &mut user, pos)) };
        count_or_errno(done.and_then(|done| check_count(done, count)))
    }

    /// Writes to a file that is not read by `seq_file`.
    ///
    /// # Safety
    ///
    /// For eventfs, which calls it as an operation of a file that `raw_open` has opened.
    unsafe extern "C" fn raw_write(
        filp: *mut bindings::file,
        buf: *const c_char,
        count: usize,
        pos: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: `raw_open` has put it there.
        let file = unsafe { &*(*filp).private_data.cast::<File<P::Target>>() };
        // SAFETY: eventfs gives what an operation gets.
        unsafe { Self::write(file, filp, buf, count, pos) }
    }

    /// Writes to a file.
    ///
    /// # Safety
    ///
    /// The arguments but for the first one must be what a write operation of this type got, and
    /// that operation must not return before this function.
    unsafe fn write(
        file: &File<P::Target>,
        filp: *mut bindings::file,
        buf: *const c_char,
        count: usize,
        pos: *mut bindings::loff_t,
    ) -> isize {
        let user = UserSlice::new(UserPtr::from_ptr(buf.cast_mut().cast()), count).reader();
        // SAFETY: The caller promises a position that is only for this operation.
        let pos = unsafe { &mut *pos };
        // SAFETY: The caller promises that the operation runs.
        let done = unsafe { Self::with_data(filp, |data| file.store(data, user, pos)) };
        count_or_errno(done)
    }
}

/// What an operation returns.
fn count_or_errno(done: Result<usize>) -> isize {
    match done.and_then(|done| isize::try_from(done).map_err(|_| EIO)) {
        Ok(done) => done,
        Err(error) => error.to_errno() as isize,
    }
}
