// SPDX-License-Identifier: GPL-2.0

//! Directories as `getdents64` shows them: buffer by buffer, with positions.

use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, RawDir, SeekFrom};
use rustix::io;

/// One record of `getdents64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, made readable if it is not UTF-8.
    pub name: String,
    /// The inode number (`d_ino`).
    pub ino: u64,
    /// The type (`d_type`).
    pub kind: FileType,
    /// The position behind this record (`d_off`).
    pub next_pos: u64,
}

impl Entry {
    /// Whether this is `.` or `..`.
    pub fn is_dot(&self) -> bool {
        self.name == "." || self.name == ".."
    }
}

/// A buffer that listings fit in at one go, mostly.
pub const LARGE: usize = 32 * 1024;

/// Opens the directory `path`.
pub fn open(path: &Path) -> io::Result<OwnedFd> {
    rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// What one `getdents64` with a buffer of `size` bytes gives.
pub fn read_once(fd: impl AsFd, size: usize) -> io::Result<Vec<Entry>> {
    // `RawDir` cuts off what precedes the first aligned byte.
    let mut buffer = vec![MaybeUninit::<u8>::uninit(); size + 8];
    let start = buffer.as_ptr().align_offset(8);
    let mut dir = RawDir::new(fd, &mut buffer[start..start + size]);
    let mut entries = Vec::new();
    while let Some(record) = dir.next() {
        let record = record?;
        entries.push(Entry {
            name: OsStr::from_bytes(record.file_name().to_bytes())
                .to_string_lossy()
                .into_owned(),
            ino: record.ino(),
            kind: record.file_type(),
            next_pos: record.next_entry_cookie(),
        });
        if dir.is_buffer_empty() {
            break;
        }
    }
    Ok(entries)
}

/// All from the current position on, read with a buffer of `size` bytes.
pub fn read_rest(fd: impl AsFd, size: usize) -> io::Result<Vec<Entry>> {
    let mut all = Vec::new();
    loop {
        let some = read_once(&fd, size)?;
        if some.is_empty() {
            return Ok(all);
        }
        all.extend(some);
    }
}

/// The whole directory `path`, with `.` and `..`.
pub fn list(path: &Path) -> io::Result<Vec<Entry>> {
    read_rest(open(path)?, LARGE)
}

/// Sets the position of an open directory.
pub fn seek(fd: impl AsFd, pos: u64) -> io::Result<u64> {
    rustix::fs::seek(fd, SeekFrom::Start(pos))
}

/// A part of a tree that stands for all of it, where all would take too long.
#[derive(Clone, Copy)]
pub struct Sample {
    /// Of the directories in a directory, each `step`th is looked into.
    pub step: usize,
}

impl Sample {
    /// Directories with more entries than this are too large for a sample.
    const LARGE: usize = 200;

    /// Whether to look into the directory `index` of its parent, which has
    /// `entries` entries.
    pub fn takes(self, index: usize, entries: usize) -> bool {
        self.step <= 1 || (index % self.step == 0 && entries <= Self::LARGE)
    }
}

/// The names of `entries` without `.` and `..`, in their order.
pub fn names(entries: &[Entry]) -> Vec<String> {
    entries
        .iter()
        .filter(|entry| !entry.is_dot())
        .map(|entry| entry.name.clone())
        .collect()
}

/// All paths two levels below `root`, of files and directories.
pub fn below(root: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for group in names(&list(root).unwrap_or_default()) {
        let group = root.join(group);
        for name in names(&list(&group).unwrap_or_default()) {
            all.push(group.join(name));
        }
    }
    all
}
