// SPDX-License-Identifier: GPL-2.0

//! eventfs for modules in Rust: directories that are owned by handles, with files that are tables
//! of functions.
//!
//! This is the twin of `rust_eventfs.h`, which says what is common to both languages. A module
//! takes it in with
//!
//! ```ignore
//! #[path = "../include/rust_eventfs.rs"]
//! mod eventfs;
//! ```
//!
//! in its crate root, beside its `module!`, and needs no `unsafe` of its own. Each module takes it
//! in for itself and gives none of it to others: what it publishes is owned by the module that this
//! is compiled into.
//!
//! - [`Dir`] is a directory of the module's; dropping it removes the directory.
//! - [`Files`] says which files the directories of a type of data have: a `const` table of
//!   [`File`]s.
//! - [`Ownership`] is how a directory has its data: `Arc<T>`, `KBox<T>`, `Pin<KBox<T>>`, or
//!   `&'static T`. The data cannot go while a file operation uses it, and is dropped once.
//!
//! # Examples
//!
//! ```ignore
//! struct Queue {
//!     depth: Atomic<u64>,
//! }
//!
//! impl Files for Queue {
//!     const FILES: &'static [File<Self>] = &[
//!         File::number_rw(
//!             c"depth",
//!             |queue| queue.depth.load(Relaxed),
//!             |queue, depth| {
//!                 queue.depth.store(depth, Relaxed);
//!                 Ok(())
//!             },
//!         ),
//!         File::seq(c"info", |queue, seq| {
//!             seq_print!(seq, "depth {}\n", queue.depth.load(Relaxed));
//!             Ok(())
//!         }),
//!     ];
//! }
//!
//! let driver = Dir::group(c"my_driver", Parent::Root)?;
//! let queue = Arc::new(Queue { depth: Atomic::new(64) }, GFP_KERNEL)?;
//! let dir = Dir::new(c"queue0", &driver, queue.clone())?;
//! ```

#![allow(unsafe_code)]
// A client uses what it needs.
#![allow(dead_code, unreachable_pub)]

use core::{
    marker::PhantomData,
    pin::Pin,
    ptr::NonNull, //
};
use kernel::{
    alloc::Allocator,
    bindings,
    error::{
        from_err_ptr,
        from_result,
        to_result, //
    },
    fs::file::Offset,
    module::this_module,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    str::{
        as_char_ptr_in_const_context,
        kstrtobool, //
    },
    sync::Arc,
    types::ForeignOwnable,
    uaccess::{
        UserPtr,
        UserSlice,
        UserSliceReader,
        UserSliceWriter, //
    },
};

/// The exported functions, and the types in their signatures.
mod ffi {
    use super::{
        bindings,
        c_char,
        c_int,
        c_void, //
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
        pub(super) fn eventfs_publish_dir(
            name: *const c_char,
            parent: *mut EventfsFile,
            entries: *const Entry,
            size: c_int,
            data: *mut c_void,
            owner: *mut bindings::module,
        ) -> *mut EventfsFile;

        /// Removes what `eventfs_publish_dir()` has made if it is still there, and gives the
        /// reference back.
        pub(super) fn eventfs_withdraw_dir(dir: *mut EventfsFile);
    }
}

/// Where a directory is made.
///
/// A `&Dir` is one, too.
///
/// # Examples
///
/// ```ignore
/// let top = Dir::group(c"my_driver", Parent::Root)?;
/// let below = Dir::group(c"queues", &top)?;
/// ```
#[derive(Clone, Copy)]
pub enum Parent<'a> {
    /// The root of the mounts, beside `events`: `NULL` in C.
    Root,
    /// The kernel's own `events`, for a subsystem: `EVENTFS_EVENTS` in C.
    Events,
    /// Another directory of this module's. One that was removed already, together with one that it
    /// was in, gives `ENODEV`.
    Dir(&'a Dir),
}

impl<'a> From<&'a Dir> for Parent<'a> {
    fn from(dir: &'a Dir) -> Self {
        Self::Dir(dir)
    }
}

impl Parent<'_> {
    /// What the exported functions take for it.
    fn as_ptr(self) -> *mut ffi::EventfsFile {
        match self {
            Self::Root => core::ptr::null_mut(),
            Self::Events => core::ptr::without_provenance_mut(1),
            Self::Dir(dir) => dir.0.as_ptr(),
        }
    }
}

