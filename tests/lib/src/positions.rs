// SPDX-License-Identifier: GPL-2.0

//! Positions in an open directory.

use std::path::Path;
use std::process::ExitCode;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::dir::{self, Entry};
use crate::errno;

/// The size of the record of `getdents64` for an entry.
fn record_size(entry: &Entry) -> usize {
    // d_ino, d_off, d_reclen, d_type, the name and a NUL, aligned to 8.
    (8 + 8 + 2 + 1 + entry.name.len() + 1).next_multiple_of(8)
}

/// Checks one directory. Returns a summary, or the first defect.
fn check(path: &Path) -> Result<String, String> {
    let context = |what: &str, error: Errno| format!("{what}: {}", errno::name(error));
    let whole = dir::list(path).map_err(|error| context("list", error))?;
    let largest = whole.iter().map(record_size).max().unwrap_or(0);
    let smallest = whole.iter().map(record_size).min().unwrap_or(0);
    let fd = dir::open(path).map_err(|error| context("open", error))?;
    let mut checks = 0;

    // Buffers of every size return the same listing, and a rewind restarts it.
    for size in (largest..largest + 264).step_by(8).chain([4096, 65536]) {
        let again = dir::read_rest(&fd, size).map_err(|error| context("getdents", error))?;
        if again != whole {
            return Err(format!(
                "a buffer of {size} bytes returns {} entries instead of {}, or other ones",
                again.len(),
                whole.len()
            ));
        }
        // At the end there are no more entries.
        match dir::read_once(&fd, size) {
            Ok(more) if more.is_empty() => {}
            Ok(more) => return Err(format!("behind the end: {}", more[0].name)),
            Err(error) => return Err(context("getdents at the end", error)),
        }
        dir::seek(&fd, 0).map_err(|error| context("rewind", error))?;
        checks += 1;
    }

    // One entry at a time: the position is the d_off of the entry.
    for (index, expected) in whole.iter().enumerate() {
        // A buffer that is too small leaves the position unchanged.
        if record_size(expected) > smallest {
            match dir::read_once(&fd, record_size(expected) - 8) {
                Err(Errno::INVAL) => {}
                Err(error) => return Err(context("a buffer that is too small", error)),
                Ok(got) => {
                    return Err(format!(
                        "entry {index}, {}: a buffer that is too small returns {got:?}",
                        expected.name
                    ))
                }
            }
        }
        let got = dir::read_once(&fd, record_size(expected))
            .map_err(|error| context("one entry", error))?;
        if got != [expected.clone()] {
            return Err(format!("entry {index}: {got:?} instead of {expected:?}"));
        }
        let pos = rustix::fs::seek(&fd, SeekFrom::Current(0))
            .map_err(|error| context("seek by 0", error))?;
        if pos != expected.next_pos {
            return Err(format!(
                "behind {}: position {pos}, d_off {}",
                expected.name, expected.next_pos
            ));
        }
        checks += 1;
    }

    // A seek to any position returns the same rest as before, last position first.
    let step = whole.len().div_ceil(64).max(1);
    for index in (0..whole.len()).rev().step_by(step) {
        dir::seek(&fd, whole[index].next_pos).map_err(|error| context("seek", error))?;
        let rest =
            dir::read_rest(&fd, largest + 100).map_err(|error| context("getdents", error))?;
        if rest != whole[index + 1..] {
            return Err(format!(
                "behind {}: {} entries instead of {}, or other ones",
                whole[index].name,
                rest.len(),
                whole.len() - index - 1
            ));
        }
        checks += 1;
    }

    // Far behind the end there are no entries.
    if let Some(last) = whole.last() {
        dir::seek(&fd, last.next_pos + 1000)
            .map_err(|error| context("seek behind the end", error))?;
        match dir::read_once(&fd, 4096) {
            Ok(more) if more.is_empty() => {}
            Ok(more) => return Err(format!("far behind the end: {}", more[0].name)),
            Err(error) => return Err(context("far behind the end", error)),
        }
    }
    match rustix::fs::seek(&fd, SeekFrom::Start(u64::MAX)) {
        Err(Errno::INVAL) => {}
        Err(error) => return Err(context("seek to -1", error)),
        Ok(pos) => return Err(format!("seek to -1 returns {pos}")),
    }

    // Each open directory has its own position. A duplicated descriptor shares it.
    dir::seek(&fd, 0).map_err(|error| context("rewind", error))?;
    let other = dir::open(path).map_err(|error| context("open", error))?;
    let twin = rustix::io::dup(&fd).map_err(|error| context("dup", error))?;
    let mut mine = dir::read_once(&fd, largest * 3).map_err(|error| context("getdents", error))?;
    let theirs = dir::read_rest(&other, 4096).map_err(|error| context("getdents", error))?;
    if theirs != whole {
        return Err("two open directories share a position".to_string());
    }
    mine.extend(dir::read_rest(&twin, 4096).map_err(|error| context("getdents", error))?);
    if mine != whole {
        return Err("a duplicated descriptor has a position of its own".to_string());
    }
    Ok(format!("{} entries, {checks} checks", whole.len()))
}

/// `evt positions DIR...`: checks positions, seeks and sizes of buffers.
pub fn main(args: &[String]) -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for path in args {
        match check(Path::new(path)) {
            Ok(what) => println!("{path}: {what}"),
            Err(what) => {
                eprintln!("{path}: {what}");
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}
