// SPDX-License-Identifier: GPL-2.0

//! A thread of `stress run`: the events that it owns, its operations, and the results
//! that it expects.

mod clients;
mod events;
mod files;
mod held;
mod mounts;
mod names;
mod system;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rustix::fs::OFlags;
use rustix::io::{self, Errno};

use crate::errno;
use crate::raw;
use crate::rng::Rng;
use crate::shared::Shared;
use crate::tally::Tally;
use clients::Clients;
pub use clients::{load_all, unload_all, Loads};
use events::Slot;
use held::{Held, Watch};
use mounts::Mounted;
pub use system::reclaims;

/// Whether a path exists, as far as a thread knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// It exists: no other thread can remove it.
    Present,
    /// It does not exist: no other thread can create it.
    Absent,
    /// Other threads create and remove it.
    Unknown,
}

/// The owner of the event that a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// This thread, which has the event in this slot.
    Mine(usize),
    /// None: the event with this index exists throughout the run.
    Fixed(usize),
    /// Another thread.
    Others,
}

/// A path below a mount.
#[derive(Clone, Debug)]
struct Subject {
    /// The path, with the mount point.
    path: PathBuf,
    /// The name in the directory of the event, or the empty name for the directory.
    file: String,
    /// The owner of the event.
    owner: Owner,
    /// Whether the path exists.
    presence: Presence,
}

impl Subject {
    /// Whether it is a directory.
    fn is_directory(&self) -> bool {
        self.file.is_empty()
    }
}

/// Errors for something that another thread may remove.
const VANISHED: &[Errno] = &[Errno::NOENT, Errno::NODEV];

/// A thread of `stress run`.
pub struct Worker<'a> {
    shared: &'a Shared,
    /// The number of the thread.
    thread: usize,
    /// The directory of its mount points.
    scratch: PathBuf,
    /// The generator of the current operation.
    rng: Rng,
    /// The name of the current operation.
    operation: &'static str,
    /// The number of the current operation.
    number: u64,
    /// The events that it owns.
    slots: Vec<Slot>,
    /// The files and directories that it has open.
    held: Vec<Held>,
    /// The inotify watches that it has.
    watches: Vec<Watch>,
    /// The mounts on its mount points.
    mounted: [Option<Mounted>; mounts::POINTS],
    /// The event whose directory is the working directory, and its generation then.
    cwd: Option<(usize, u32)>,
    /// The trees that it has published through modules.
    clients: Clients,
    tally: Tally,
    log: Option<File>,
}

/// An operation.
struct Operation {
    name: &'static str,
    /// Its frequency, relative to the other operations.
    weight: usize,
    act: fn(&mut Worker<'_>),
}

/// All operations.
const OPERATIONS: &[Operation] = {
    const fn operation(name: &'static str, weight: usize, act: fn(&mut Worker<'_>)) -> Operation {
        Operation { name, weight, act }
    }
    &[
        operation("add or remove", 16, |worker| worker.add_or_remove()),
        operation("add several", 3, |worker| worker.add_several()),
        operation("remove a group", 2, |worker| worker.remove_group()),
        operation("stat", 14, |worker| worker.stat()),
        operation("access", 6, |worker| worker.access()),
        operation("missing", 4, |worker| worker.missing()),
        operation("list", 9, |worker| worker.list()),
        operation("list and change", 3, |worker| worker.list_and_change()),
        operation("read", 10, |worker| worker.read()),
        operation("pread and seek", 5, |worker| worker.pread_and_seek()),
        operation("root file", 4, |worker| worker.root_file()),
        operation("enable", 5, |worker| worker.enable()),
        operation("filter", 4, |worker| worker.filter()),
        operation("marker", 2, |worker| worker.marker()),
        operation("hold", 7, |worker| worker.hold()),
        operation("use held", 12, |worker| worker.use_held()),
        operation("close held", 3, |worker| worker.close_some()),
        operation("chmod or chown", 5, |worker| worker.change_attributes()),
        operation("chdir", 3, |worker| worker.chdir()),
        operation("relative", 4, |worker| worker.relative()),
        operation("watch", 4, |worker| worker.watch()),
        operation("hold a watch", 3, |worker| worker.hold_watch()),
        operation("use a watch", 4, |worker| worker.use_watch()),
        operation("mount", 4, |worker| worker.mount()),
        operation("cover", 2, |worker| worker.cover()),
        operation("remount", 1, |worker| worker.remount()),
        operation("drop caches", 1, |worker| worker.drop_caches()),
        operation("pressure", 1, |worker| worker.pressure()),
        operation("sample module", 1, |worker| worker.sample_module()),
        operation("unload", 1, |worker| worker.unload()),
        operation("clients", 8, |worker| worker.clients()),
    ]
};