/// A directory that this module has published: it appears in every mount of eventfs, whether that
/// was made before or is made later.
///
/// Dropping it removes the directory with all that is in it. When the drop returns, no path leads
/// there, no function of its [`Files`] runs, what users still have open answers `ENODEV`, and its
/// data has been dropped. That cannot fail; in C it is `eventfs_remove()`.
///
/// The directories in it are removed with it, and their data is dropped (before its own). Their
/// handles stay: they can be dropped later, and as parents they give `ENODEV`. Whoever drops the
/// handle of a directory that is being removed with its parent at that moment does not wait for it.
///
/// A handle that is forgotten leaves the directory until the module is unloaded.
///
/// # Context
///
/// Making and dropping one may sleep. Do not do it under a lock that a function of its [`Files`],
/// or the drop of data that goes with it, takes: it waits for those. A function of the directory's
/// own [`Files`], which would wait for itself, must not drop it, nor one that the directory is in.
/// To drop other directories there is fine.
///
/// # Invariants
///
/// The pointer comes from `eventfs_publish_dir()` and was not given to `eventfs_withdraw_dir()`
/// yet.
pub struct Dir(NonNull<ffi::EventfsFile>);

// SAFETY: The exported functions may be called in any thread. The data, which the drop of a `Dir`
// drops, is `Send`: `Ownership` says so.
unsafe impl Send for Dir {}

// SAFETY: What takes a `&Dir` only hands the pointer to `eventfs_publish_dir()`, which may be
// called in any number of threads.
unsafe impl Sync for Dir {}

impl Dir {
    /// Makes a directory (mode 0755) with the files of `data`'s type. It is complete when it
    /// appears; its functions may be called before this returns.
    ///
    /// In C: `eventfs_create_dir()`.
    ///
    /// # Errors
    ///
    /// `EINVAL` or `ENAMETOOLONG` for a bad name, `EEXIST` for one that is taken, `ENODEV` if the
    /// parent was removed or this module is being unloaded, `EPERM` under kernel lockdown,
    /// `ENOMEM`. The data is dropped then.
    ///
    /// # Context
    ///
    /// May sleep; see [`Dir`] about locks.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// let queue = Arc::new(Queue::new(), GFP_KERNEL)?;
    /// let dir = Dir::new(c"queue0", Parent::Root, queue.clone())?;
    /// ```
    pub fn new<'a, P: Ownership>(
        name: &CStr,
        parent: impl Into<Parent<'a>>,
        data: P,
    ) -> Result<Self> {
        let data = data.into_foreign();
        Self::publish(name, parent.into(), Table::<P>::ENTRIES, data).inspect_err(|_| {
            // SAFETY: It was made of `data` above, and nobody has it: the directory was not made,
            // so that its release function is not called.
            drop(unsafe { P::from_foreign(data) });
        })
    }

    /// Makes a directory (mode 0755) for other directories, without files.
    ///
    /// In C: `eventfs_create_events_dir()`, `eventfs_add_subsystem_dir()` and `eventfs_add_dir()`,
    /// depending on the parent.
    ///
    /// # Errors
    ///
    /// Those of [`Dir::new`].
    ///
    /// # Context
    ///
    /// May sleep; see [`Dir`] about locks.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// let subsystem = Dir::group(c"my_subsystem", Parent::Events)?;
    /// ```
    pub fn group<'a>(name: &CStr, parent: impl Into<Parent<'a>>) -> Result<Self> {
        Self::publish(name, parent.into(), &[], core::ptr::null_mut())
    }

    /// Makes a directory with the files of `entries`, whose functions are for `data`.
    fn publish(
        name: &CStr,
        parent: Parent<'_>,
        entries: &'static [ffi::Entry],
        data: *mut c_void,
    ) -> Result<Self> {
        let size = c_int::try_from(entries.len())?;
        // The functions in the tables are this module's, so it has to be the owner.
        let owner = this_module::<crate::LocalModule>().as_ptr();
        // SAFETY: The name is a string, the parent is one of the two special ones or, by the
        // invariant of its `Dir`, a directory; there are `size` entries, for ever; the owner is
        // this module.
        let dir = from_err_ptr(unsafe {
            ffi::eventfs_publish_dir(
                name.as_char_ptr(),
                parent.as_ptr(),
                entries.as_ptr(),
                size,
                data,
                owner,
            )
        })?;
        // INVARIANT: It was made just now.
        NonNull::new(dir).map(Self).ok_or(EINVAL)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant, it is good and this is its end.
        unsafe { ffi::eventfs_withdraw_dir(self.0.as_ptr()) };
    }
}

/// The files of the directories whose data is of this type.
///
/// All directories of a type share the table: each costs the same few bytes, however many files it
/// has. That the table is right is checked when the module is compiled.
///
/// # Examples
///
/// ```ignore
/// impl Files for Queue {
///     const FILES: &'static [File<Self>] = &[
///         File::number(c"packets", |queue| queue.packets.load(Relaxed)),
///         File::string(c"name", |queue| &queue.name).mode(0o400),
///     ];
/// }
/// ```
pub trait Files: Sized + Sync + 'static {
    /// The files, 1 to 64 of them, in the order in which they are listed.
    const FILES: &'static [File<Self>];
}

