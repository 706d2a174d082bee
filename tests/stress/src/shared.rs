// SPDX-License-Identifier: GPL-2.0

//! What all threads know.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use crate::options::Options;
use crate::rng::Rng;
use crate::work::{self, Loads};

/// What the command line says.
pub struct Settings {
    /// Where eventfs is mounted.
    pub root: PathBuf,
    /// Where the kernel's own tracefs is mounted.
    pub tracefs: PathBuf,
    /// A directory of our own, for mounts.
    pub scratch: PathBuf,
    /// Where the modules are.
    pub modules: PathBuf,
    /// Where each thread notes what it does; nowhere if it is empty.
    pub log: PathBuf,
    /// What all random numbers come from.
    pub seed: u64,
    /// How many threads there are.
    pub threads: usize,
    /// How long they work.
    pub time: Duration,
    /// After how many operations each is done; 0: when the time is up.
    pub operations: u64,
    /// How long an operation may take before it counts as stuck.
    pub patience: Duration,
    /// How often progress is told; 0: never.
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

/// An event that exists all the time.
pub struct FixedEvent {
    /// Its directory below the root.
    pub dir: String,
    /// What its `format` says.
    pub format: String,
    /// What its `id` says.
    pub id: String,
}

/// What exists all the time.
#[derive(Default)]
pub struct Fixed {
    /// The directories below `events`.
    pub groups: Vec<String>,
    /// Some of the events.
    pub events: Vec<FixedEvent>,
    /// The files of the root that may be read.
    pub files: Vec<String>,
    /// The names in the directory of an event.
    pub names: Vec<String>,
}

/// Files of the root that are not read.
const UNREAD: &[&str] = &[
    // The ring buffer goes when it is closed.
    "free_buffer",
    // They cost the emulated processor seconds each time they are opened.
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

/// What a file says.
fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

impl Fixed {
    /// Looks at the kernel's own tree, before the first change.
    pub fn find(tracefs: &Path, seed: u64) -> Result<Self, String> {
        /// How many events are looked at closely.
        const SAMPLED: usize = 40;

        let events = tracefs.join("events");
        let mut groups = names(&events)?;
        // The module with the last one comes and goes.
        groups.retain(|group| events.join(group).is_dir() && group != "sample-trace");
        let mut rng = Rng::of(seed, usize::MAX, 0);
        let mut chosen: Vec<FixedEvent> = Vec::new();
        // To look at all of them would take long where that is slow.
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

/// What a thread is doing.
#[derive(Default)]
pub struct Progress {
    /// Its id, as the kernel counts threads.
    pub id: AtomicI32,
    /// The number of its operation.
    pub operation: AtomicU64,
    /// Whether it has ended.
    pub done: AtomicBool,
    /// What it does and with what.
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

/// What all threads share.
pub struct Shared {
    /// What the command line says.
    pub settings: Settings,
    /// What exists all the time.
    pub fixed: Fixed,
    /// What each thread is doing.
    pub progress: Vec<Progress>,
    /// Whether one of them has made memory short.
    pub pressure: Mutex<bool>,
    /// The modules that make trees; who uses one of these holds this.
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

    /// Notes what went wrong, and ends all threads.
    pub fn fail(&self, what: String) {
        eprintln!("FAILED: {what}");
        if let Ok(mut failures) = self.failures.lock() {
            failures.push(what);
        }
        self.stop();
    }

    /// How much went wrong.
    pub fn failures(&self) -> usize {
        self.failures.lock().map_or(1, |failures| failures.len())
    }

    /// Ends all threads.
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
