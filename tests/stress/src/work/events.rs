// SPDX-License-Identifier: GPL-2.0

//! The events that a thread owns: only this thread adds and removes them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rustix::fs::{self, Access, Mode, OFlags};
use rustix::io::{self, Errno};

use super::{Presence, Worker};

/// The number of groups of a thread.
pub(super) const GROUPS: usize = 3;

/// The largest number of events in a group.
pub(super) const EVENTS: usize = 6;

/// The probed function: no other process calls umask(2).
const PROBED: &str = "__x64_sys_umask";

/// Errors of a file whose event was removed.
pub(super) const DEAD: &[Errno] = &[Errno::NODEV];

/// An event that the thread may add.
#[derive(Clone, Default)]
pub(super) struct Slot {
    /// Whether it exists.
    pub(super) here: bool,
    /// The number of times that it was added or removed.
    pub(super) generation: u32,
    /// Whether it is enabled.
    pub(super) enabled: bool,
    /// The filter, if one is set.
    pub(super) filter: Option<String>,
    /// The modes that chmod has set, by file.
    pub(super) modes: HashMap<String, u32>,
    /// The owners that chown has set, by file.
    pub(super) owners: HashMap<String, u32>,
}

/// The slots of a thread, all empty.
pub(super) fn slots() -> Vec<Slot> {
    vec![Slot::default(); GROUPS * EVENTS]
}

/// The name of a group of a thread.
pub(super) fn group_of(thread: usize, group: usize) -> String {
    format!("stress{thread}_{group}")
}

/// The names of the group and of the event in a slot.
fn names_of(thread: usize, slot: usize) -> (String, String) {
    (
        group_of(thread, slot / EVENTS),
        format!("event_{}", slot % EVENTS),
    )
}

/// The directory of the event in a slot, below the root.
pub(super) fn path_of(thread: usize, slot: usize) -> String {
    let (group, event) = names_of(thread, slot);
    format!("events/{group}/{event}")
}

/// Opens `path`, writes `bytes` in one call and closes it.
pub(super) fn put(path: &Path, flags: OFlags, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | flags;
    let fd = fs::open(path, flags, Mode::empty())?;
    match io::write(&fd, bytes)? {
        length if length == bytes.len() => Ok(()),
        // The control files never write a part.
        _ => Err(Errno::IO),
    }
}