/// How a directory has its data.
///
/// Implemented for `Arc<T>`, for `KBox<T>` and its kin, for `Pin` of those, and for `&'static T`.
///
/// # Safety
///
/// A pointer from `into_foreign` must be good for any number of `borrow`s at the same time and in
/// any thread, until `from_foreign` has taken it back.
pub unsafe trait Ownership: Sized + Send + 'static {
    /// What the functions of the files get.
    type Target: Files;

    /// Gives the data away.
    fn into_foreign(self) -> *mut c_void;

    /// Takes the data back.
    ///
    /// # Safety
    ///
    /// `data` must come from [`Self::into_foreign`], must not be given to this function twice, and
    /// nothing that was borrowed from it may be used any more.
    unsafe fn from_foreign(data: *mut c_void) -> Self;

    /// The data.
    ///
    /// # Safety
    ///
    /// `data` must come from [`Self::into_foreign`], and must not be given to
    /// [`Self::from_foreign`] during `'a`.
    unsafe fn borrow<'a>(data: *mut c_void) -> &'a Self::Target;
}

// SAFETY: An `Arc` that was given away stays counted. `Files` are `Sync`.
unsafe impl<T: Files + Send> Ownership for Arc<T> {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        ForeignOwnable::into_foreign(self)
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: The caller promises what is asked for.
        unsafe { ForeignOwnable::from_foreign(data) }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: The caller promises what is asked for.
        let data = unsafe { <Self as ForeignOwnable>::borrow(data) };
        // An `ArcBorrow` itself lends for less than `'a`.
        let data = core::ptr::from_ref::<T>(&data);
        // SAFETY: By the caller's promise, it stays where it is during `'a`.
        unsafe { &*data }
    }
}

// SAFETY: What is in a box that was given away stays where it is. `Files` are `Sync`.
unsafe impl<T: Files + Send, A: Allocator + 'static> Ownership for Box<T, A> {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        ForeignOwnable::into_foreign(self)
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: The caller promises what is asked for.
        unsafe { ForeignOwnable::from_foreign(data) }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: The caller promises what is asked for.
        unsafe { <Self as ForeignOwnable>::borrow(data) }
    }
}

// SAFETY: What is in a box that was given away stays where it is. `Files` are `Sync`.
unsafe impl<T: Files + Send, A: Allocator + 'static> Ownership for Pin<Box<T, A>> {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        ForeignOwnable::into_foreign(self)
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: The caller promises what is asked for.
        unsafe { ForeignOwnable::from_foreign(data) }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: The caller promises what is asked for.
        unsafe { <Self as ForeignOwnable>::borrow(data) }.get_ref()
    }
}

// SAFETY: A `&'static T` is good for ever. `Files` are `Sync`.
unsafe impl<T: Files> Ownership for &'static T {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        core::ptr::from_ref(self).cast_mut().cast()
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: It comes from `into_foreign` and so from a `&'static T`.
        unsafe { &*data.cast() }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: It comes from `into_foreign` and so from a `&'static T`.
        unsafe { &*data.cast() }
    }
}

/// What reading a file does.
enum Read<T> {
    /// It fails.
    Refused,
    /// It gives a number.
    Number(fn(&T) -> u64),
    /// It gives a number that may be negative.
    Signed(fn(&T) -> i64),
    /// It gives 0 or 1.
    Flag(fn(&T) -> bool),
    /// It gives a line that does not change.
    Text(for<'a> fn(&'a T) -> &'a str),
    /// It gives what a function prints, and the end of the line.
    Line(fn(&T, &SeqFile) -> Result),
    /// It gives what a function prints.
    Seq(fn(&T, &SeqFile) -> Result),
    /// A function does it.
    Raw(fn(&T, &mut UserSliceWriter, &mut Offset) -> Result<usize>),
}

/// What writing a file does.
enum Write<T> {
    /// It fails.
    Refused,
    /// It sets a number.
    Number(fn(&T, u64) -> Result),
    /// It sets a number that may be negative.
    Signed(fn(&T, i64) -> Result),
    /// It sets a flag.
    Flag(fn(&T, bool) -> Result),
    /// A function gets the text.
    Text(fn(&T, &str) -> Result),
    /// A function does it.
    Raw(fn(&T, &mut UserSliceReader, &mut Offset) -> Result<usize>),
}

