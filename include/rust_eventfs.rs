// SPDX-License-Identifier: GPL-2.0

//! eventfs for modules in Rust: directories that are owned by handles, with files that are tables
//! of functions.
//!
//! The Rust twin of `rust_eventfs.h`, which documents what both languages have in common. A module
//! includes this file in its crate root, next to its `module!`:
//!
//! ```ignore
//! #[path = "../include/rust_eventfs.rs"]
//! mod eventfs;
//! ```
//!
//! It needs no `unsafe` of its own, and may be `#![deny(unsafe_code)]`. (Not `forbid`: the files in
//! `rust_eventfs/`, behind this one, allow it for themselves.) Each module includes its own copy
//! and exports none of it: the directories belong to the module that this file is compiled into.
//!
//! - [`Dir`] is the handle of a directory. Dropping it removes the directory.
//! - [`Files`] is implemented by the data of a directory: a `const` table of its [`File`]s.
//! - [`Ownership`] is how a directory owns its data: `Arc<T>`, `KBox<T>`, `Pin<KBox<T>>`, or
//!   `&'static T`. The data outlives every file operation that uses it, and is dropped once.
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

// No client uses all of it.
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

/// The parent of a new directory. A `&Dir` converts to it.
///
/// # Examples
///
/// ```ignore
/// let top = Dir::group(c"my_driver", Parent::Root)?;
/// let below = Dir::group(c"queues", &top)?;
/// ```
#[derive(Clone, Copy)]
pub enum Parent<'a> {
    /// The root of the mounts, next to `events`. In C: `NULL`.
    Root,
    /// The kernel's own `events`: the new directory is a subsystem. In C: `EVENTFS_EVENTS`.
    Events,
    /// Another directory of this module. If it was removed together with a parent of its own,
    /// creating a directory in it fails with `ENODEV`.
    Dir(&'a Dir),
}

impl<'a> From<&'a Dir> for Parent<'a> {
    fn from(dir: &'a Dir) -> Self {
        Self::Dir(dir)
    }
}

/// A directory that this module has published. It appears in every mount of eventfs, no matter
/// which of the two came first.
///
/// Dropping the handle removes the directory and everything in it, which cannot fail. In C:
/// `eventfs_remove()`. When the drop returns:
///
/// - no path leads to the directory;
/// - no function of its [`Files`] runs or will run;
/// - files that users still have open answer `ENODEV`;
/// - its data has been dropped.
///
/// Directories in it are removed with it, and their data is dropped before its own. Their handles
/// remain: dropping one later does nothing more, and as a parent it gives `ENODEV`. While a thread
/// removes a directory together with its parent, another thread that drops the handle of that
/// directory does not wait for the removal to finish.
///
/// A handle that is forgotten leaves the directory until the module is unloaded.
///
/// # Context
///
/// Creating and dropping a directory may sleep. Dropping waits for the functions of [`Files`] that
/// run, and both may drop data: do neither under a lock that such a function or such a drop takes.
/// A function of a directory's [`Files`] must not drop that directory, nor a parent of it, because
/// it would wait for itself. It may drop any other.
pub struct Dir(DirHandle);

impl Dir {
    /// Creates a directory (mode 0755) with the files that `P`'s data has. The directory owns
    /// `data`. It is complete when it appears, and its functions may be called before this returns.
    ///
    /// In C: `eventfs_create_dir()`.
    ///
    /// # Errors
    ///
    /// `EINVAL` or `ENAMETOOLONG` for a bad name, `EEXIST` for one that is taken, `ENODEV` if the
    /// parent was removed or this module is being unloaded, `EPERM` under kernel lockdown,
    /// `ENOMEM`. In each case `data` is dropped.
    ///
    /// # Context
    ///
    /// May sleep. See [`Dir`] about locks.
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

    /// Creates a directory (mode 0755) without files, for other directories.
    ///
    /// In C, depending on the parent: `eventfs_create_events_dir()`, `eventfs_add_subsystem_dir()`
    /// or `eventfs_add_dir()`.
    ///
    /// # Errors
    ///
    /// Those of [`Dir::new`].
    ///
    /// # Context
    ///
    /// May sleep. See [`Dir`] about locks.
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

/// Data of directories, and the files that such a directory has.
///
/// All directories with data of one type share the table, so each costs the same few bytes, however
/// many files it has. The compiler checks the table: names, duplicates, modes.
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
    /// 1 to 64 files, in the order of listings.
    const FILES: &'static [File<Self>];
}

