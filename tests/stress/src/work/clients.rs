// SPDX-License-Identifier: GPL-2.0

//! Trees that modules publish.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{self, Access, FileType, Mode, OFlags, SeekFrom};
use rustix::io::{self, Errno};

use super::events::{put, DEAD};
use super::system::{load, unload};
use super::{Presence, Worker};
use crate::listing;
use crate::shared::Shared;

/// The thread that loads and unloads the modules.
const LOADER: usize = 1;

/// The number of names that a thread has in a directory of a module.
const QUEUES: usize = 4;

/// The names of the files of an event in a tree.
const FILES: [&str; 8] = [
    "enable", "filter", "format", "hist", "id", "trigger", "file_6", "file_7",
];

/// A module that publishes trees.
struct Client {
    file: &'static str,
    name: &'static CStr,
    /// The file that takes its commands, below the root.
    control: &'static str,
}

/// The index of the module that makes trees of any shape.
const SYNTHETIC: usize = 0;

/// The modules that make directories with a few files: the index of the module, the
/// parent of these directories, and the name of one of their files.
const QUEUED: [(usize, &str, &str); 2] = [
    (1, "client_c/queues", "length"),
    (2, "client_rust/queues", "depth"),
];

/// All modules that publish.
const CLIENTS: [Client; 3] = [
    Client {
        file: "eventfs_synthetic.ko",
        name: c"eventfs_synthetic",
        control: "synthetic/control",
    },
    Client {
        file: "eventfs_client_c.ko",
        name: c"eventfs_client_c",
        control: "client_c/control",
    },
    Client {
        file: "eventfs_client_rust.ko",
        name: c"eventfs_client_rust",
        control: "client_rust/control",
    },
];

/// The number of times that each module was loaded, and whether it is loaded.
pub type Loads = [(u32, bool); CLIENTS.len()];

