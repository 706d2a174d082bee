// SPDX-License-Identifier: GPL-2.0

//! A module that publishes a tree of its own in eventfs, in Rust and without `unsafe`.
//!
//! ```text
//! client_rust/
//!     control       write `add NAME` or `remove NAME` for a queue
//!     uptime_ns     the time since the module was loaded
//!     stats/        counters in a `static`
//!     settings/     writable values in a `KBox`
//!     queues/       a directory for each queue, which is an `Arc`
//! ```

#![deny(unsafe_code)]

use kernel::{
    fs::file::Offset,
    new_mutex,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    str::CString,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex,
        SetOnce, //
    },
    time::{
        Instant,
        Monotonic, //
    },
    uaccess::{
        UserSliceReader,
        UserSliceWriter, //
    }, //
};

#[path = "../include/rust_eventfs.rs"]
mod eventfs;

use eventfs::{
    Dir,
    File,
    Files,
    Parent, //
};

module! {
    type: ClientModule,
    name: "eventfs_client_rust",
    authors: ["The rust_eventfs authors"],
    description: "Sample: publish a tree in eventfs, in Rust",
    license: "GPL",
}

/// The data of `stats`.
struct Stats {
    /// The number of reads of `reads`.
    reads: Atomic<u64>,
    /// The number of [`Counted`] data of directories made so far.
    made: Atomic<u64>,
    /// The number of those dropped.
    dropped: Atomic<u64>,
}

/// The counters of this module.
static STATS: Stats = Stats {
    reads: Atomic::new(0),
    made: Atomic::new(0),
    dropped: Atomic::new(0),
};

impl Files for Stats {
    const FILES: &'static [File<Self>] = &[
        File::number(c"reads", |stats| stats.reads.fetch_add(1, Relaxed) + 1),
        File::number(c"made", |stats| stats.made.load(Relaxed)),
        File::number(c"dropped", |stats| stats.dropped.load(Relaxed)),
        File::string(c"version", |_| "1.0").mode(0o400),
    ];
}

/// A field that counts how often its struct is made and dropped, in [`STATS`].
struct Counted;

impl Counted {
    /// Counts a struct that is made.
    fn new() -> Self {
        STATS.made.fetch_add(1, Relaxed);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        STATS.dropped.fetch_add(1, Relaxed);
    }
}

/// The size of `registers`.
const REGISTERS: usize = 16;

/// The data of `settings`.
#[pin_data]
struct Settings {
    /// A number from -20 to 19.
    nice: Atomic<i64>,
    /// Bytes that are read and written at any offset.
    #[pin]
    registers: Mutex<[u8; REGISTERS]>,
    /// Counts these settings.
    counted: Counted,
}

impl Settings {
    /// The initial settings.
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            nice: Atomic::new(0),
            registers <- new_mutex!([0; REGISTERS]),
            counted: Counted::new(),
        })
    }

    /// Sets `nice`.
    fn set_nice(&self, nice: i64) -> Result {
        if !(-20..20).contains(&nice) {
            return Err(ERANGE);
        }
        self.nice.store(nice, Relaxed);
        Ok(())
    }

    /// Copies registers to user space.
    fn read_registers(&self, user: &mut UserSliceWriter, pos: &mut Offset) -> Result<usize> {
        // Not under the lock: copying to user memory may sleep for long.
        let registers = *self.registers.lock();
        user.write_slice_file(&registers, pos)
    }

    /// Copies registers from user space.
    fn write_registers(&self, user: &mut UserSliceReader, pos: &mut Offset) -> Result<usize> {
        let start = usize::try_from(*pos)?;
        let mut bytes = [0; REGISTERS];
        let bytes = match bytes.get_mut(start..) {
            Some(room) if !room.is_empty() => room,
            _ => return Err(ENOSPC),
        };
        let count = user.read_slice_partial(bytes, 0)?;
        let mut registers = self.registers.lock();
        for (register, byte) in registers.iter_mut().skip(start).zip(bytes).take(count) {
            *register = *byte;
        }
        *pos += Offset::try_from(count)?;
        Ok(count)
    }
}

impl Files for Settings {
    const FILES: &'static [File<Self>] = &[
        File::signed_rw(
            c"nice",
            |settings| settings.nice.load(Relaxed),
            Settings::set_nice,
        ),
        File::raw_rw(
            c"registers",
            Settings::read_registers,
            Settings::write_registers,
        )
        .mode(0o600),
    ];
}

/// The largest depth of a queue.
const MAX_DEPTH: u64 = 1024;

/// A queue: the data of a directory in `queues`.
#[pin_data]
struct Queue {
    /// The number of packets it can hold.
    depth: Atomic<u64>,
    /// Whether it runs.
    enabled: Atomic<bool>,
    /// A text for users.
    #[pin]
    label: Mutex<CString>,
    /// Counts this queue.
    counted: Counted,
}

impl Queue {
    /// Makes a queue, with its name as the label.
    fn new(name: &str) -> Result<Arc<Self>> {
        let name = CString::try_from_fmt(fmt!("{name}"))?;
        Arc::pin_init(
            pin_init!(Self {
                depth: Atomic::new(64),
                enabled: Atomic::new(false),
                label <- new_mutex!(name),
                counted: Counted::new(),
            }),
            GFP_KERNEL,
        )
    }

    /// Sets the depth.
    fn set_depth(&self, depth: u64) -> Result {
        if depth > MAX_DEPTH {
            return Err(ERANGE);
        }
        self.depth.store(depth, Relaxed);
        Ok(())
    }