/// A file of a directory whose data is a `T`: what a table of [`Files`] consists of.
///
/// The functions get the data of the directory that the file is in. They run in process context, in
/// the thread of the user, may sleep, and may run several times at once. Their errors are what the
/// system call gives. None runs after the directory was removed; removal waits for those that do.
///
/// Unless told otherwise by [`File::mode`], files can be read by all (0444) and written by their
/// owner (0644, or 0200 if they cannot be read).
///
/// **Reading** gives numbers, flags, lines and `seq` files as `seq_file` does: a function is called
/// when a read begins at the start of the file, so that `lseek()` to 0 (or `pread()`) shows what is
/// new. **Writing** numbers, flags, lines and commands takes each write as a whole, wherever it is
/// in the file: white space and zero bytes at both ends are taken off, a write of nothing does
/// nothing. `E2BIG`: it is longer than the limit; `EINVAL`: it has zero bytes in it, or is not
/// UTF-8. `seq_file` refuses `pwrite()` for what can be read: `ESPIPE`.
///
/// The functions can be closures that capture nothing. One that uses its argument has to name the
/// argument's type if a method like [`File::mode`] follows.
pub struct File<T> {
    /// Its name.
    name: &'static CStr,
    /// Its permissions; 0 stands for those that what it can do suggests.
    mode: u16,
    /// The number of bytes that a text that is written may have.
    limit: usize,
    /// What reading does.
    read: Read<T>,
    /// What writing does.
    write: Write<T>,
    /// Whether the file is there, if not always.
    present: Option<fn(&T) -> bool>,
}

