// SPDX-License-Identifier: GPL-2.0

//! Files and directories that stay open for a while, also when their event is removed.

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::fs::{self, Mode, OFlags, SeekFrom};
use rustix::io::{self, Errno};

use super::events::DEAD;
use super::{Owner, Presence, Subject, Worker, ALL, READABLE, VANISHED};
use crate::listing;

/// The largest number of descriptors that a thread holds.
const LIMIT: usize = 24;

/// The largest number of watches of a thread. A user may have 128 inotify instances.
const WATCHES: usize = 4;

/// The kind of a held descriptor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Open for reading, or for reading and writing.
    File,
    /// An open directory.
    Directory,
    /// `O_PATH`.
    Path,
}

/// A held descriptor.
pub(super) struct Held {
    fd: OwnedFd,
    kind: Kind,
    subject: Subject,
    /// The generation of the event when it was opened.
    generation: u32,
    writable: bool,
}

/// A held inotify watch.
pub(super) struct Watch {
    /// The inotify instance with the watch.
    queue: OwnedFd,
    /// The watch descriptor.
    wd: i32,
    /// A descriptor that pins the dentry, and so keeps inode and path together.
    /// Without it the watch pins the inode alone, and its dentry may be evicted.
    name: Option<OwnedFd>,
    subject: Subject,
    /// The generation of the event when the watch was added.
    generation: u32,
}

impl Watch {
    /// The events that were queued since the last call.
    fn events(&self) -> ReadFlags {
        queued(&self.queue)
    }
}

