// SPDX-License-Identifier: GPL-2.0

//! kprobe events, added and removed through `kprobe_events`.

use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::files::put;

/// The function that the tests probe.
pub const PROBED: &str = "__x64_sys_umask";

/// Appends a command to `kprobe_events` of `root`.
fn append(root: &Path, command: &str) -> Result<(), Errno> {
    let path = root.join("kprobe_events");
    put(path, OFlags::APPEND, command.as_bytes()).map(drop)
}

/// Adds the kprobe event `group/name`.
pub fn add_probe(root: &Path, group: &str, name: &str) -> Result<(), Errno> {
    append(root, &format!("p:{group}/{name} {PROBED}\n"))
}

/// Removes the kprobe event `group/name`.
pub fn remove_probe(root: &Path, group: &str, name: &str) -> Result<(), Errno> {
    append(root, &format!("-:{group}/{name}\n"))
}