impl Worker<'_> {
    /// A control file, in the tree under test or in the kernel's own.
    fn control_file(&mut self) -> PathBuf {
        let name = self.rng.pick(&["kprobe_events", "dynamic_events"]);
        if self.rng.chance(30) {
            self.shared.settings.tracefs.join(name)
        } else {
            self.root().join(name)
        }
    }

    /// Appends a command to a control file.
    fn command(&mut self, command: &str) -> (PathBuf, io::Result<()>) {
        let path = self.control_file();
        self.doing("write", &path);
        let result = put(&path, OFlags::APPEND, command.as_bytes());
        (path, result)
    }

    /// The command that adds the event of a slot.
    fn definition(&mut self, slot: usize) -> String {
        let (group, event) = names_of(self.thread, slot);
        let kind = self.rng.pick(&["p", "p", "r"]);
        let arguments = match (kind, self.rng.below(3)) {
            ("p", 0) => " mask=%di:u32",
            ("r", 0) => " was=$retval",
            _ => "",
        };
        format!("{kind}:{group}/{event} {PROBED}{arguments}\n")
    }

    /// Records that an event was added. It has to be present at once, on every mount.
    pub(super) fn added(&mut self, slot: usize) {
        let own = &mut self.slots[slot];
        let generation = own.generation + 1;
        *own = Slot {
            here: true,
            generation,
            ..Slot::default()
        };
        let event = self.root().join(path_of(self.thread, slot));
        let file = self.rng.pick(super::ALL);
        for path in [event.clone(), event.join(file)] {
            self.doing("access", &path);
            let result = fs::access(&path, Access::EXISTS);
            self.must("access after add", &path, result);
        }
    }

    /// Records that an event was removed. It has to be absent at once, on every mount.
    pub(super) fn removed(&mut self, slot: usize) {
        let own = &mut self.slots[slot];
        let generation = own.generation + 1;
        *own = Slot {
            generation,
            ..Slot::default()
        };
        let root = self.root();
        let event = root.join(path_of(self.thread, slot));
        let file = self.rng.pick(super::ALL);
        let mut paths = vec![event.join(file), event];
        let group = slot / EVENTS;
        if self.group_is_empty(group) {
            paths.push(root.join("events").join(group_of(self.thread, group)));
        }
        for path in paths {
            self.doing("access", &path);
            let result = fs::access(&path, Access::EXISTS);
            self.must_fail("access after remove", &path, result, &[Errno::NOENT]);
        }
    }

    /// Whether a group of this thread has no event.
    pub(super) fn group_is_empty(&self, group: usize) -> bool {
        let slots = &self.slots[group * EVENTS..][..EVENTS];
        slots.iter().all(|slot| !slot.here)
    }

    /// Whether a group of this thread exists: it does if it has an event.
    pub(super) fn group_is_here(&self, group: usize) -> Presence {
        if self.group_is_empty(group) {
            Presence::Absent
        } else {
            Presence::Present
        }
    }

    /// Adds the event of a slot.
    pub(super) fn add(&mut self, slot: usize) {
        let command = self.definition(slot);
        let (path, result) = self.command(&command);
        if self.must("write", &path, result).is_some() {
            self.added(slot);
        }
    }

    /// Removes the event of a slot.
    pub(super) fn remove(&mut self, slot: usize) {
        let (group, event) = names_of(self.thread, slot);
        let (path, result) = self.command(&format!("-:{group}/{event}\n"));
        if !self.slots[slot].enabled {
            if self.must("write", &path, result).is_some() {
                self.removed(slot);
            }
            return;
        }
        // An enabled event is in use and cannot be removed.
        self.must_fail("write", &path, result, &[Errno::BUSY]);
        let path = self.root().join(path_of(self.thread, slot)).join("enable");
        let result = fs::access(&path, Access::EXISTS);
        self.must("access after EBUSY", &path, result);
    }

    /// Adds an event, or removes it.
    pub(super) fn add_or_remove(&mut self) {
        let slot = self.rng.below(self.slots.len());
        self.note(&format!("slot {slot}"));
        if self.slots[slot].here {
            self.remove(slot);
        } else {
            self.add(slot);
        }
    }

    /// Adds and removes several events with one write.
    pub(super) fn add_several(&mut self) {
        let first = self.rng.below(self.slots.len());
        let count = 2 + self.rng.below(5);
        let last = (first + count).min(self.slots.len());
        self.note(&format!("slots {first} to {last}"));
        let mut command = String::new();
        let mut touched = Vec::new();
        for slot in first..last {
            if !self.slots[slot].here {
                command += &self.definition(slot);
                touched.push(slot);
            } else if !self.slots[slot].enabled {
                let (group, event) = names_of(self.thread, slot);
                command += &format!("-:{group}/{event}\n");
                touched.push(slot);
            }
        }
        let (path, result) = self.command(&command);
        if self.must("write", &path, result).is_none() {
            return;
        }
        // All slots are updated first: the presence of a group depends on all of its events.
        let were: Vec<bool> = touched.iter().map(|&slot| self.slots[slot].here).collect();
        for &slot in &touched {
            self.slots[slot].here = !self.slots[slot].here;
        }
        for (&slot, was) in touched.iter().zip(were) {
            if was {
                self.removed(slot);
            } else {
                self.added(slot);
            }
        }
    }

    /// Removes all events of a group with one command.
    pub(super) fn remove_group(&mut self) {
        let group = self.rng.below(GROUPS);
        self.note(&format!("group {group}"));
        let slots = group * EVENTS..(group + 1) * EVENTS;
        if self.slots[slots.clone()].iter().any(|slot| slot.enabled) {
            return;
        }
        let empty = self.group_is_empty(group);
        let name = group_of(self.thread, group);
        let (path, result) = self.command(&format!("-:{name}/\n"));
        if empty {
            self.must_fail("write", &path, result, &[Errno::NOENT]);
            return;
        }
        if self.must("write", &path, result).is_none() {
            return;
        }
        let gone: Vec<usize> = slots.filter(|&slot| self.slots[slot].here).collect();
        for &slot in &gone {
            self.slots[slot].here = false;
        }
        for slot in gone {
            self.removed(slot);
        }
    }

    /// Enables or disables an event of this thread.
    pub(super) fn enable(&mut self) {
        let slot = self.rng.below(self.slots.len());
        let (event, _, presence) = self.own_event(slot);
        let path = self.root().join(event).join("enable");
        let enabled = self.rng.chance(40);
        let text: &[u8] = if enabled { b"1" } else { b"0" };
        let result = put(&path, OFlags::empty(), text);
        if self.check("write", &path, presence, result).is_some() {
            self.slots[slot].enabled = enabled;
            let result = self.content(&path);
            if let Some(text) = self.must("read", &path, result) {
                self.check_enable(slot, &path, &text);
            }
        }
        // An enabled event cannot be removed, so most are disabled again at once.
        if enabled && self.rng.chance(60) && self.slots[slot].here {
            let result = put(&path, OFlags::empty(), b"0");
            if self.must("write", &path, result).is_some() {
                self.slots[slot].enabled = false;
            }
        }
    }

    /// Sets a filter of an event of this thread.
    pub(super) fn filter(&mut self) {
        let slot = self.rng.below(self.slots.len());
        let (event, _, presence) = self.own_event(slot);
        let path = self.root().join(event).join("filter");
        let number = self.rng.below(10_000);
        let (text, good) = match self.rng.below(4) {
            0 => ("0".to_string(), true),
            1 => (format!("no_such_field == {number}"), false),
            _ => (format!("common_pid == {number}"), true),
        };
        let result = put(&path, OFlags::empty(), text.as_bytes());
        if presence == Presence::Present && !good {
            self.must_fail("write", &path, result, &[Errno::INVAL]);
            // The file now shows the error of the parser, so the filter is reset.
            let result = put(&path, OFlags::empty(), b"0");
            self.must("write", &path, result);
            self.slots[slot].filter = None;
        } else if self.check("write", &path, presence, result).is_some() {
            self.slots[slot].filter = (text != "0").then_some(text);
            let result = self.content(&path);
            if let Some(text) = self.must("read", &path, result) {
                self.check_filter(slot, &path, &text);
            }
        }
    }

    /// Removes all events of this thread.
    pub(super) fn remove_all(&mut self) {
        for slot in 0..self.slots.len() {
            if self.slots[slot].enabled {
                let event = path_of(self.thread, slot);
                let path = self.shared.settings.root.join(event).join("enable");
                let result = put(&path, OFlags::empty(), b"0");
                self.must("write", &path, result);
                self.slots[slot].enabled = false;
            }
            if self.slots[slot].here {
                self.remove(slot);
            }
        }
    }
}