/// Loads all modules. Prints the name of each one that has no file.
pub fn load_all(shared: &Shared) -> Result<(), String> {
    let mut loads = shared.clients.write().map_err(|error| error.to_string())?;
    for (client, (count, loaded)) in CLIENTS.iter().zip(loads.iter_mut()) {
        let path = shared.settings.modules.join(client.file);
        if path.exists() {
            load(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            (*count, *loaded) = (1, true);
        } else {
            println!("not loaded, no such file: {}", client.file);
        }
    }
    Ok(())
}

/// Unloads all modules that are loaded.
pub fn unload_all(shared: &Shared) -> Result<(), String> {
    let mut loads = shared.clients.write().map_err(|error| error.to_string())?;
    for (client, (_, loaded)) in CLIENTS.iter().zip(loads.iter_mut()) {
        if *loaded {
            unload(client.name).map_err(|error| format!("unload {}: {error}", client.file))?;
            *loaded = false;
        }
    }
    Ok(())
}

/// The shape of a tree: its systems, the events of each, and the files of each event.
#[derive(Clone, Copy)]
struct Shape {
    systems: usize,
    events: usize,
    files: usize,
}

/// The published trees of a thread.
#[derive(Default)]
pub struct Clients {
    /// The state of the modules when the trees were created.
    loads: Loads,
    tree: Option<Shape>,
    /// Whether each name exists in the directory of each module in [`QUEUED`].
    queues: [[bool; QUEUES]; QUEUED.len()],
    /// An open file of the tree, its path, and whether it still exists.
    held: Option<(OwnedFd, PathBuf, bool)>,
}

impl Clients {
    /// Records that the tree was removed.
    fn forget_tree(&mut self) {
        self.tree = None;
        if let Some((_, _, good)) = &mut self.held {
            *good = false;
        }
    }

    /// Forgets everything that a module had published before it was unloaded.
    fn sync(&mut self, loads: Loads) {
        if self.loads[SYNTHETIC] != loads[SYNTHETIC] {
            self.forget_tree();
        }
        for (queues, (module, ..)) in self.queues.iter_mut().zip(QUEUED) {
            if self.loads[module] != loads[module] {
                *queues = [false; QUEUES];
            }
        }
        self.loads = loads;
    }
}

impl Worker<'_> {
    /// Performs an operation on the trees of modules.
    pub(super) fn clients(&mut self) {
        let shared = self.shared;
        if self.thread == LOADER && self.rng.chance(15) {
            self.reload();
            return;
        }
        let Ok(loads) = shared.clients.read() else {
            return;
        };
        self.clients.sync(*loads);
        match self.rng.below(8) {
            0 | 1 => self.tree(),
            2 | 3 => self.list_tree(),
            4 => self.use_tree(),
            5 => self.hold_tree(),
            _ => self.queue(),
        }
    }

    /// Unloads a module, which removes everything that it has published, or loads it
    /// again.
    fn reload(&mut self) {
        let shared = self.shared;
        let Ok(mut loads) = shared.clients.write() else {
            return;
        };
        let index = self.rng.below(CLIENTS.len());
        let client = &CLIENTS[index];
        let (count, loaded) = loads[index];
        if count == 0 {
            return;
        }
        let module = shared.settings.modules.join(client.file);
        let control = self.root().join(client.control);
        let top = control.parent().unwrap_or(&control).to_path_buf();
        if loaded {
            self.doing("unload", &module);
            let result = unload(client.name);
            if self.must("unload", &module, result).is_some() {
                loads[index] = (count, false);
                let result = fs::access(&top, Access::EXISTS);
                self.must_fail("access after unload", &top, result, &[Errno::NOENT]);
            }
        } else {
            self.doing("load", &module);
            let result = load(&module);
            if self.must("load", &module, result).is_some() {
                loads[index] = (count + 1, true);
                let result = fs::access(&control, Access::EXISTS);
                self.must("access after load", &control, result);
            }
        }
        self.clients.sync(*loads);
    }

    /// Whether a module is loaded.
    fn loaded(&self, client: usize) -> bool {
        self.clients.loads[client].1
    }

    /// Sends a command to a module.
    fn send(&mut self, client: usize, command: &str) -> (PathBuf, io::Result<()>) {
        let path = self.root().join(CLIENTS[client].control);
        self.doing("write", &path);
        let result = put(&path, OFlags::empty(), command.as_bytes());
        (path, result)
    }

    /// The name of this thread's tree.
    fn tree_name(&self) -> String {
        format!("stress_tree{}", self.thread)
    }

    /// Checks whether a path in a directory of a module exists.
    fn check_access(&mut self, call: &'static str, path: &Path, here: bool) {
        let result = fs::access(path, Access::EXISTS);
        let presence = if here {
            Presence::Present
        } else {
            Presence::Absent
        };
        self.check(call, path, presence, result);
    }

    /// Creates the tree, or removes it.
    fn tree(&mut self) {
        let name = self.tree_name();
        let shape = Shape {
            systems: self.rng.below(4),
            events: 1 + self.rng.below(30),
            files: 1 + self.rng.below(FILES.len()),
        };
        let Shape {
            systems,
            events,
            files,
        } = shape;
        let create = format!("create eventfs {name} {systems} {events} {files}\n");
        let remove = format!("remove eventfs {name}\n");
        if !self.loaded(SYNTHETIC) {
            let (path, result) = self.send(SYNTHETIC, &create);
            if self.clients.loads[SYNTHETIC].0 > 0 {
                self.must_fail("create unloaded", &path, result, &[Errno::NOENT]);
            }
            return;
        }
        let here = self.clients.tree.is_some();
        let twice = self.rng.chance(10);
        let (path, result) = self.send(SYNTHETIC, if here == twice { &create } else { &remove });
        match (here, twice) {
            (true, true) => self.must_fail("create twice", &path, result, &[Errno::EXIST]),
            (false, true) => self.must_fail("remove twice", &path, result, &[Errno::NOENT]),
            (true, false) => {
                let last = self.tree_event();
                if self.must("remove", &path, result).is_some() {
                    self.clients.forget_tree();
                    let top = self.root().join(&name);
                    self.check_access("access after remove", &top, false);
                    if let Some(event) = last {
                        self.check_access("access after remove", &event, false);
                    }
                }
            }
            (false, false) => {
                if self.must("create", &path, result).is_some() {
                    self.clients.tree = Some(shape);
                    if let Some(event) = self.tree_event() {
                        self.check_access("access after create", &event.join("enable"), true);
                    }
                }
            }
        }
    }

    /// The directory of a random event of the tree.
    fn tree_event(&mut self) -> Option<PathBuf> {
        let shape = self.clients.tree?;
        let mut path = self.root().join(self.tree_name());
        let system = self.rng.below(shape.systems);
        if shape.systems > 0 {
            path.push(format!("sys_{system:03}"));
        }
        path.push(format!("event_{:06}", self.rng.below(shape.events)));
        Some(path)
    }

    /// Lists a random directory of the tree. It has exactly the entries that it was
    /// created with.
    fn list_tree(&mut self) {
        let Some(shape) = self.clients.tree else {
            return;
        };
        let Some(event) = self.tree_event() else {
            return;
        };
        let numbered = |prefix: &str, width: usize, count: usize| -> Vec<String> {
            (0..count)
                .map(|number| format!("{prefix}{number:0width$}"))
                .collect()
        };
        let top = self.root().join(self.tree_name());
        let parent = event.parent().unwrap_or(&top).to_path_buf();
        let (path, mut expected) = match self.rng.below(3) {
            0 => (
                event,
                FILES[..shape.files]
                    .iter()
                    .map(|name| (*name).into())
                    .collect(),
            ),
            1 if shape.systems > 0 => (top, numbered("sys_", 3, shape.systems)),
            _ => (parent, numbered("event_", 6, shape.events)),
        };
        expected.extend([".", ".."].map(String::from));
        expected.sort();
        self.doing("getdents", &path);
        let flags = Self::flags(OFlags::RDONLY | OFlags::DIRECTORY);
        let result = fs::open(&path, flags, Mode::empty())
            .and_then(|fd| listing::read_rest(&fd, &mut self.rng, || ()));
        let Some(entries) = self.must("getdents", &path, result) else {
            return;
        };
        let mut names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
        names.sort();
        if names != expected {
            self.fail(&path, &format!("lists {names:?}"));
        }
    }

    /// Reads and writes files of the tree.
    fn use_tree(&mut self) {
        let (Some(shape), Some(event)) = (self.clients.tree, self.tree_event()) else {
            return;
        };
        let file = FILES[self.rng.below(shape.files)];
        let path = event.join(file);
        self.doing("stat", &path);
        let result = fs::stat(&path);
        if let Some(stat) = self.must("stat", &path, result) {
            let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
            if stat.st_nlink != 1 || !regular {
                self.fail(
                    &path,
                    &format!("is {:o} with {} links", stat.st_mode, stat.st_nlink),
                );
            }
        }
        if file == "enable" {
            let on = self.rng.chance(50);
            let text: &[u8] = if on { b"1\n" } else { b"0\n" };
            let result = put(&path, OFlags::empty(), text);
            if self.must("write", &path, result).is_none() {
                return;
            }
            let result = self.content(&path);
            if self
                .must("read", &path, result)
                .is_some_and(|content| content != text)
            {
                self.fail(&path, "does not read as written");
            }
        } else {
            let result = self.content(&path);
            if let Some(text) = self.must("read", &path, result) {
                if !text.starts_with(file.as_bytes()) {
                    self.fail(
                        &path,
                        &format!("reads {:?}", String::from_utf8_lossy(&text)),
                    );
                }
            }
        }
    }

    /// Opens a file of the tree and keeps it open, or reads the open one.
    fn hold_tree(&mut self) {
        let Some((fd, path, good)) = self.clients.held.take() else {
            let (Some(shape), Some(event)) = (self.clients.tree, self.tree_event()) else {
                return;
            };
            let path = event.join(FILES[self.rng.below(shape.files)]);
            let opened = fs::open(&path, Self::flags(OFlags::RDONLY), Mode::empty());
            if let Some(fd) = self.must("open", &path, opened) {
                self.clients.held = Some((fd, path, true));
            }
            return;
        };
        self.doing("read held", &path);
        let result = fs::seek(&fd, SeekFrom::Start(0))
            .and_then(|_| io::read(&fd, &mut [0; 10]).map(|length| length > 0));
        if good {
            if self.must("read held", &path, result) == Some(false) {
                self.fail(&path, "is held and reads as empty");
            }
        } else if self.allow("read dead", &path, result, DEAD) == Some(true) {
            self.fail(&path, "was removed and can be read");
        }
        if !self.rng.chance(30) {
            self.clients.held = Some((fd, path, good));
        }
    }

    /// Adds or removes a directory of a module in [`QUEUED`].
    fn queue(&mut self) {
        let of = self.rng.below(QUEUED.len());
        let (module, queues, file) = QUEUED[of];
        let index = self.rng.below(QUEUES);
        let name = format!("stress{}_{index}", self.thread);
        if !self.loaded(module) {
            return;
        }
        let here = self.clients.queues[of][index];
        let twice = self.rng.chance(10);
        let verb = if here == twice { "add" } else { "remove" };
        let (path, result) = self.send(module, &format!("{verb} {name}\n"));
        match (here, twice) {
            (true, true) => self.must_fail("add twice", &path, result, &[Errno::EXIST]),
            (false, true) => self.must_fail("remove twice", &path, result, &[Errno::NOENT]),
            _ => {
                if self.must("add or remove", &path, result).is_some() {
                    self.clients.queues[of][index] = !here;
                }
            }
        }
        let queue = self.root().join(queues).join(name);
        let here = self.clients.queues[of][index];
        self.check_access("access queue", &queue, here);
        self.check_access("access queue's file", &queue.join(file), here);
    }

    /// Removes all published trees of this thread.
    pub(super) fn remove_clients(&mut self) {
        let shared = self.shared;
        let Ok(loads) = shared.clients.read() else {
            return;
        };
        self.clients.sync(*loads);
        self.clients.held = None;
        if self.clients.tree.take().is_some() {
            let command = format!("remove eventfs {}\n", self.tree_name());
            let (path, result) = self.send(SYNTHETIC, &command);
            self.must("remove", &path, result);
        }
        for (of, (module, ..)) in QUEUED.into_iter().enumerate() {
            for index in 0..QUEUES {
                if std::mem::take(&mut self.clients.queues[of][index]) {
                    let command = format!("remove stress{}_{index}\n", self.thread);
                    let (path, result) = self.send(module, &command);
                    self.must("remove", &path, result);
                }
            }
        }
    }
}
