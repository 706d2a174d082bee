// SPDX-License-Identifier: GPL-2.0

//! kprobe events, made and removed through a control file.

use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::files::put;

/// The function that the probes of the tests are on.
pub const PROBED: &str = "__x64_sys_umask";

/// Appends a command to the control file of `root`.
fn append(root: &Path, command: &str) -> Result<(), Errno> {
    let path = root.join("kprobe_events");
    put(path, OFlags::APPEND, command.as_bytes()).map(drop)
}

/// Adds the kprobe event `group/name` through the control file of `root`.
pub fn add_probe(root: &Path, group: &str, name: &str) -> Result<(), Errno> {
    append(root, &format!("p:{group}/{name} {PROBED}\n"))
}

/// Removes it.
pub fn remove_probe(root: &Path, group: &str, name: &str) -> Result<(), Errno> {
    append(root, &format!("-:{group}/{name}\n"))
}
