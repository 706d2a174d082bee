// SPDX-License-Identifier: GPL-2.0

//! Look-ups in one directory.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::caches::drop_caches;
use crate::clock::timed;
use crate::peer::child_names;
use crate::sample::{per_item, Random};
use crate::Outcome;

/// Look-ups after each dropping of the caches. The same for every size of the
/// directory, so that the extra cost of the first look-up weighs the same.
const BATCH: usize = 10;
/// Batches per sample.
const BATCHES: usize = 20;

/// Opens a directory for look-ups, with `O_PATH`: opening it for reading would
/// make all its children warm.
pub fn open_path(path: &Path) -> Outcome<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(fs::open(path, flags, Mode::empty())
        .map_err(|error| format!("{}: {error}", path.display()))?)
}

/// Looks up names that exist.
pub fn stat_all(dir: &OwnedFd, names: &[CString]) -> Outcome {
    for name in names {
        fs::statat(dir, name.as_c_str(), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| format!("{name:?}: {error}"))?;
    }
    Ok(())
}

/// Looks up a name that does not exist.
pub fn stat_missing(dir: &OwnedFd, name: &CStr) -> Outcome {
    match fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(format!("{name:?}: {error}").into()),
        Ok(_) => Err(format!("{name:?} exists").into()),
    }
}

/// Nanoseconds per look-up of a cold name among `size`.
pub fn cold(path: &Path, size: usize, random: &mut Random) -> Outcome<f64> {
    let dir = open_path(path)?;
    let mut total = 0;
    for _ in 0..BATCHES {
        // One name from each tenth of the directory, so that all differ.
        let part = size / BATCH;
        let names = child_names((0..BATCH).map(|number| number * part + random.below(part)))?;
        drop_caches()?;
        let (ns, ()) = timed(|| stat_all(&dir, &names))?;
        total += ns;
    }
    Ok(per_item(total, BATCH * BATCHES))
}

/// Nanoseconds per look-up of a name that does not exist, without a negative
/// dentry.
pub fn missing(path: &Path, random: &mut Random) -> Outcome<f64> {
    let dir = open_path(path)?;
    let first = random.below(1 << 30);
    let names: Vec<CString> = (first..first + BATCH * BATCHES)
        .map(|number| CString::new(format!("no_{number:x}")))
        .collect::<Result<_, _>>()?;
    drop_caches()?;
    let (ns, ()) = timed(|| names.iter().try_for_each(|name| stat_missing(&dir, name)))?;
    Ok(per_item(ns, names.len()))
}