/// A file of a directory whose data is a `T`: an element of the table in [`Files`].
///
/// **Functions** get a reference to the data of the directory that the file is in. They run in
/// process context, in the thread that makes the system call, may sleep, and may run several times
/// at once. The system call returns their errors. Removal of the directory waits for those that
/// run, and none runs afterwards. They can be closures that capture nothing. A closure that uses
/// its argument has to name the argument's type if a method such as [`File::mode`] follows.
///
/// **Modes** are 0444 for files that can only be read, 0644 for those that can also be written, and
/// 0200 for those that can only be written. [`File::mode`] changes that.
///
/// **Reading** of numbers, flags, strings and [`File::seq`] goes through `seq_file`. The function
/// is called when a read starts at the beginning of the file, so `pread()`, or `lseek()` to 0,
/// shows the current state.
///
/// **Writing** of numbers, flags, strings and commands ignores the file position and handles each
/// write as one text, without white space and zero bytes at its ends. An empty write does nothing.
/// Errors: `E2BIG` if the write is longer than [`File::limit`]; `EINVAL` if the text has zero bytes
/// in it or, for strings and commands, is not UTF-8; `ESPIPE` for `pwrite()` to a file that can
/// also be read, from `seq_file`.
pub struct File<T> {
    /// The name.
    name: &'static CStr,
    /// The mode; 0 for the default, which depends on `read` and `write`.
    mode: u16,
    /// The maximum size of a written text, in bytes.
    limit: usize,
    /// How the file is read.
    read: Read<T>,
    /// How the file is written.
    write: Write<T>,
    /// Whether the file exists. `None` for a file that always does.
    present: Option<fn(&T) -> bool>,
}

impl<T: 'static> File<T> {
    /// The default of [`File::limit`].
    const LIMIT: usize = 4096;

    /// A file with the default mode and limit, which always exists.
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

    /// An unsigned number, in decimal. Read only.
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

    /// An unsigned number, in decimal. Writes are parsed by `kstrtoull()`, which also reads
    /// hexadecimal and octal numbers with the prefixes of C.
    ///
    /// # Errors
    ///
    /// Writing: those of all texts, see [`File`]; `EINVAL` for a text that is not a number;
    /// `ERANGE` for a number of more than 64 bits; those of `set`.
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

    /// A signed number, in decimal. Read only.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::signed(c"balance", |queue: &Queue| queue.balance.load(Relaxed))
    /// ```
    pub const fn signed(name: &'static CStr, get: fn(&T) -> i64) -> Self {
        Self::new(name, Read::Signed(get), Write::Refused)
    }

    /// A signed number, in decimal. Writes are parsed by `kstrtoll()`.
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

    /// A flag, `0` or `1`. Read only.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::flag(c"busy", |queue: &Queue| queue.busy.load(Relaxed))
    /// ```
    pub const fn flag(name: &'static CStr, get: fn(&T) -> bool) -> Self {
        Self::new(name, Read::Flag(get), Write::Refused)
    }

    /// A flag, `0` or `1`. Writes are parsed by `kstrtobool()`: `1`, `y`, `on`, ...
    ///
    /// # Errors
    ///
    /// Writing: those of all texts, see [`File`]; `EINVAL` for a text that `kstrtobool()` does not
    /// know; those of `set`.
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

    /// A string, shown as a line. Read only.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// File::string(c"version", |_: &Stats| "1.0")
    /// ```
    pub const fn string(name: &'static CStr, get: for<'a> fn(&'a T) -> &'a str) -> Self {
        Self::new(name, Read::Text(get), Write::Refused)
    }

    /// A string. `show` prints it without a newline, which is added.
    ///
    /// # Errors
    ///
    /// Writing: those of all texts, see [`File`]; those of `set`. Reading: those of `show`.
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

    /// Text of any length, printed by `show`. Read only. `show` is called again with a larger
    /// buffer if the text did not fit.
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

    /// A control file: `run` gets each write as one command. Write only, unless [`File::shown_by`]
    /// adds a function for reading.
    ///
    /// # Errors
    ///
    /// Writing: those of all texts, see [`File`]; those of `run`.
    ///
    /// # Context
    ///
    /// `run` may create and drop directories, except to drop the one that the file is in, or a
    /// parent of it.
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

    /// Bytes. Read only. `read` copies bytes from the file position to user space, advances the
    /// position, and returns how many bytes it has copied: 0 at the end of the file.
    ///
    /// # Errors
    ///
    /// Reading: those of `read`; `EIO` if it returns a larger number than was asked for.
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

    /// Bytes. `read` is that of [`File::raw`]. `write` copies bytes from user space to the file
    /// position, advances the position, and returns how many bytes it has copied.
    ///
    /// # Errors
    ///
    /// Those of `read` and `write`; `EIO` if one returns a larger number than was asked for.
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

    /// Bytes. Write only. `write` is that of [`File::raw_rw`].
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

    /// Makes a [`File::command`] readable: `show` prints its text, as in [`File::seq`].
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

    /// Sets the mode.
    ///
    /// A mode does not compile if it has bits other than those for reading and writing, or if the
    /// file does not support what it permits.
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

    /// Sets the maximum size of a written text, by default 4096 bytes, and less than 1 MiB. A write
    /// is copied as a whole before it is parsed.
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

    /// Makes the file optional: it exists while `present` returns `true`.
    ///
    /// `present` is called when the name is looked up and the kernel has not cached it. Opening the
    /// directory looks up all names; with `readdir=metadata` each listing calls `present` instead.
    /// That a file exists is cached, so it may be found for as long as the kernel caches its name;
    /// that it does not exist is not. Open files stay open.
    ///
    /// # Context
    ///
    /// `present` may be called with locks of eventfs held. It must not create or drop directories.
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
