// SPDX-License-Identifier: GPL-2.0

//! Listing of one directory and of whole trees.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir};

use crate::caches::{drop_caches, wait_grace_periods};
use crate::clock::timed;
use crate::lifecycle::Loaded;
use crate::memory;
use crate::peer::{create, remove, rotated, Listing, Peer};
use crate::plan::Plan;
use crate::sample::{per_item, progress, sample};
use crate::Outcome;

/// Events per synthetic subsystem.
const EVENTS: usize = 10;
/// The name of the synthetic tree.
const TREE: &str = "bench_walk";

/// Opens a directory for reading.
fn open_dir(at: &OwnedFd, name: &std::ffi::CStr) -> Outcome<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(fs::openat(at, name, flags, Mode::empty())?)
}

/// Lists a directory and all directories below it. With `stat`, gets each
/// entry's attributes, as `ls -l` does and `find` does not. Returns the number
/// of entries.
fn walk_from(dir: &OwnedFd, stat: bool) -> Outcome<usize> {
    let mut buffer = [MaybeUninit::uninit(); 32 * 1024];
    let mut below: Vec<CString> = Vec::new();
    let mut count = 0;
    let mut entries = RawDir::new(dir, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        count += 1;
        if stat {
            fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        if entry.file_type() == FileType::Directory {
            below.push(name.to_owned());
        }
    }
    for name in below {
        count += walk_from(&open_dir(dir, &name)?, stat)?;
    }
    Ok(count)
}

/// Walks the tree at `path`, see [`walk_from`].
pub fn walk(path: &Path, stat: bool) -> Outcome<usize> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    walk_from(&fs::open(path, flags, Mode::empty())?, stat)
}

/// Opens and lists one directory; returns the nanoseconds per entry, or an
/// error unless the directory has `size` entries.
pub fn list(path: &Path, size: usize) -> Outcome<f64> {
    let (ns, count) = timed(|| {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = fs::open(path, flags, Mode::empty())?;
        let mut buffer = [MaybeUninit::uninit(); 32 * 1024];
        let mut entries = RawDir::new(&dir, &mut buffer);
        let mut count = 0;
        while let Some(entry) = entries.next() {
            if entry?.file_type() == FileType::Directory {
                count += 1;
            }
        }
        Ok(count)
    })?;
    // `.` and `..` are directories too.
    if count != size + 2 {
        return Err(format!("{}: {count} directories", path.display()).into());
    }
    Ok(ns as f64 / size as f64)
}

/// Walks a tree as `find` and as `ls -lR`, cold and then warm. All samples are
/// per entry.
fn measure_tree(name: &str, path: &Path, rep: usize) -> Outcome {
    for (walker, stat) in [("find", false), ("ls-lR", true)] {
        let record =
            |what: &str, value: f64| sample(&format!("{walker}-{what}"), name, 0, rep, value);
        drop_caches()?;
        let before = memory::slab()?;
        let (cold, entries) = timed(|| walk(path, stat))?;
        let (warm, _) = timed(|| walk(path, stat))?;
        // Objects dropped by the walks are freed after grace periods.
        wait_grace_periods()?;
        let after = memory::slab()?;
        drop_caches()?;
        let dropped = memory::slab()?;
        record("entries", entries as f64);
        record("cold", per_item(cold, entries));
        record("warm", per_item(warm, entries));
        record("slab", (after - before) / entries as f64);
        record("dropped", (dropped - before) / entries as f64);
    }
    Ok(())
}

/// Measures on the events of the running kernel, and on synthetic trees.
pub fn measure(plan: &Plan, loaded: &Loaded) -> Outcome {
    progress("find and ls -lR over whole trees");
    let mut peers = vec![Peer::Mirror, Peer::Kernel];
    for peer in Peer::SYNTHETIC {
        create(peer, TREE, plan.systems, EVENTS)?;
        peers.push(peer);
    }
    let path_of = |peer: Peer| match peer {
        Peer::Mirror | Peer::Kernel => peer.tree(""),
        _ => peer.tree(TREE),
    };
    // The first walk creates the metadata.
    for peer in &peers {
        walk(&path_of(*peer), true)?;
    }
    for rep in 0..plan.repeats {
        for listing in rotated(&Listing::all(&peers), rep) {
            let path = path_of(listing.peer);
            loaded.listing(listing, || measure_tree(&listing.name(), &path, rep))?;
        }
    }
    for peer in Peer::SYNTHETIC {
        remove(peer, TREE)?;
    }
    Ok(())
}
