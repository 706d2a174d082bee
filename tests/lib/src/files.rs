// SPDX-License-Identifier: GPL-2.0

//! Whole files, read and written in one go.

use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io;

use crate::value::{written, Outcome};

/// The name of a file's type.
pub fn kind_name(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "file",
        FileType::Directory => "dir",
        FileType::Symlink => "symlink",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
        FileType::CharacterDevice => "char",
        FileType::BlockDevice => "block",
        FileType::Unknown => "unknown",
    }
}

/// Reads everything from the current position on.
pub fn read_to_end(fd: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut buffer = [0; 8 * 1024];
    loop {
        match io::read(fd, buffer.as_mut_slice())? {
            0 => return Ok(all),
            got => all.extend_from_slice(&buffer[..got]),
        }
    }
}

/// Opens `path`, writes `bytes` in one call and closes it.
pub fn put(path: impl AsRef<Path>, flags: OFlags, bytes: &[u8]) -> Outcome {
    let fd = fs::open(
        path.as_ref(),
        OFlags::WRONLY | OFlags::CLOEXEC | flags,
        Mode::empty(),
    )?;
    written(io::write(&fd, bytes))
}

/// Evicts all unused dentries and inodes.
pub fn drop_caches() -> Outcome {
    // The shrinkers spare recently used ones once.
    let path = "/proc/sys/vm/drop_caches";
    put(path, OFlags::empty(), b"2").and_then(|_| put(path, OFlags::empty(), b"2"))
}
