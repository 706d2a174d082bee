// SPDX-License-Identifier: GPL-2.0

//! The state that all threads share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use crate::options::Options;
use crate::rng::Rng;
use crate::work::{self, Loads};

/// The settings from the command line.
pub struct Settings {
    /// The mount point of eventfs.
    pub root: PathBuf,
    /// The mount point of the kernel's own tracefs.
    pub tracefs: PathBuf,
    /// A directory for mount points.
    pub scratch: PathBuf,
    /// The directory of the modules.
    pub modules: PathBuf,
    /// The directory of the threads' logs. Without one, the path is empty.
    pub log: PathBuf,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The number of threads.
    pub threads: usize,
    /// The duration of the run.
    pub time: Duration,
    /// The number of operations of each thread, or 0 for no limit.
    pub operations: u64,
    /// The time after which an operation counts as stuck.
    pub patience: Duration,
    /// The seconds between reports of progress, or 0 for none.
    pub progress: u64,
}

impl Settings {
    /// The settings that `run` and `fuzz` share, from their options and the defaults.
    pub fn common(options: &mut Options, root: PathBuf, threads: usize) -> Result<Self, String> {
        Ok(Self {
            root,
            tracefs: options.value("tracefs", PathBuf::from("/sys/kernel/tracing"))?,
            scratch: options.value("scratch", PathBuf::from("/tmp/stress"))?,
            modules: PathBuf::new(),
            log: PathBuf::new(),
            seed: options.value("seed", 1)?,
            threads: options.value("threads", threads)?,
            time: Duration::from_secs(options.value("seconds", 10)?),
            operations: options.value("operations", 0)?,
            patience: Duration::from_secs(options.value("patience", 120)?),
            progress: 0,
        })
    }
}

/// An event of the kernel that exists throughout the run.
pub struct FixedEvent {
    /// Its directory below the root.
    pub dir: String,
    /// The contents of its `format`.
    pub format: String,
    /// The contents of its `id`.
    pub id: String,
}

/// Names and events that exist throughout the run.
#[derive(Default)]
pub struct Fixed {
    /// The directories below `events`.
    pub groups: Vec<String>,
    /// Some of the events.
    pub events: Vec<FixedEvent>,
    /// The files of the root that are read.
    pub files: Vec<String>,
    /// The names in the directory of an event.
    pub names: Vec<String>,
}

/// Files of the root that are not read.
const UNREAD: &[&str] = &[
    // Its release frees the ring buffer.
    "free_buffer",
    // An open of these takes seconds on an emulated processor.
    "available_filter_functions",
    "available_filter_functions_addrs",
    "enabled_functions",
    "touched_functions",
];

/// The names in a directory.
fn names(dir: &Path) -> Result<Vec<String>, String> {
    let context = |error| format!("{}: {error}", dir.display());
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).map_err(context)? {
        all.push(
            entry
                .map_err(context)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    all.sort();
    Ok(all)
}

/// The contents of a file.
fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

impl Fixed {
    /// Reads the kernel's own tree before the first change.
    pub fn find(tracefs: &Path, seed: u64) -> Result<Self, String> {
        /// The number of events whose files are read.
        const SAMPLED: usize = 40;

        let events = tracefs.join("events");
        let mut groups = names(&events)?;
        // The run loads and unloads the module that has sample-trace.
        groups.retain(|group| events.join(group).is_dir() && group != "sample-trace");
        let mut rng = Rng::of(seed, usize::MAX, 0);
        let mut chosen: Vec<FixedEvent> = Vec::new();
        // A sample: to read all events would take long on a slow kernel.
        for _ in 0..10 * SAMPLED {
            if chosen.len() == SAMPLED || groups.is_empty() {
                break;
            }
            let group = &groups[rng.below(groups.len())];
            let members = names(&events.join(group))?;
            let Some(event) = members.get(rng.below(members.len())) else {
                continue;
            };
            let dir = format!("events/{group}/{event}");
            let path = tracefs.join(&dir);
            let whole = work::ALL.iter().all(|file| path.join(file).exists());
            if !whole || chosen.iter().any(|other| other.dir == dir) {
                continue;
            }
            let format = text(&path.join("format"))?;
            let id = text(&path.join("id"))?;
            chosen.push(FixedEvent { dir, format, id });
        }
        let first = chosen.first().ok_or("there are no events")?;
        let own = names(&tracefs.join(&first.dir))?;
        let mut files = names(tracefs)?;
        files.retain(|name| tracefs.join(name).is_file() && !UNREAD.contains(&name.as_str()));
        Ok(Self {
            groups,
            events: chosen,
            files,
            names: own,
        })
    }
}

/// The current operation of a thread.
#[derive(Default)]
pub struct Progress {
    /// The thread's id (`gettid()`).
    pub id: AtomicI32,
    /// The number of the operation.
    pub operation: AtomicU64,
    /// Whether the thread has ended.
    pub done: AtomicBool,
    /// The current call and its path.
    pub doing: Mutex<(&'static str, PathBuf)>,
}

impl Progress {
    /// Records the id of the calling thread, which owns this progress.
    pub fn begin(&self) {
        let id = rustix::thread::gettid().as_raw_nonzero().get();
        self.id.store(id, Ordering::Relaxed);
    }

    /// Records the call that the thread is about to make, for the report of a stuck thread.
    pub fn doing(&self, call: &'static str, path: &Path) {
        if let Ok(mut doing) = self.doing.lock() {
            doing.0 = call;
            doing.1.clear();
            doing.1.push(path);
        }
    }
}

/// The shared state.
pub struct Shared {
    /// The settings from the command line.
    pub settings: Settings,
    /// Names and events that exist throughout the run.
    pub fixed: Fixed,
    /// The current operation of each thread.
    pub progress: Vec<Progress>,
    /// Whether a thread has caused memory pressure.
    pub pressure: Mutex<bool>,
    /// The modules that publish trees. A thread that uses such a tree holds this lock.
    pub clients: RwLock<Loads>,
    failures: Mutex<Vec<String>>,
    stop: AtomicBool,
}

impl Shared {
    /// The state before the start.
    pub fn new(settings: Settings, fixed: Fixed) -> Self {
        let progress = (0..settings.threads).map(|_| Progress::default()).collect();
        Self {
            settings,
            fixed,
            progress,
            pressure: Mutex::default(),
            clients: RwLock::default(),
            failures: Mutex::default(),
            stop: AtomicBool::new(false),
        }
    }

    /// Records a failure and stops all threads.
    pub fn fail(&self, what: String) {
        eprintln!("FAILED: {what}");
        if let Ok(mut failures) = self.failures.lock() {
            failures.push(what);
        }
        self.stop();
    }

    /// The number of failures.
    pub fn failures(&self) -> usize {
        self.failures.lock().map_or(1, |failures| failures.len())
    }

    /// Asks all threads to end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether the threads should end.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The number of operations so far.
    pub fn operations(&self) -> u64 {
        let numbers = self.progress.iter().map(|own| &own.operation);
        numbers.map(|number| number.load(Ordering::Relaxed)).sum()
    }
}