    /// Prints the label.
    fn show_label(&self, seq: &SeqFile) -> Result {
        seq_print!(seq, "{}", &**self.label.lock());
        Ok(())
    }

    /// Sets the label.
    fn set_label(&self, label: &str) -> Result {
        let label = CString::try_from_fmt(fmt!("{label}"))?;
        *self.label.lock() = label;
        Ok(())
    }

    /// Prints the whole state.
    fn show_info(&self, seq: &SeqFile) -> Result {
        seq_print!(seq, "depth {}\n", self.depth.load(Relaxed));
        seq_print!(seq, "enabled {}\n", self.enabled.load(Relaxed));
        seq_print!(seq, "label {}\n", &**self.label.lock());
        Ok(())
    }
}

impl Files for Queue {
    const FILES: &'static [File<Self>] = &[
        File::number_rw(
            c"depth",
            |queue| queue.depth.load(Relaxed),
            Queue::set_depth,
        ),
        File::flag_rw(
            c"enabled",
            |queue| queue.enabled.load(Relaxed),
            |queue, enabled| {
                queue.enabled.store(enabled, Relaxed);
                Ok(())
            },
        ),
        File::string_rw(c"label", Queue::show_label, Queue::set_label).limit(64),
        File::seq(c"info", Queue::show_info),
        // This file exists only while the queue runs.
        File::number(c"used", |_| 0).present_if(|queue| queue.enabled.load(Relaxed)),
    ];
}

/// A queue and its directory.
struct Published {
    /// The name of the directory.
    name: CString,
    /// The queue.
    queue: Arc<Queue>,
    /// The handle of the directory, which also owns a reference to the queue.
    _dir: Dir,
}

/// The data of `client_rust`.
#[pin_data]
struct Client {
    /// The directory `queues`, the parent of those of the queues. Set after `client_rust`, which it
    /// is in, was created with this data.
    queues_dir: SetOnce<Dir>,
    /// All queues.
    #[pin]
    queues: Mutex<KVec<Published>>,
    /// The time at which the module was loaded.
    loaded: Instant<Monotonic>,
    /// Counts this client.
    counted: Counted,
}

impl Client {
    /// A client without queues.
    fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                queues_dir: SetOnce::new(),
                queues <- new_mutex!(KVec::new()),
                loaded: Instant::now(),
                counted: Counted::new(),
            }),
            GFP_KERNEL,
        )
    }

    /// Executes a command written to `control`.
    fn control(&self, command: &str) -> Result {
        let mut words = command.split_ascii_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("add"), Some(name), None) => self.add(name),
            (Some("remove"), Some(name), None) => self.remove(name),
            _ => Err(EINVAL),
        }
    }

    /// Adds a queue. eventfs checks the name.
    fn add(&self, name: &str) -> Result {
        let parent = self.queues_dir.as_ref().ok_or(ENODEV)?;
        let queue = Queue::new(name)?;
        let name = CString::try_from_fmt(fmt!("{name}"))?;
        let published = Published {
            _dir: Dir::new(&name, parent, queue.clone())?,
            name,
            queue,
        };
        let mut queues = self.queues.lock();
        // If this fails, the lock is released before `published` is dropped, with its directory.
        // `push` cannot fail after it.
        queues.reserve(1, GFP_KERNEL)?;
        queues.push(published, GFP_KERNEL)?;
        Ok(())
    }

    /// Removes a queue.
    fn remove(&self, name: &str) -> Result {
        let removed = {
            let mut queues = self.queues.lock();
            let at = queues
                .iter()
                .position(|one| one.name.to_bytes() == name.as_bytes())
                .ok_or(ENOENT)?;
            queues.remove(at).map_err(|_| ENOENT)?
        };
        // Not under the lock: this waits for functions of the queue's files.
        drop(removed);
        Ok(())
    }

    /// Prints all queues.
    fn show(&self, seq: &SeqFile) -> Result {
        for one in self.queues.lock().iter() {
            seq_print!(seq, "{} {}\n", &*one.name, one.queue.depth.load(Relaxed));
        }
        Ok(())
    }
}

impl Files for Client {
    const FILES: &'static [File<Self>] = &[
        File::command(c"control", Client::control)
            .shown_by(Client::show)
            .limit(300),
        File::signed(c"uptime_ns", |client| client.loaded.elapsed().as_nanos()),
    ];
}

/// The module. Dropping it removes its directories, in any order.
struct ClientModule {
    /// `client_rust`, with everything in it.
    _top: Dir,
    /// `stats`.
    _stats: Dir,
    /// `settings`.
    _settings: Dir,
    /// Dropped last, after all directories.
    _farewell: Farewell,
}

/// Logs the counters when it is dropped.
struct Farewell;

impl Drop for Farewell {
    fn drop(&mut self) {
        let made = STATS.made.load(Relaxed);
        let dropped = STATS.dropped.load(Relaxed);
        pr_info!("made {made}, dropped {dropped}\n");
    }
}

impl kernel::Module for ClientModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let client = Client::new()?;
        let top = Dir::new(c"client_rust", Parent::Root, client.clone())?;
        let stats = Dir::new(c"stats", &top, &STATS)?;
        let settings = KBox::pin_init(Settings::new(), GFP_KERNEL)?;
        let settings = Dir::new(c"settings", &top, settings)?;
        client.queues_dir.populate(Dir::group(c"queues", &top)?);
        Ok(Self {
            _top: top,
            _stats: stats,
            _settings: settings,
            _farewell: Farewell,
        })
    }
}