impl<T: 'static> File<T> {
    /// The limit of a text that is written unless [`File::limit`] changes it.
    const LIMIT: usize = 4096;

    /// A file.
    const fn new(name: &'static CStr, read: Read<T>, write: Write<T>) -> Self {
        Self {
            name,
            mode: 0,
            limit: Self::LIMIT,
            read,
            write,
            present: None,
        }
    }

    /// A number in decimal that can be read.
    ///
    /// In C: `DEFINE_SIMPLE_ATTRIBUTE`.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::number(c"packets", |queue: &Queue| queue.packets.load(Relaxed))
    /// ```
    pub const fn number(name: &'static CStr, get: fn(&T) -> u64) -> Self {
        Self::new(name, Read::Number(get), Write::Refused)
    }

    /// A number that can be read and written: decimal, or hexadecimal or octal as in C, by
    /// `kstrtoull()`.
    ///
    /// # Errors
    ///
    /// A write gives `EINVAL` for what is no number, `ERANGE` for one of more than 64 bits, and
    /// what `set` gives.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::number_rw(
    ///     c"depth",
    ///     |queue: &Queue| queue.depth.load(Relaxed),
    ///     |queue, depth| {
    ///         if depth > MOST {
    ///             return Err(ERANGE);
    ///         }
    ///         queue.depth.store(depth, Relaxed);
    ///         Ok(())
    ///     },
    /// )
    /// ```
    pub const fn number_rw(
        name: &'static CStr,
        get: fn(&T) -> u64,
        set: fn(&T, u64) -> Result,
    ) -> Self {
        Self::new(name, Read::Number(get), Write::Number(set))
    }

    /// A number that may be negative, and can be read.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::signed(c"balance", |queue: &Queue| queue.balance.load(Relaxed))
    /// ```
    pub const fn signed(name: &'static CStr, get: fn(&T) -> i64) -> Self {
        Self::new(name, Read::Signed(get), Write::Refused)
    }

    /// A number that may be negative, and can be read and written, by `kstrtoll()`.
    ///
    /// # Errors
    ///
    /// Those of [`File::number_rw`].
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::signed_rw(c"nice", Queue::nice, Queue::set_nice)
    /// ```
    pub const fn signed_rw(
        name: &'static CStr,
        get: fn(&T) -> i64,
        set: fn(&T, i64) -> Result,
    ) -> Self {
        Self::new(name, Read::Signed(get), Write::Signed(set))
    }

    /// A flag that can be read: 0 or 1.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::flag(c"busy", |queue: &Queue| queue.busy.load(Relaxed))
    /// ```
    pub const fn flag(name: &'static CStr, get: fn(&T) -> bool) -> Self {
        Self::new(name, Read::Flag(get), Write::Refused)
    }

    /// A flag that can be read, and written with the words of `kstrtobool()`: 1, y, on, ...
    ///
    /// # Errors
    ///
    /// A write gives `EINVAL` for other words, and what `set` gives.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::flag_rw(
    ///     c"enabled",
    ///     |queue: &Queue| queue.enabled.load(Relaxed),
    ///     |queue, enabled| {
    ///         queue.enabled.store(enabled, Relaxed);
    ///         Ok(())
    ///     },
    /// )
    /// ```
    pub const fn flag_rw(
        name: &'static CStr,
        get: fn(&T) -> bool,
        set: fn(&T, bool) -> Result,
    ) -> Self {
        Self::new(name, Read::Flag(get), Write::Flag(set))
    }

    /// A string that can be read, as a line.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::string(c"version", |_: &Stats| "1.0")
    /// ```
    pub const fn string(name: &'static CStr, get: for<'a> fn(&'a T) -> &'a str) -> Self {
        Self::new(name, Read::Text(get), Write::Refused)
    }

    /// A string that can be read, as a line that `show` prints without its end, and written.
    ///
    /// # Errors
    ///
    /// A write gives those of all texts, see [`File`], and what `set` gives.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::string_rw(
    ///     c"label",
    ///     |queue: &Queue, seq| {
    ///         seq_print!(seq, "{}", queue.label.lock().text());
    ///         Ok(())
    ///     },
    ///     |queue, text| queue.label.lock().set(text),
    /// )
    /// ```
    pub const fn string_rw(
        name: &'static CStr,
        show: fn(&T, &SeqFile) -> Result,
        set: fn(&T, &str) -> Result,
    ) -> Self {
        Self::new(name, Read::Line(show), Write::Text(set))
    }

    /// Whatever `show` prints, of any length. It is called again, with more room, if that was too
    /// much for the buffer.
    ///
    /// In C: `single_open()`.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::seq(c"info", |queue: &Queue, seq| {
    ///     seq_print!(seq, "depth {}\n", queue.depth.load(Relaxed));
    ///     Ok(())
    /// })
    /// ```
    pub const fn seq(name: &'static CStr, show: fn(&T, &SeqFile) -> Result) -> Self {
        Self::new(name, Read::Seq(show), Write::Refused)
    }

    /// A file that takes commands: `run` gets each write as a whole. It can be read if
    /// [`File::shown_by`] says how.
    ///
    /// # Errors
    ///
    /// A write gives those of all texts, see [`File`], and what `run` gives.
    ///
    /// # Context
    ///
    /// `run` may make and drop directories, but not the one that the file is in, nor one around it.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::command(c"control", |client: &Client, command| match command {
    ///     "reset" => client.reset(),
    ///     _ => Err(EINVAL),
    /// })
    /// ```
    pub const fn command(name: &'static CStr, run: fn(&T, &str) -> Result) -> Self {
        Self::new(name, Read::Refused, Write::Text(run))
    }

    /// Bytes that `read` copies to the user: from the offset on, which it advances, as many as it
    /// likes and there is room for. It gives their number, 0 at the end.
    ///
    /// # Errors
    ///
    /// What `read` gives; `EIO` if it tells more bytes than there was room for.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::raw(c"firmware", |device: &Device, user, offset| {
    ///     user.write_slice_file(&device.firmware, offset)
    /// })
    /// ```
    pub const fn raw(
        name: &'static CStr,
        read: fn(&T, &mut UserSliceWriter, &mut Offset) -> Result<usize>,
    ) -> Self {
        Self::new(name, Read::Raw(read), Write::Refused)
    }

    /// Bytes that `read` copies to the user, see [`File::raw`], and `write` from the user: from the
    /// offset on, which it advances, as many as it likes. It gives their number.
    ///
    /// # Errors
    ///
    /// What the functions give; `EIO` if they tell more bytes than there were.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::raw_rw(
    ///     c"registers",
    ///     |device: &Device, user, offset| user.write_slice_file(&*device.bytes.lock(), offset),
    ///     |device, user, offset| user.read_slice_file(&mut *device.bytes.lock(), offset),
    /// )
    /// ```
    pub const fn raw_rw(
        name: &'static CStr,
        read: fn(&T, &mut UserSliceWriter, &mut Offset) -> Result<usize>,
        write: fn(&T, &mut UserSliceReader, &mut Offset) -> Result<usize>,
    ) -> Self {
        Self::new(name, Read::Raw(read), Write::Raw(write))
    }

    /// Bytes that `write` copies from the user, see [`File::raw_rw`], and that cannot be read.
    ///
    /// # Errors
    ///
    /// Those of [`File::raw_rw`].
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::raw_wo(c"inject", |device: &Device, user, _| device.inject(user))
    /// ```
    pub const fn raw_wo(
        name: &'static CStr,
        write: fn(&T, &mut UserSliceReader, &mut Offset) -> Result<usize>,
    ) -> Self {
        Self::new(name, Read::Refused, Write::Raw(write))
    }

    /// Lets `show` say what reading the file gives: for a [`File::command`].
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::command(c"control", Client::run).shown_by(Client::show)
    /// ```
    pub const fn shown_by(mut self, show: fn(&T, &SeqFile) -> Result) -> Self {
        assert!(
            matches!(self.read, Read::Refused) && !matches!(self.write, Write::Raw(_)),
            "only a command can be given a function that shows it"
        );
        self.read = Read::Seq(show);
        self
    }

    /// Sets the permissions.
    ///
    /// It does not compile if they have other bits than those for reading and writing, or give a
    /// right to what the file cannot do.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::number(c"key", |device: &Device| device.key).mode(0o400)
    /// ```
    pub const fn mode(mut self, mode: u16) -> Self {
        assert!(
            mode != 0 && mode & !0o666 == 0,
            "a mode is made of bits for reading and writing"
        );
        self.mode = mode;
        self
    }

    /// Sets the number of bytes that a text that is written may have: 4096 if not told. All of it
    /// is copied before the function is called.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::command(c"control", Client::run).limit(64)
    /// ```
    pub const fn limit(mut self, limit: usize) -> Self {
        assert!(limit < 1 << 20, "a text has to fit into memory");
        self.limit = limit;
        self
    }

    /// Lets `present` say whether the file is there. It is asked when a name that the kernel does
    /// not cache is looked up, as opening the directory does for each, or listed
    /// (`readdir=metadata`). So a file that is no longer there may be found as long as its name is
    /// cached, while one that was not there is asked for again; what is open stays open. It may be
    /// called with locks of eventfs held: it must not make or drop directories.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::number(c"burst", |queue: &Queue| queue.burst()).present_if(|queue| queue.has_burst())
    /// ```
    pub const fn present_if(mut self, present: fn(&T) -> bool) -> Self {
        self.present = Some(present);
        self
    }

    /// The permissions, of which it is checked that they fit what the file can do.
    const fn permissions(&self) -> u16 {
        let readable = !matches!(self.read, Read::Refused);
        let writable = !matches!(self.write, Write::Refused);
        match (self.mode, readable, writable) {
            (0, true, true) => 0o644,
            (0, true, false) => 0o444,
            (0, false, _) => 0o200,
            (mode, _, _) => {
                assert!(
                    mode & 0o444 == 0 || readable,
                    "a file that cannot be read has a mode for reading"
                );
                assert!(
                    mode & 0o222 == 0 || writable,
                    "a file that cannot be written has a mode for writing"
                );
                mode
            }
        }
    }

    /// Whether reading is `seq_file`'s.
    const fn is_seq(&self) -> bool {
        !matches!(self.read, Read::Refused | Read::Raw(_))
    }

    /// Prints what reading gives.
    fn show(&self, data: &T, seq: &SeqFile) -> Result {
        match self.read {
            Read::Number(get) => seq_print!(seq, "{}\n", get(data)),
            Read::Signed(get) => seq_print!(seq, "{}\n", get(data)),
            Read::Flag(get) => seq_print!(seq, "{}\n", u8::from(get(data))),
            Read::Text(get) => seq_print!(seq, "{}\n", get(data)),
            Read::Line(show) => {
                show(data, seq)?;
                seq_print!(seq, "\n");
            }
            Read::Seq(show) => show(data, seq)?,
            Read::Refused | Read::Raw(_) => return Err(EINVAL),
        }
        Ok(())
    }

    /// Does what writing does, and gives how many bytes it took.
    fn take(&self, data: &T, mut user: UserSliceReader, offset: &mut Offset) -> Result<usize> {
        let count = user.len();
        match self.write {
            Write::Refused => return Err(EINVAL),
            Write::Raw(write) => return within(write(data, &mut user, offset)?, count),
            _ if count == 0 => return Ok(0),
            _ if count > self.limit => return Err(E2BIG),
            _ => {}
        }
        let mut buffer = KVec::with_capacity(count + 1, GFP_KERNEL)?;
        user.read_all(&mut buffer, GFP_KERNEL)?;
        let text = trimmed(&mut buffer)?;
        match self.write {
            Write::Number(set) => set(data, parse_unsigned(text)?)?,
            Write::Signed(set) => set(data, parse_signed(text)?)?,
            Write::Flag(set) => set(data, kstrtobool(text)?)?,
            Write::Text(set) => set(data, text.to_str().map_err(|_| EINVAL)?)?,
            Write::Refused | Write::Raw(_) => {}
        }
        Ok(count)
    }
}

