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

// A client uses what it needs.
#![allow(dead_code, unreachable_pub)]

use kernel::{
    fs::file::Offset,
    prelude::*,
    seq_file::SeqFile,
    uaccess::{
        UserSliceReader,
        UserSliceWriter, //
    },
};

#[path = "rust_eventfs/ffi.rs"]
mod ffi;
#[path = "rust_eventfs/file.rs"]
mod file;
#[path = "rust_eventfs/handle.rs"]
mod handle;
#[path = "rust_eventfs/ownership.rs"]
mod ownership;
#[path = "rust_eventfs/parse.rs"]
mod parse;
#[path = "rust_eventfs/table.rs"]
mod table;

use file::{
    Read,
    Write, //
};
use handle::DirHandle;

pub use ownership::Ownership;

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
pub struct Dir(DirHandle);

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
        DirHandle::with_files(name, parent.into(), data).map(Self)
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
        DirHandle::without_files(name, parent.into()).map(Self)
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
    /// File::raw(c"firmware", |device: &Device, user, pos| {
    ///     user.write_slice_file(&device.firmware, pos)
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
    ///     |device: &Device, user, pos| user.write_slice_file(&*device.bytes.lock(), pos),
    ///     |device, user, pos| user.read_slice_file(&mut *device.bytes.lock(), pos),
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
}
