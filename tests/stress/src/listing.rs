// SPDX-License-Identifier: GPL-2.0

//! Listings with buffers of odd sizes.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::fs::{FileType, RawDir};
use rustix::io::{self, Errno};

use crate::rng::Rng;

/// One record of `getdents64`.
pub struct Entry {
    /// The name.
    pub name: String,
    /// The inode number (`d_ino`).
    pub ino: u64,
    /// The type (`d_type`).
    pub kind: FileType,
}

/// Appends the entries that one `getdents64` with a buffer of `size` bytes returns.
/// Returns false at the end of the directory.
fn read_once(fd: impl AsFd, size: usize, all: &mut Vec<Entry>) -> io::Result<bool> {
    // `RawDir` skips the bytes before the first aligned one.
    let mut room = vec![MaybeUninit::<u8>::uninit(); size + 8];
    let start = room.as_ptr().align_offset(8);
    let mut dir = RawDir::new(fd, &mut room[start..start + size]);
    let mut some = false;
    while let Some(record) = dir.next() {
        let record = record?;
        some = true;
        all.push(Entry {
            name: record.file_name().to_string_lossy().into_owned(),
            ino: record.ino(),
            kind: record.file_type(),
        });
        if dir.is_buffer_empty() {
            break;
        }
    }
    Ok(some)
}

/// Reads all entries from the current position on with buffers of random sizes, and
/// calls `between` after each buffer.
pub fn read_rest(
    fd: impl AsFd,
    rng: &mut Rng,
    mut between: impl FnMut(),
) -> io::Result<Vec<Entry>> {
    /// Enough for an entry with any name.
    const ENOUGH: usize = 512;

    let mut all = Vec::new();
    // One set of sizes per listing: small ones for all of a large directory take too long.
    let sizes: &[usize] = rng.pick(&[
        &[24, 31, 32, 40, 63, 100, 4096],
        &[257, 1000, 1024, 4095],
        &[4096, 4097, 32 * 1024, 65_537],
    ]);
    loop {
        let size = rng.pick(sizes);
        match read_once(&fd, size, &mut all) {
            Ok(true) => between(),
            Ok(false) => return Ok(all),
            // The next entry does not fit, and the position is unchanged.
            Err(Errno::INVAL) if size < ENOUGH => {
                if !read_once(&fd, ENOUGH, &mut all)? {
                    return Ok(all);
                }
            }
            Err(error) => return Err(error),
        }
    }
}