impl<'a> Worker<'a> {
    /// Prepares the calling thread, and gives it its own working directory.
    pub fn new(shared: &'a Shared, thread: usize) -> Result<Self, String> {
        // Odd threads get their own mount namespace. Even ones share one.
        raw::unshare_fs(thread % 2 == 1).map_err(|error| format!("unshare: {error}"))?;
        shared.progress[thread].begin();
        let scratch = shared.settings.scratch.join(format!("t{thread}"));
        mounts::make_points(&scratch)?;
        let log = &shared.settings.log;
        let log = if log.as_os_str().is_empty() {
            None
        } else {
            let path = log.join(format!("thread{thread}"));
            let file = File::create(&path);
            Some(file.map_err(|error| format!("{}: {error}", path.display()))?)
        };
        Ok(Self {
            shared,
            thread,
            scratch,
            rng: Rng::of(shared.settings.seed, thread, 0),
            operation: "begin",
            number: 0,
            slots: events::slots(),
            held: Vec::new(),
            watches: Vec::new(),
            mounted: [const { None }; mounts::POINTS],
            cwd: None,
            clients: Clients::default(),
            tally: Tally::default(),
            log,
        })
    }

    /// Performs operations until the end of the run.
    pub fn work(mut self) -> Tally {
        let operations = self.shared.settings.operations;
        let all = OPERATIONS.iter().map(|operation| operation.weight).sum();
        while !self.shared.stopped() && (operations == 0 || self.number < operations) {
            self.number += 1;
            let own = &self.shared.progress[self.thread];
            own.operation.store(self.number, Ordering::Relaxed);
            self.rng = Rng::of(self.shared.settings.seed, self.thread, self.number);
            let mut at = self.rng.below(all);
            for operation in OPERATIONS {
                if at < operation.weight {
                    self.operation = operation.name;
                    self.tally.operation(operation.name);
                    self.note(operation.name);
                    (operation.act)(&mut self);
                    break;
                }
                at -= operation.weight;
            }
        }
        self.operation = "end";
        self.end();
        self.tally
    }

    /// Closes, unmounts and removes everything that this thread has.
    fn end(&mut self) {
        self.held.clear();
        for watch in std::mem::take(&mut self.watches) {
            self.end_watch(&watch);
        }
        let result = rustix::process::chdir("/");
        self.must("chdir", Path::new("/"), result);
        self.unmount_all();
        self.remove_all();
        self.unload_sample();
        self.remove_clients();
    }

    /// Appends a line to the thread's log, if there is one.
    fn note(&mut self, what: &str) {
        if let Some(log) = &mut self.log {
            let _ = writeln!(log, "{} {what}", self.number);
        }
    }

    /// Records the call that this thread is about to make.
    fn doing(&self, call: &'static str, path: &Path) {
        self.shared.progress[self.thread].doing(call, path);
    }

    /// Records a failure.
    fn fail(&self, path: &Path, what: &str) {
        self.shared.fail(format!(
            "seed {} thread {} operation {} ({}): {}: {what}",
            self.shared.settings.seed,
            self.thread,
            self.number,
            self.operation,
            path.display()
        ));
    }

