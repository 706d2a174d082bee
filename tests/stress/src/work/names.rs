// SPDX-License-Identifier: GPL-2.0

//! Paths: their presence, attributes and listings.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::inotify::{self, ReadFlags, WatchFlags};
use rustix::fs::{self, Access, AtFlags, FileType, Mode, OFlags, SeekFrom};
use rustix::io::{self, Errno};

use super::events::{group_of, EVENTS, GROUPS};
use super::held::queued;
use super::{Owner, Presence, Subject, Worker, ALL};
use crate::listing::{self, Entry};

/// A directory, the names that its listing must have, and the names that it must not
/// have.
struct Expected {
    path: PathBuf,
    presence: Presence,
    here: Vec<String>,
    gone: Vec<String>,
}

impl Worker<'_> {
    /// Checks the attributes of an inode.
    pub(super) fn check_stat(&self, subject: &Subject, stat: &fs::Stat) {
        let path = &subject.path;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let expected = if subject.is_directory() {
            FileType::Directory
        } else {
            FileType::RegularFile
        };
        if kind != expected {
            self.fail(path, &format!("is a {kind:?}"));
        }
        if stat.st_nlink != 1 {
            self.fail(path, &format!("st_nlink is {}", stat.st_nlink));
        }
        if let Owner::Mine(slot) = subject.owner {
            let slot = &self.slots[slot];
            let mode = stat.st_mode & 0o7777;
            if slot
                .modes
                .get(&subject.file)
                .is_some_and(|&set| set != mode)
            {
                self.fail(path, &format!("has mode {mode:o}, which chmod has not set"));
            }
            let owner = stat.st_uid;
            if slot
                .owners
                .get(&subject.file)
                .is_some_and(|&set| set != owner)
            {
                self.fail(path, &format!("has owner {owner}, which chown has not set"));
            }
        }
    }

    /// Checks the attributes of a file or the directory of any event.
    pub(super) fn stat(&mut self) {
        let subject = self.any_subject(ALL);
        self.doing("stat", &subject.path);
        let result = fs::stat(&subject.path);
        if let Some(stat) = self.check("stat", &subject.path, subject.presence, result) {
            self.check_stat(&subject, &stat);
        }
    }

    /// Checks the presence of a file or the directory of any event.
    pub(super) fn access(&mut self) {
        let subject = self.any_subject(ALL);
        self.doing("access", &subject.path);
        let result = fs::access(&subject.path, Access::EXISTS);
        self.check("access", &subject.path, subject.presence, result);
    }

    /// Looks up a name that never exists.
    pub(super) fn missing(&mut self) {
        let root = self.root();
        let (event, _, presence) = self.any_event();
        let path = match self.rng.below(4) {
            0 => root.join("events/stress_never"),
            1 => root.join("stress_never"),
            2 => root.join(event).join("stress_never"),
            _ => root.join(event).join("enable/stress_never"),
        };
        self.doing("stat", &path);
        let result = fs::stat(&path);
        // A name below a file gives ENOTDIR while the file exists.
        let file = path
            .parent()
            .is_some_and(|parent| parent.ends_with("enable"));
        let allowed: &[Errno] = match (file, presence) {
            (true, Presence::Present) => &[Errno::NOTDIR],
            (true, Presence::Unknown) => &[Errno::NOTDIR, Errno::NOENT],
            _ => &[Errno::NOENT],
        };
        self.must_fail("stat", &path, result, allowed);
    }

    /// A random directory with its expected names.
    fn any_listing(&mut self) -> Expected {
        let root = self.root();
        let group = self.rng.below(GROUPS);
        let draw = self.rng.below(100);
        if draw < 10 {
            Expected {
                path: root.clone(),
                presence: Presence::Present,
                here: self.shared.fixed.files.clone(),
                gone: vec!["stress_never".to_string()],
            }
        } else if draw < 30 {
            let (mut here, mut gone) = (self.shared.fixed.groups.clone(), Vec::new());
            for group in 0..GROUPS {
                let name = group_of(self.thread, group);
                match self.group_is_here(group) {
                    Presence::Present => here.push(name),
                    _ => gone.push(name),
                }
            }
            Expected {
                path: root.join("events"),
                presence: Presence::Present,
                here,
                gone,
            }
        } else if draw < 60 {
            let (mut here, mut gone) = (Vec::new(), Vec::new());
            for event in 0..EVENTS {
                let name = format!("event_{event}");
                if self.slots[group * EVENTS + event].here {
                    here.push(name);
                } else {
                    gone.push(name);
                }
            }
            here.extend(["enable", "filter"].map(String::from));
            Expected {
                path: root.join("events").join(group_of(self.thread, group)),
                presence: self.group_is_here(group),
                here,
                gone,
            }
        } else {
            let (event, owner, presence) = self.any_event();
            let here = match owner {
                Owner::Others => Vec::new(),
                _ => self.shared.fixed.names.clone(),
            };
            Expected {
                path: root.join(event),
                presence,
                here,
                gone: vec!["stress_never".to_string()],
            }
        }
    }

    /// Compares a listing with the expected names.
    fn check_listing(&mut self, expected: &Expected, entries: &[Entry]) {
        let path = &expected.path;
        let mut found: HashMap<&str, usize> = HashMap::new();
        for entry in entries {
            *found.entry(&entry.name).or_default() += 1;
        }
        let here = expected.here.iter().map(String::as_str);
        for name in here.chain([".", ".."]) {
            let times = found.get(name).copied().unwrap_or(0);
            if times != 1 {
                self.fail(path, &format!("{name} is listed {times} times"));
            }
        }
        for name in &expected.gone {
            if found.contains_key(name.as_str()) {
                self.fail(path, &format!("{name} is listed"));
            }
        }
    }

    /// Checks that d_ino and d_type of entries are those of their inodes.
    fn check_entries(&mut self, expected: &Expected, fd: impl rustix::fd::AsFd, entries: &[Entry]) {
        for _ in 0..3 {
            let Some(entry) = entries.get(self.rng.below(entries.len())) else {
                return;
            };
            if entry.name == ".." || !expected.here.contains(&entry.name) {
                continue;
            }
            let path = expected.path.join(&entry.name);
            let result = fs::statat(&fd, entry.name.as_str(), AtFlags::SYMLINK_NOFOLLOW);
            let Some(stat) = self.must("fstatat", &path, result) else {
                continue;
            };
            if stat.st_ino != entry.ino {
                let (listed, real) = (entry.ino, stat.st_ino);
                self.fail(&path, &format!("d_ino {listed}, st_ino {real}"));
            }
            if FileType::from_raw_mode(stat.st_mode) != entry.kind {
                self.fail(&path, &format!("d_type {:?}", entry.kind));
            }
        }
    }

    /// Lists a random directory.
    pub(super) fn list(&mut self) {
        let expected = self.any_listing();
        let path = &expected.path;
        self.doing("open", path);
        let flags = Self::flags(OFlags::RDONLY | OFlags::DIRECTORY);
        let opened = fs::open(path, flags, Mode::empty());
        let Some(fd) = self.check("open", path, expected.presence, opened) else {
            return;
        };
        self.doing("getdents", path);
        if self.rng.chance(20) {
            // A listing that was begun and is restarted.
            let mut some = vec![std::mem::MaybeUninit::uninit(); 300];
            let _ = fs::RawDir::new(&fd, &mut some).next();
            let result = fs::seek(&fd, SeekFrom::Start(0));
            self.must("rewind", path, result);
        }
        let result = listing::read_rest(&fd, &mut self.rng, || ());
        let Some(entries) = self.check("getdents", path, expected.presence, result) else {
            return;
        };
        if expected.presence == Presence::Present {
            self.check_listing(&expected, &entries);
            self.check_entries(&expected, &fd, &entries);
        }
    }

    /// Lists a group of this thread while one of its events is added or removed.
    pub(super) fn list_and_change(&mut self) {
        let group = self.rng.below(GROUPS);
        let changed = self.rng.below(EVENTS);
        let slot = group * EVENTS + changed;
        let others = (0..EVENTS).filter(|&event| event != changed);
        let (here, gone): (Vec<usize>, Vec<usize>) =
            others.partition(|event| self.slots[group * EVENTS + event].here);
        if here.is_empty() || self.slots[slot].enabled {
            return;
        }
        let name = |event: usize| format!("event_{event}");
        let path = self
            .root()
            .join("events")
            .join(group_of(self.thread, group));
        let expected = Expected {
            path,
            presence: Presence::Present,
            here: here.into_iter().map(name).collect(),
            gone: gone.into_iter().map(name).collect(),
        };
        let path = &expected.path;
        let flags = Self::flags(OFlags::RDONLY | OFlags::DIRECTORY);
        let opened = fs::open(path, flags, Mode::empty());
        let Some(fd) = self.must("open", path, opened) else {
            return;
        };
        let mut entries = Vec::new();
        for _ in 0..2 {
            // The first part of the listing, then the change. The rest follows below.
            let mut some = vec![std::mem::MaybeUninit::uninit(); 80];
            let mut first = fs::RawDir::new(&fd, &mut some);
            while let Some(record) = first.next() {
                if let Some(record) = self.must("getdents", path, record) {
                    entries.push(Entry {
                        name: record.file_name().to_string_lossy().into_owned(),
                        ino: record.ino(),
                        kind: record.file_type(),
                    });
                }
                if first.is_buffer_empty() {
                    break;
                }
            }
            if self.slots[slot].here {
                self.remove(slot);
            } else {
                self.add(slot);
            }
        }
        let result = listing::read_rest(&fd, &mut self.rng, || ());
        if let Some(rest) = self.must("getdents", path, result) {
            entries.extend(rest);
            self.check_listing(&expected, &entries);
        }
        // A rewound listing has the current entries.
        let result = fs::seek(&fd, SeekFrom::Start(0))
            .and_then(|_| listing::read_rest(&fd, &mut self.rng, || ()));
        if let Some(entries) = self.must("getdents", path, result) {
            self.check_listing(&expected, &entries);
            let listed = entries.iter().any(|entry| entry.name == name(changed));
            if listed != self.slots[slot].here {
                self.fail(path, &format!("{} listed: {listed}", name(changed)));
            }
        }
    }

    /// Changes the mode or the owner of a file of an event of this thread.
    pub(super) fn change_attributes(&mut self) {
        let slot = self.rng.below(self.slots.len());
        let (event, owner, presence) = self.own_event(slot);
        let file = self.rng.pick(ALL).to_string();
        let mut path = self.root().join(event);
        if !file.is_empty() {
            path.push(&file);
        }
        if self.rng.chance(60) {
            let mode = self.rng.pick(&[0o640, 0o600, 0o444, 0o755, 0]);
            self.doing("chmod", &path);
            let result = fs::chmod(&path, Mode::from_raw_mode(mode));
            if self.check("chmod", &path, presence, result).is_some() {
                self.slots[slot].modes.insert(file.clone(), mode);
            }
        } else {
            let owner = self.rng.pick(&[0, 1000, 4_000_000]);
            self.doing("chown", &path);
            let result = fs::chown(&path, Some(fs::Uid::from_raw(owner)), None);
            if self.check("chown", &path, presence, result).is_some() {
                self.slots[slot].owners.insert(file.clone(), owner);
                // chown clears set-user-id bits, which no file here has.
            }
        }
        if presence == Presence::Present {
            let result = fs::stat(&path);
            let subject = Subject {
                path,
                file,
                owner,
                presence,
            };
            if let Some(stat) = self.must("stat", &subject.path, result) {
                self.check_stat(&subject, &stat);
            }
        }
    }

    /// Makes the directory of an event the working directory.
    pub(super) fn chdir(&mut self) {
        let slot = self.rng.below(self.slots.len());
        let (event, _, presence) = self.own_event(slot);
        let path = self.root().join(event);
        self.doing("chdir", &path);
        let result = rustix::process::chdir(&path);
        if self.check("chdir", &path, presence, result).is_some() {
            self.cwd = Some((slot, self.slots[slot].generation));
        }
    }

    /// Uses paths relative to the working directory.
    pub(super) fn relative(&mut self) {
        let Some((slot, generation)) = self.cwd else {
            return;
        };
        let presence = if self.slots[slot].generation == generation {
            Presence::Present
        } else {
            Presence::Absent
        };
        let here = PathBuf::from(format!(
            "(cwd {})",
            super::events::path_of(self.thread, slot)
        ));
        self.doing("relative", &here);
        let result = fs::stat(".");
        self.must("stat .", &here, result);
        let result = fs::access("enable", Access::EXISTS);
        self.check("access enable", &here, presence, result);
        let result = fs::open("format", Self::flags(OFlags::RDONLY), Mode::empty());
        self.check("open format", &here, presence, result);
        if self.rng.chance(20) {
            let result = rustix::process::chdir("/");
            self.must("chdir", Path::new("/"), result);
            self.cwd = None;
        }
    }

    /// Watches a file or directory, and opens it, which the watch has to report.
    pub(super) fn watch(&mut self) {
        let subject = self.any_subject(ALL);
        let path = &subject.path;
        // A watch is on the inode. The pinned dentry keeps the inode.
        let Some((fd, _pinned)) = self.prepare_watch(&subject) else {
            return;
        };
        let watched = inotify::add_watch(&fd, path, WatchFlags::ALL_EVENTS);
        if self
            .check("watch", path, subject.presence, watched)
            .is_none()
        {
            return;
        }
        let readable = subject.file != "inject";
        let opened = if readable {
            let opened = fs::open(path, Self::flags(OFlags::RDONLY), Mode::empty());
            self.check("open", path, subject.presence, opened)
        } else {
            None
        };
        // A successful open has to be reported, unless the event was removed meanwhile.
        let events = queued(&fd);
        let lost = opened.is_some() && !events.contains(ReadFlags::OPEN);
        if lost && subject.presence == Presence::Present {
            self.fail(path, &format!("opened, but the watch reports {events:?}"));
        }
        drop(opened);
        // Some events are removed while they are watched.
        if let Owner::Mine(slot) = subject.owner {
            let own = &self.slots[slot];
            if own.here && !own.enabled && self.rng.chance(30) {
                self.remove(slot);
                let mut fds = [PollFd::new(&fd, PollFlags::IN)];
                let at_once = Timespec::default();
                let result: io::Result<usize> = rustix::event::poll(&mut fds, Some(&at_once));
                self.must("poll", Path::new("inotify"), result);
            }
        }
    }
}
