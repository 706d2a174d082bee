// SPDX-License-Identifier: GPL-2.0

//! The file systems that are compared, and how their directories are created.

use std::ffi::CString;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::Outcome;

/// Where eventfs is mounted.
pub const MOUNT: &str = "/mnt";
/// Where tracefs is mounted.
pub const TRACEFS: &str = "/sys/kernel/tracing";
/// The function that the kprobes are on.
const PROBED: &str = "__x64_sys_umask";
/// Files per directory that the client module creates.
const FILES: usize = 6;
/// Suffix of a peer's name in the samples for `readdir=metadata`.
pub const METADATA_SUFFIX: &str = "-metadata";
/// The most bytes that tracefs accepts in one write.
const MAX_WRITE: usize = 4000;

/// A file system that is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// rust_eventfs, directories of a client module.
    Ours,
    /// rust_eventfs, mirroring the kernel's events.
    Mirror,
    /// The kernel's own eventfs.
    Kernel,
    /// debugfs.
    Debugfs,
    /// sysfs.
    Sysfs,
}

impl Peer {
    /// Peers whose directories the client module creates.
    pub const SYNTHETIC: [Self; 3] = [Self::Ours, Self::Debugfs, Self::Sysfs];

    /// The peer's name in the samples.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Mirror => "mirror",
            Self::Kernel => "kernel",
            Self::Debugfs => "debugfs",
            Self::Sysfs => "sysfs",
        }
    }

    /// Whether it is rust_eventfs.
    fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::Mirror)
    }

    /// Its name in the client module's commands.
    fn kind(self) -> Option<&'static str> {
        match self {
            Self::Ours => Some("eventfs"),
            Self::Debugfs => Some("debugfs"),
            Self::Sysfs => Some("sysfs"),
            Self::Mirror | Self::Kernel => None,
        }
    }

    /// The path of the tree `name`.
    pub fn tree(self, name: &str) -> PathBuf {
        let above = match self {
            Self::Ours => Path::new(MOUNT).to_path_buf(),
            Self::Mirror => Path::new(MOUNT).join("events"),
            Self::Kernel => Path::new(TRACEFS).join("events"),
            Self::Debugfs => Path::new("/sys/kernel/debug").to_path_buf(),
            Self::Sysfs => Path::new("/sys/kernel").to_path_buf(),
        };
        above.join(name)
    }
}

/// The name of a child directory.
fn child_name(index: usize) -> String {
    format!("event_{index:06}")
}

/// A peer, and how it lists directories.
#[derive(Clone, Copy)]
pub struct Listing {
    /// The peer.
    pub peer: Peer,
    /// Whether it lists with `readdir=metadata`.
    pub metadata: bool,
}

impl Listing {
    /// All ways of all peers: rust_eventfs has two.
    pub fn all(peers: &[Peer]) -> Vec<Self> {
        let way = |metadata: bool| move |&peer: &Peer| Self { peer, metadata };
        let ours = peers.iter().filter(|peer| peer.is_ours());
        peers
            .iter()
            .map(way(false))
            .chain(ours.map(way(true)))
            .collect()
    }

    /// The name in the samples.
    pub fn name(self) -> String {
        let suffix = if self.metadata { METADATA_SUFFIX } else { "" };
        format!("{}{suffix}", self.peer.name())
    }
}

/// The names of the children with these indices.
pub fn child_names(numbers: impl IntoIterator<Item = usize>) -> Outcome<Vec<CString>> {
    let names = numbers
        .into_iter()
        .map(|index| CString::new(child_name(index)));
    Ok(names.collect::<Result<_, _>>()?)
}

/// `all` in another order for each repetition: the first one changes after
/// every second repetition, and odd repetitions run backwards, so that no
/// element always follows the same other one.
pub fn rotated<T: Clone>(all: &[T], rep: usize) -> Vec<T> {
    let mut turned = all.to_vec();
    turned.rotate_left(rep / 2 % all.len().max(1));
    if rep % 2 == 1 {
        turned.reverse();
    }
    turned
}

/// Adds `count` kprobe events to a group.
pub fn add_probes(group: &str, count: usize) -> Outcome {
    let path = Path::new(TRACEFS).join("kprobe_events");
    let mut file = OpenOptions::new().append(true).open(path)?;
    let mut lines = String::new();
    for index in 0..count {
        writeln!(lines, "p:{group}/{} {PROBED}", child_name(index))?;
        if lines.len() > MAX_WRITE - 100 || index + 1 == count {
            file.write_all(lines.as_bytes())?;
            lines.clear();
        }
    }
    Ok(())
}

/// The path of a control file of the client module.
fn client(file: &str) -> PathBuf {
    Path::new(MOUNT).join("synthetic").join(file)
}

/// Looks up the client module's control files, so that no measurement contains
/// their first look-up.
pub fn lookup_client() -> Outcome {
    for file in ["control", "status"].map(client) {
        fs::metadata(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

/// Runs a command of the client module; returns its nanoseconds in the kernel.
fn command(text: &str) -> Outcome<u64> {
    fs::write(client("control"), text).map_err(|error| format!("{text}: {error}"))?;
    let status = fs::read_to_string(client("status"))?;
    let ns = status.lines().find_map(|line| line.strip_prefix("ns: "));
    let ns = ns.ok_or_else(|| format!("no time in the client's status: {status}"))?;
    Ok(ns.parse()?)
}

/// Creates a synthetic tree of `systems` with `events` each; with no systems,
/// the events are in the root. Returns the time.
pub fn create(peer: Peer, name: &str, systems: usize, events: usize) -> Outcome<u64> {
    let kind = peer.kind().ok_or("not a synthetic kind")?;
    command(&format!("create {kind} {name} {systems} {events} {FILES}"))
}

/// Removes a synthetic tree. Returns the time.
pub fn remove(peer: Peer, name: &str) -> Outcome<u64> {
    let kind = peer.kind().ok_or("not a synthetic kind")?;
    command(&format!("remove {kind} {name}"))
}

/// Removes the events of a synthetic tree one by one. Returns the time.
pub fn empty(peer: Peer, name: &str) -> Outcome<u64> {
    let kind = peer.kind().ok_or("not a synthetic kind")?;
    command(&format!("empty {kind} {name}"))
}