    /// Counts the result of a call, which has to succeed, or fail with an error of
    /// `allowed`. Returns the value.
    fn allow<T>(
        &mut self,
        call: &'static str,
        path: &Path,
        result: io::Result<T>,
        allowed: &[Errno],
    ) -> Option<T> {
        self.doing(call, path);
        match result {
            Ok(value) => {
                self.tally.call(self.operation, call, None);
                Some(value)
            }
            Err(error) => {
                self.tally.call(self.operation, call, Some(error));
                if !allowed.contains(&error) {
                    self.fail(path, &format!("{call}: {}", errno::name(error)));
                }
                None
            }
        }
    }

    /// Counts the result of a call that has to succeed.
    fn must<T>(&mut self, call: &'static str, path: &Path, result: io::Result<T>) -> Option<T> {
        self.allow(call, path, result, &[])
    }

    /// Counts the result of a call that has to fail with an error of `expected`.
    fn must_fail<T>(
        &mut self,
        call: &'static str,
        path: &Path,
        result: io::Result<T>,
        expected: &[Errno],
    ) {
        if self.allow(call, path, result, expected).is_some() {
            self.fail(path, &format!("{call}: succeeds"));
        }
    }

    /// Counts the result of a call on a path, which depends on the path's presence.
    fn check<T>(
        &mut self,
        call: &'static str,
        path: &Path,
        presence: Presence,
        result: io::Result<T>,
    ) -> Option<T> {
        match presence {
            Presence::Present => self.must(call, path, result),
            Presence::Absent => {
                self.must_fail(call, path, result, &[Errno::NOENT]);
                None
            }
            Presence::Unknown => self.allow(call, path, result, VANISHED),
        }
    }

    /// The mount point of a mount of the tree, mostly of the one that all threads share.
    fn root(&mut self) -> PathBuf {
        let mut roots: Vec<PathBuf> = Vec::new();
        for (point, mounted) in self.mounted.iter().enumerate() {
            if matches!(mounted, Some(Mounted::Tree)) {
                roots.push(self.point(point));
            }
        }
        let chosen = self.rng.below(4 + roots.len());
        roots
            .get(chosen.wrapping_sub(4))
            .cloned()
            .unwrap_or_else(|| self.shared.settings.root.clone())
    }

    /// The directory of any event, below the root.
    fn any_event(&mut self) -> (String, Owner, Presence) {
        let draw = self.rng.below(100);
        let slot = self.rng.below(self.slots.len());
        let fixed = self.rng.below(self.shared.fixed.events.len());
        let other = self.rng.below(self.shared.settings.threads);
        match draw {
            0..50 => self.own_event(slot),
            50..75 if other != self.thread => (
                events::path_of(other, slot),
                Owner::Others,
                Presence::Unknown,
            ),
            _ => (
                self.shared.fixed.events[fixed].dir.clone(),
                Owner::Fixed(fixed),
                Presence::Present,
            ),
        }
    }

    /// The directory of the event in a slot of this thread, below the root.
    fn own_event(&self, slot: usize) -> (String, Owner, Presence) {
        let presence = if self.slots[slot].here {
            Presence::Present
        } else {
            Presence::Absent
        };
        (
            events::path_of(self.thread, slot),
            Owner::Mine(slot),
            presence,
        )
    }

    /// A file of any event, or its directory, with a name from `files`.
    fn any_subject(&mut self, files: &[&str]) -> Subject {
        let root = self.root();
        let (event, owner, presence) = self.any_event();
        let file = self.rng.pick(files).to_string();
        let mut path = root.join(event);
        if !file.is_empty() {
            path.push(&file);
        }
        Subject {
            path,
            file,
            owner,
            presence,
        }
    }

    /// Adds flags with which an open never blocks.
    fn flags(flags: OFlags) -> OFlags {
        flags | OFlags::NONBLOCK | OFlags::CLOEXEC
    }
}

/// The readable files of an event.
const READABLE: &[&str] = &["enable", "filter", "format", "hist", "id", "trigger"];

/// All files of an event. The empty name stands for its directory.
pub const ALL: &[&str] = &[
    "", "enable", "filter", "format", "hist", "id", "inject", "trigger",
];