/// The number of bytes that a function says it has done, if there was room for so many.
fn within(done: usize, count: usize) -> Result<usize> {
    if done > count {
        return Err(EIO);
    }
    Ok(done)
}

/// What is in `buffer` but for white space and zero bytes at its ends; `EINVAL` if there are zero
/// bytes in it.
fn trimmed(buffer: &mut KVec<u8>) -> Result<&CStr> {
    let matters = |byte: &u8| !byte.is_ascii_whitespace() && *byte != 0;
    let end = buffer.iter().rposition(matters).map_or(0, |last| last + 1);
    let start = buffer.iter().position(matters).unwrap_or(0);
    buffer.truncate(end);
    buffer.push(0, GFP_KERNEL)?;
    let text = buffer.get(start..).ok_or(EINVAL)?;
    CStr::from_bytes_with_nul(text).map_err(|_| EINVAL)
}

/// The number that `text` is.
fn parse_unsigned(text: &CStr) -> Result<u64> {
    let mut number = 0;
    // SAFETY: `text` is a string, and `number` can be written to.
    to_result(unsafe { bindings::kstrtoull(text.as_char_ptr(), 0, &mut number) })?;
    Ok(number)
}

/// The number that `text` is, which may be negative.
fn parse_signed(text: &CStr) -> Result<i64> {
    let mut number = 0;
    // SAFETY: `text` is a string, and `number` can be written to.
    to_result(unsafe { bindings::kstrtoll(text.as_char_ptr(), 0, &mut number) })?;
    Ok(number)
}

