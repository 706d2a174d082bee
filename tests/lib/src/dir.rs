// SPDX-License-Identifier: GPL-2.0

//! Listings by `getdents64`, buffer by buffer, with positions.

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
    /// The name, with replacement characters if it is not UTF-8.
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

/// The size of a buffer that holds most listings in one go.
pub const LARGE: usize = 32 * 1024;

/// Opens the directory `path`.
pub fn open(path: &Path) -> io::Result<OwnedFd> {
    rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// The entries that one `getdents64` with a buffer of `size` bytes returns.
pub fn read_once(fd: impl AsFd, size: usize) -> io::Result<Vec<Entry>> {
    // `RawDir` skips the bytes before the first aligned one.
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

/// All entries from the current position on, read with a buffer of `size` bytes.
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

/// All entries of the directory `path`, `.` and `..` included.
pub fn list(path: &Path) -> io::Result<Vec<Entry>> {
    read_rest(open(path)?, LARGE)
}

/// Sets the position of an open directory.
pub fn seek(fd: impl AsFd, pos: u64) -> io::Result<u64> {
    rustix::fs::seek(fd, SeekFrom::Start(pos))
}

/// A choice of directories, for kernels on which a walk over all takes too long.
#[derive(Clone, Copy)]
pub struct Sample {
    /// In each directory, every `step`th subdirectory is listed.
    pub step: usize,
}

impl Sample {
    /// The largest number of entries of a directory in a sample.
    const LARGE: usize = 200;

    /// Whether the sample has the subdirectory number `index` of its parent, with
    /// `entries` entries.
    pub fn takes(self, index: usize, entries: usize) -> bool {
        self.step <= 1 || (index % self.step == 0 && entries <= Self::LARGE)
    }
}

/// The names of `entries` in their order, without `.` and `..`.
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
