// SPDX-License-Identifier: GPL-2.0

//! Comparison of two trees that should look the same.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::fs::{self, FileType, Mode, OFlags};

use crate::dir::{self, Sample};
use crate::errno;
use crate::files::{kind_name, read_to_end};

/// The options of a comparison, and its results so far.
struct Comparison {
    roots: [PathBuf; 2],
    contents: bool,
    files_only: bool,
    ordered: bool,
    skipped: Vec<String>,
    sample: Sample,
    shown: usize,
    directories: usize,
    files: usize,
    bytes: usize,
    differences: usize,
}

/// The contents of a file, or the error of opening or reading it.
fn contents(path: &Path) -> Result<Vec<u8>, String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::open(path, flags, Mode::empty())
        .map_err(|error| format!("open: {}", errno::name(error)))?;
    read_to_end(file.as_fd()).map_err(|error| format!("read: {}", errno::name(error)))
}

/// The first line in which two texts differ.
fn first_difference(one: &[u8], other: &[u8]) -> String {
    let (one, other) = (String::from_utf8_lossy(one), String::from_utf8_lossy(other));
    let mut lines = (one.lines(), other.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (lines.0.next(), lines.1.next()) {
            (None, None) => return "differ in the last newline".to_string(),
            (a, b) if a == b => {}
            (a, b) => {
                return format!(
                    "line {number}: {:?} against {:?}",
                    a.unwrap_or("(end)"),
                    b.unwrap_or("(end)")
                )
            }
        }
    }
}

impl Comparison {
    /// Counts a difference at `path`, and prints the first ones.
    fn differ(&mut self, path: &Path, what: &str) {
        self.differences += 1;
        if self.differences <= self.shown {
            eprintln!("{}: {what}", path.display());
        }
    }

    /// Compares the attributes of `path`. Returns its type if both sides have the same.
    fn attributes(&mut self, path: &Path) -> Option<FileType> {
        let stats = [0, 1].map(|side| fs::lstat(self.roots[side].join(path)));
        let [one, other] = match stats {
            [Ok(one), Ok(other)] => [one, other],
            [one, other] => {
                let [one, other] = [one, other].map(|stat| match stat {
                    Ok(_) => "present".to_string(),
                    Err(error) => errno::name(error),
                });
                self.differ(path, &format!("stat: {one} against {other}"));
                return None;
            }
        };
        let kinds = [one.st_mode, other.st_mode].map(FileType::from_raw_mode);
        if kinds[0] != kinds[1] {
            let [one, other] = kinds.map(kind_name);
            self.differ(path, &format!("type: {one} against {other}"));
            return None;
        }
        let attributes = [&one, &other].map(|stat| {
            format!(
                "{:04o} {}:{}",
                stat.st_mode & 0o7777,
                stat.st_uid,
                stat.st_gid
            )
        });
        if attributes[0] != attributes[1] {
            self.differ(
                path,
                &format!("mode: {} against {}", attributes[0], attributes[1]),
            );
        }
        Some(kinds[0])
    }

    /// Compares the contents of a file.
    fn file(&mut self, path: &Path) {
        self.files += 1;
        if !self.contents {
            return;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if self.skipped.iter().any(|skipped| *skipped == name) {
            return;
        }
        let [one, other] = [0, 1].map(|side| contents(&self.roots[side].join(path)));
        match (&one, &other) {
            (Ok(a), Ok(b)) if a == b => self.bytes += a.len(),
            (Ok(a), Ok(b)) => {
                let what = first_difference(a, b);
                self.differ(path, &what);
            }
            (Err(a), Err(b)) if a == b => {}
            _ => {
                let [one, other] = [&one, &other].map(|side| match side {
                    Ok(bytes) => format!("{} bytes", bytes.len()),
                    Err(error) => error.clone(),
                });
                self.differ(path, &format!("{one} against {other}"));
            }
        }
    }

    /// Compares a directory and, without `files_only`, everything below it.
    fn directory(&mut self, path: &Path, index: usize) {
        let listings = [0, 1].map(|side| dir::list(&self.roots[side].join(path)));
        let [one, other] = match listings {
            [Ok(one), Ok(other)] => [one, other],
            _ => return self.differ(path, "cannot be listed"),
        };
        if !self.sample.takes(index, one.len()) {
            return;
        }
        self.directories += 1;
        let mut below = 0;
        let mut sides: BTreeMap<&str, [Option<FileType>; 2]> = BTreeMap::new();
        for (side, listing) in [&one, &other].into_iter().enumerate() {
            for entry in listing.iter().filter(|entry| !entry.is_dot()) {
                let known = &mut sides.entry(&entry.name).or_default()[side];
                if known.replace(entry.kind).is_some() {
                    let what = format!("listed twice in {}", self.roots[side].display());
                    self.differ(&path.join(&entry.name), &what);
                }
            }
        }
        if self.files_only {
            // A directory in the first tree alone does not count.
            sides.retain(|_, kinds| kinds[0] != Some(FileType::Directory) || kinds[1].is_some());
        }
        if self.ordered && dir::names(&one) != dir::names(&other) {
            self.differ(path, "listed in another order");
        }
        for (name, kinds) in sides {
            let child = path.join(name);
            match kinds {
                [Some(one), Some(other)] if one != other => {
                    let what = format!(
                        "type in the listing: {} against {}",
                        kind_name(one),
                        kind_name(other)
                    );
                    self.differ(&child, &what);
                }
                [Some(_), Some(_)] => {}
                [present, _] => {
                    let only = usize::from(present.is_none());
                    let what = format!("only in {}", self.roots[only].display());
                    self.differ(&child, &what);
                    continue;
                }
            }
            match self.attributes(&child) {
                Some(FileType::Directory) if !self.files_only => {
                    self.directory(&child, below);
                    below += 1;
                }
                Some(FileType::RegularFile) => self.file(&child),
                _ => {}
            }
        }
    }
}

/// `evt compare [-c] [-f] [-o] [-s STEP] [-x NAME]... A B`: compares the names, types,
/// modes and owners in the tree B with those in the tree A.
///
/// * `-c` compares contents as well, except those of files called NAME;
/// * `-o` compares the order of listings as well;
/// * `-f` compares only the files of the two directories themselves;
/// * `-s` compares only a sample of the directories.
pub fn main(args: &[String]) -> ExitCode {
    let mut comparison = Comparison {
        roots: [PathBuf::new(), PathBuf::new()],
        contents: false,
        files_only: false,
        ordered: false,
        skipped: Vec::new(),
        sample: Sample { step: 1 },
        shown: 20,
        directories: 0,
        files: 0,
        bytes: 0,
        differences: 0,
    };
    let mut roots = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-c" => comparison.contents = true,
            "-f" => comparison.files_only = true,
            "-o" => comparison.ordered = true,
            "-s" => {
                if let Some(step) = args.next().and_then(|step| step.parse().ok()) {
                    comparison.sample.step = step;
                }
            }
            "-x" => comparison.skipped.extend(args.next().cloned()),
            root => roots.push(PathBuf::from(root)),
        }
    }
    let Ok(roots) = <[PathBuf; 2]>::try_from(roots) else {
        eprintln!("usage: evt compare [-c] [-f] [-o] [-s STEP] [-x NAME]... DIR DIR");
        return ExitCode::from(2);
    };
    comparison.roots = roots;
    comparison.directory(Path::new(""), 0);
    println!(
        "{} directories, {} files, {} bytes, {} differences",
        comparison.directories, comparison.files, comparison.bytes, comparison.differences
    );
    if comparison.differences == 0 && comparison.files > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