/// Whether a name can be that of a file.
const fn is_name(name: &[u8]) -> bool {
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
const fn is_same(one: &[u8], other: &[u8]) -> bool {
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
/// The entries are only published with data that comes from `P::into_foreign`, see [`Dir::new`].
/// eventfs hands that data to the callback and, as `i_private`, to the file operations, and to the
/// release function once: after all of them have returned, and none is called any more. So in each
/// callback and operation, and as long as it runs, the data can be borrowed.
struct Table<P>(PhantomData<P>);

/// The number of files that a table may have.
const MOST_FILES: usize = 64;

impl<P: Ownership> Table<P> {
    /// The entries.
    const ENTRIES: &'static [ffi::Entry] = Self::ALL.split_at(P::Target::FILES.len()).0;

    /// The entries, and behind them what makes the array as long as any.
    const ALL: &'static [ffi::Entry; MOST_FILES] = &Self::entries();

    /// The operations of files that are read by `seq_file`.
    const SEQ_OPERATIONS: &'static bindings::file_operations = &bindings::file_operations {
        open: Some(Self::seq_open),
        read: Some(bindings::seq_read),
        write: Some(Self::seq_write),
        llseek: Some(bindings::seq_lseek),
        release: Some(bindings::single_release),
        ..pin_init::zeroed()
    };

    /// The operations of the other files.
    const RAW_OPERATIONS: &'static bindings::file_operations = &bindings::file_operations {
        open: Some(Self::raw_open),
        read: Some(Self::raw_read),
        write: Some(Self::raw_write),
        llseek: Some(bindings::default_llseek),
        ..pin_init::zeroed()
    };

    /// Makes the entries of the files, which it checks.
    const fn entries() -> [ffi::Entry; MOST_FILES] {
        let files = P::Target::FILES;
        // The entries are what the data is released by.
        assert!(!files.is_empty(), "a directory with data has no files");
        assert!(files.len() <= MOST_FILES, "a directory has too many files");
        let mut entries = [ffi::Entry {
            name: core::ptr::null(),
            callback: None,
            release: None,
        }; MOST_FILES];
        let mut at = 0;
        while at < files.len() {
            let name = files[at].name;
            assert!(is_name(name.to_bytes()), "this cannot be a file's name");
            let mut earlier = 0;
            while earlier < at {
                let other = files[earlier].name;
                assert!(
                    !is_same(name.to_bytes(), other.to_bytes()),
                    "two files have the same name"
                );
                earlier += 1;
            }
            // For its checks.
            files[at].permissions();
            entries[at].name = as_char_ptr_in_const_context(name);
            entries[at].callback = Some(Self::callback);
            at += 1;
        }
        // It is called for each entry that has one, and there is one piece of data.
        entries[0].release = Some(Self::release);
        entries
    }

    /// The file of a name.
    fn find(name: &CStr) -> Option<&'static File<P::Target>> {
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
        operations: *mut *const bindings::file_operations,
    ) -> c_int {
        // SAFETY: eventfs gives an entry's name, a string.
        let name = unsafe { CStr::from_char_ptr(name) };
        let Some(file) = Self::find(name) else {
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
            *mode = file.permissions();
            *operations = if file.is_seq() {
                Self::SEQ_OPERATIONS
            } else {
                Self::RAW_OPERATIONS
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
    /// `opened` must be one that eventfs is about to open.
    unsafe fn file_of(opened: *mut bindings::file) -> Result<&'static File<P::Target>> {
        // SAFETY: It has a dentry, whose name ends with a zero byte and does not change, for
        // nothing is ever renamed in eventfs.
        let name = unsafe {
            let dentry = (*opened).__bindgen_anon_1.f_path.dentry;
            CStr::from_char_ptr((*dentry).__bindgen_anon_1.d_name.name.cast())
        };
        Self::find(name).ok_or(ENOENT)
    }

    /// Calls a function with the data of an open file's directory, and gives what it gives.
    ///
    /// # Safety
    ///
    /// `opened` must be the file that one of the operations of this type was called for, and that
    /// operation must not return before this function.
    unsafe fn with_data<R>(opened: *const bindings::file, then: impl FnOnce(&P::Target) -> R) -> R {
        // SAFETY: By the type's invariant, eventfs has put the data there, and it can be borrowed
        // while the operation runs. The reference cannot leave the function.
        then(unsafe { P::borrow((*(*opened).f_inode).i_private) })
    }

    /// Opens a file that is read by `seq_file`, whose `private` becomes the [`File`].
    ///
    /// # Safety
    ///
    /// For eventfs, which calls it as an operation.
    unsafe extern "C" fn seq_open(
        _inode: *mut bindings::inode,
        opened: *mut bindings::file,
    ) -> c_int {
        from_result(|| {
            // SAFETY: eventfs opens it.
            let file = core::ptr::from_ref(unsafe { Self::file_of(opened)? });
            let private = file.cast_mut().cast();
            // SAFETY: It is being opened; `seq_show` gets what it wants in `private`.
            to_result(unsafe { bindings::single_open(opened, Some(Self::seq_show), private) })?;
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
        opened: *mut bindings::file,
        buffer: *const c_char,
        count: usize,
        offset: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: `seq_open` has put both there.
        let file = unsafe {
            let seq = (*opened).private_data.cast::<bindings::seq_file>();
            &*(*seq).private.cast::<File<P::Target>>()
        };
        // SAFETY: eventfs gives what an operation gets.
        unsafe { Self::write(file, opened, buffer, count, offset) }
    }

    /// Opens a file that is not read by `seq_file`. Its `private_data` becomes the [`File`].
    ///
    /// # Safety
    ///
    /// For eventfs, which calls it as an operation.
    unsafe extern "C" fn raw_open(
        _inode: *mut bindings::inode,
        opened: *mut bindings::file,
    ) -> c_int {
        from_result(|| {
            // SAFETY: eventfs opens it.
            let file = core::ptr::from_ref(unsafe { Self::file_of(opened)? });
            // SAFETY: That is for who opens it to set.
            unsafe { (*opened).private_data = file.cast_mut().cast() };
            Ok(0)
        })
    }

    /// Reads a file that is not read by `seq_file`.
    ///
    /// # Safety
    ///
    /// For eventfs, which calls it as an operation of a file that `raw_open` has opened.
    unsafe extern "C" fn raw_read(
        opened: *mut bindings::file,
        buffer: *mut c_char,
        count: usize,
        offset: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: `raw_open` has put it there.
        let file = unsafe { &*(*opened).private_data.cast::<File<P::Target>>() };
        let Read::Raw(read) = file.read else {
            return EINVAL.to_errno() as isize;
        };
        let mut user = UserSlice::new(UserPtr::from_ptr(buffer.cast()), count).writer();
        // SAFETY: eventfs gives an offset that is only for this operation.
        let offset = unsafe { &mut *offset };
        // SAFETY: This is the operation.
        let done = unsafe { Self::with_data(opened, |data| read(data, &mut user, offset)) };
        done_or_error(done.and_then(|done| within(done, count)))
    }

    /// Writes to a file that is not read by `seq_file`.
    ///
    /// # Safety
    ///
    /// For eventfs, which calls it as an operation of a file that `raw_open` has opened.
    unsafe extern "C" fn raw_write(
        opened: *mut bindings::file,
        buffer: *const c_char,
        count: usize,
        offset: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: `raw_open` has put it there.
        let file = unsafe { &*(*opened).private_data.cast::<File<P::Target>>() };
        // SAFETY: eventfs gives what an operation gets.
        unsafe { Self::write(file, opened, buffer, count, offset) }
    }

    /// Writes to a file.
    ///
    /// # Safety
    ///
    /// The arguments but for the first one must be what a write operation of this type got, and
    /// that operation must not return before this function.
    unsafe fn write(
        file: &File<P::Target>,
        opened: *mut bindings::file,
        buffer: *const c_char,
        count: usize,
        offset: *mut bindings::loff_t,
    ) -> isize {
        let user = UserSlice::new(UserPtr::from_ptr(buffer.cast_mut().cast()), count).reader();
        // SAFETY: The caller promises an offset that is only for this operation.
        let offset = unsafe { &mut *offset };
        // SAFETY: The caller promises that the operation runs.
        let done = unsafe { Self::with_data(opened, |data| file.take(data, user, offset)) };
        done_or_error(done)
    }
}

/// What an operation returns.
fn done_or_error(done: Result<usize>) -> isize {
    match done.and_then(|done| isize::try_from(done).map_err(|_| EIO)) {
        Ok(done) => done,
        Err(error) => error.to_errno() as isize,
    }
}