impl Worker<'_> {
    /// Opens a file or directory and keeps it open.
    pub(super) fn hold(&mut self) {
        let kind = self.rng.pick(&[Kind::File, Kind::Directory, Kind::Path]);
        let mut subject = match kind {
            Kind::File => self.any_subject(READABLE),
            Kind::Directory => self.any_subject(&[""]),
            Kind::Path => self.any_subject(ALL),
        };
        let writable = kind == Kind::File && subject.file == "enable";
        let flags = match kind {
            Kind::File if writable => OFlags::RDWR,
            Kind::File => OFlags::RDONLY,
            Kind::Directory => OFlags::RDONLY | OFlags::DIRECTORY,
            Kind::Path => OFlags::PATH,
        };
        self.doing("open", &subject.path);
        let opened = fs::open(&subject.path, Self::flags(flags), Mode::empty());
        let Some(fd) = self.check("open", &subject.path, subject.presence, opened) else {
            return;
        };
        let generation = self.generation(subject.owner);
        // Its presence is determined at each use.
        subject.presence = Presence::Unknown;
        if self.held.len() >= LIMIT {
            let index = self.rng.below(self.held.len());
            self.held.swap_remove(index);
        }
        self.held.push(Held {
            fd,
            kind,
            subject,
            generation,
            writable,
        });
    }

    /// Closes some of the held descriptors.
    pub(super) fn close_some(&mut self) {
        let keep = self.rng.below(LIMIT / 2);
        while self.held.len() > keep {
            let index = self.rng.below(self.held.len());
            self.held.swap_remove(index);
        }
    }

    /// The generation of an event of this thread, or 0 for another one.
    fn generation(&self, owner: Owner) -> u32 {
        match owner {
            Owner::Mine(slot) => self.slots[slot].generation,
            _ => 0,
        }
    }

    /// The presence of an event that had `generation` when it was opened or watched.
    fn presence(&self, owner: Owner, generation: u32) -> Presence {
        match owner {
            Owner::Mine(slot) if self.slots[slot].generation == generation => Presence::Present,
            Owner::Mine(_) => Presence::Absent,
            Owner::Fixed(_) => Presence::Present,
            Owner::Others => Presence::Unknown,
        }
    }

    /// Uses a held descriptor.
    pub(super) fn use_held(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let index = self.rng.below(self.held.len());
        let held = self.held.swap_remove(index);
        let presence = self.presence(held.subject.owner, held.generation);
        let path = &held.subject.path;
        self.doing("fstat", path);
        let result = fs::fstat(&held.fd);
        if let Some(stat) = self.must("fstat", path, result) {
            if presence == Presence::Present {
                self.check_stat(&held.subject, &stat);
            }
        }
        match held.kind {
            Kind::File => self.use_file(&held, presence),
            Kind::Directory => {
                self.use_below(&held, presence);
                self.use_directory(&held, presence);
            }
            Kind::Path if held.subject.is_directory() => self.use_below(&held, presence),
            Kind::Path => {
                let result = io::read(&held.fd, &mut [0; 1]);
                self.must_fail("read", path, result, &[Errno::BADF]);
            }
        }
        self.held.push(held);
    }

    /// Reads and writes a held file.
    fn use_file(&mut self, held: &Held, presence: Presence) {
        let path = &held.subject.path;
        let dead: &[Errno] = if presence == Presence::Present {
            &[]
        } else {
            DEAD
        };
        self.doing("seek", path);
        let result = fs::seek(&held.fd, SeekFrom::Start(0));
        self.allow("seek", path, result, dead);
        let size = self.rng.pick(&[1, 100, 4096]);
        let mut buffer = vec![0; size];
        self.doing("read", path);
        let result = io::read(&held.fd, buffer.as_mut_slice());
        if let Some(length) = self.allow("read", path, result, dead) {
            // As on tracefs, the number of an event is in the open file itself.
            let remains = held.subject.file == "id";
            if presence == Presence::Absent && length > 0 && !remains {
                let text = String::from_utf8_lossy(&buffer[..length]);
                self.fail(path, &format!("was removed and reads {text:?}"));
            }
            let expected = matches!(held.subject.file.as_str(), "enable" | "format" | "id");
            if presence == Presence::Present && length == 0 && expected {
                self.fail(path, "reads as empty");
            }
        }
        if held.writable && matches!(held.subject.owner, Owner::Mine(_)) {
            // Writing the current value changes nothing.
            let Owner::Mine(slot) = held.subject.owner else {
                return;
            };
            let enabled = presence == Presence::Present && self.slots[slot].enabled;
            let text: &[u8] = if enabled { b"1" } else { b"0" };
            let result = io::write(&held.fd, text);
            match presence {
                Presence::Absent => self.must_fail("write", path, result, DEAD),
                _ => {
                    self.must("write", path, result);
                }
            }
        }
        self.doing("poll", path);
        let mut fds = [PollFd::new(&held.fd, PollFlags::IN | PollFlags::OUT)];
        let result = rustix::event::poll(&mut fds, Some(&Timespec::default()));
        let answer = fds[0].revents();
        self.must("poll", path, result);
        if answer.contains(PollFlags::NVAL) {
            self.fail(path, &format!("poll: {answer:?}"));
        }
    }

    /// Opens names relative to a held directory.
    fn use_below(&mut self, held: &Held, presence: Presence) {
        let path = &held.subject.path;
        let file = self.rng.pick(READABLE);
        self.doing("openat", path);
        let result = fs::openat(&held.fd, file, Self::flags(OFlags::RDONLY), Mode::empty());
        self.check("openat", path, presence, result);
        let result = fs::openat(
            &held.fd,
            "stress_never",
            Self::flags(OFlags::RDONLY),
            Mode::empty(),
        );
        self.must_fail("openat missing", path, result, &[Errno::NOENT]);
    }

    /// Lists a held directory.
    fn use_directory(&mut self, held: &Held, presence: Presence) {
        let path = &held.subject.path;
        let rewind = self.rng.chance(50);
        self.doing("getdents", path);
        if rewind {
            let result = fs::seek(&held.fd, SeekFrom::Start(0));
            self.must("rewind", path, result);
        }
        let result = listing::read_rest(&held.fd, &mut self.rng, || ());
        let allowed: &[Errno] = if presence == Presence::Present {
            &[]
        } else {
            &[Errno::NODEV, Errno::NOENT]
        };
        let Some(entries) = self.allow("getdents", path, result, allowed) else {
            return;
        };
        if presence == Presence::Present
            && rewind
            && entries.len() < 2 + self.shared.fixed.names.len()
        {
            self.fail(path, &format!("has {} entries", entries.len()));
        }
    }

    /// Creates an inotify instance, and pins the dentry of the file to watch.
    pub(super) fn prepare_watch(&mut self, subject: &Subject) -> Option<(OwnedFd, OwnedFd)> {
        let path = &subject.path;
        self.doing("watch", path);
        let created = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let queue = self.must("inotify", path, created)?;
        let opened = fs::open(path, Self::flags(OFlags::PATH), Mode::empty());
        let name = self.check("open path", path, subject.presence, opened)?;
        Some((queue, name))
    }

    /// Adds a watch and holds it.
    pub(super) fn hold_watch(&mut self) {
        let subject = self.any_subject(ALL);
        let named = self.rng.chance(50);
        let path = &subject.path;
        let Some((queue, name)) = self.prepare_watch(&subject) else {
            return;
        };
        // The watch goes to the opened inode, even if the path leads to another one by now.
        let watched = inotify::add_watch(&queue, proc_path(&name), WatchFlags::ALL_EVENTS);
        let Some(wd) = self.check("add watch", path, subject.presence, watched) else {
            return;
        };
        let generation = self.generation(subject.owner);
        if self.watches.len() >= WATCHES {
            let index = self.rng.below(self.watches.len());
            let watch = self.watches.swap_remove(index);
            self.end_watch(&watch);
        }
        self.watches.push(Watch {
            queue,
            wd,
            name: named.then_some(name),
            subject,
            generation,
        });
    }

    /// Opens a watched file, which the watch has to report, and may end the watch.
    pub(super) fn use_watch(&mut self) {
        if self.watches.is_empty() {
            return;
        }
        let index = self.rng.below(self.watches.len());
        let watch = self.watches.swap_remove(index);
        let path = &watch.subject.path;
        let before = watch.events();
        if let Some(name) = &watch.name {
            let presence = self.presence(watch.subject.owner, watch.generation);
            // `inject` is write-only.
            if watch.subject.file != "inject" {
                self.doing("open watched", path);
                let flags = Self::flags(OFlags::RDONLY);
                let result = fs::open(proc_path(name), flags, Mode::empty());
                let opened = match presence {
                    Presence::Present => self.must("open watched", path, result),
                    // A removed file is unhashed. An open through /proc may still
                    // succeed, and reads as empty then.
                    _ => self.allow("open watched", path, result, VANISHED),
                };
                let events = watch.events();
                // A full queue reports an overflow instead.
                let enough = ReadFlags::OPEN | ReadFlags::QUEUE_OVERFLOW;
                if opened.is_some() && presence == Presence::Present && !events.intersects(enough) {
                    self.fail(
                        path,
                        &format!("opened, but the watch reports {events:?} after {before:?}"),
                    );
                }
            }
        }
        if self.rng.chance(30) {
            self.end_watch(&watch);
        } else {
            self.watches.push(watch);
        }
    }

    /// Ends a watch. It still exists, unless its inode was removed or evicted.
    pub(super) fn end_watch(&mut self, watch: &Watch) {
        let path = &watch.subject.path;
        let presence = self.presence(watch.subject.owner, watch.generation);
        self.doing("end watch", path);
        let result = inotify::remove_watch(&watch.queue, watch.wd);
        let allowed: &[Errno] = match (presence, &watch.name) {
            // The pinned dentry keeps the inode, so the watch exists.
            (Presence::Present, Some(_)) => &[],
            _ => &[Errno::INVAL],
        };
        self.allow("end watch", path, result, allowed);
    }
}

/// Drains an inotify queue. Returns all events that were in it.
pub(super) fn queued(queue: &OwnedFd) -> ReadFlags {
    let mut events = ReadFlags::empty();
    let mut buffer = vec![std::mem::MaybeUninit::uninit(); 4096];
    let mut reader = inotify::Reader::new(queue, &mut buffer);
    while let Ok(event) = reader.next() {
        events |= event.events();
    }
    events
}

/// A path to an open file that does not depend on the file's name.
fn proc_path(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
