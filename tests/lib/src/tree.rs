// SPDX-License-Identifier: GPL-2.0

//! Checks the inode numbers, link counts and types of a whole tree.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::fs::{self, FileType};

use crate::dir::{self, Sample};
use crate::errno;
use crate::files::{drop_caches, kind_name};
use crate::value::render;

/// A walk over one tree.
struct Walk {
    sample: Sample,
    /// The path at which each inode number was found first.
    seen: HashMap<u64, PathBuf>,
    /// The inode number of each directory.
    directories: HashMap<PathBuf, u64>,
    files: usize,
    device: u64,
    defects: usize,
}

impl Walk {
    /// Counts a defect, and prints the first ones.
    fn defect(&mut self, path: &Path, what: &str) {
        self.defects += 1;
        if self.defects <= 20 {
            eprintln!("{}: {what}", path.display());
        }
    }

    /// Checks the directory `path` and everything below it. Its parent has the inode
    /// number `parent`.
    fn directory(&mut self, path: &Path, ino: u64, parent: u64, index: usize) {
        self.directories.insert(path.to_path_buf(), ino);
        let listing = match dir::list(path) {
            Ok(listing) => listing,
            Err(error) => {
                let what = format!("cannot be listed: {}", errno::name(error));
                return self.defect(path, &what);
            }
        };
        if !self.sample.takes(index, listing.len()) {
            return;
        }
        let [mut here, mut above, mut below] = [0, 0, 0];
        for entry in listing {
            match entry.name.as_str() {
                "." => {
                    here += 1;
                    if entry.ino != ino {
                        self.defect(path, &format!(". has d_ino {}, st_ino {ino}", entry.ino));
                    }
                    continue;
                }
                ".." => {
                    above += 1;
                    if entry.ino != parent {
                        self.defect(path, &format!(".. has d_ino {}, not {parent}", entry.ino));
                    }
                    continue;
                }
                _ => {}
            }
            let child = path.join(&entry.name);
            let stat = match fs::lstat(&child) {
                Ok(stat) => stat,
                Err(error) => {
                    self.defect(&child, &format!("stat: {}", errno::name(error)));
                    continue;
                }
            };
            if stat.st_ino != entry.ino {
                let what = format!("d_ino {}, st_ino {}", entry.ino, stat.st_ino);
                self.defect(&child, &what);
            }
            if stat.st_dev != self.device {
                self.defect(&child, "is on another device");
            }
            let kind = FileType::from_raw_mode(stat.st_mode);
            if kind != entry.kind {
                let what = format!(
                    "d_type {}, st_mode {}",
                    kind_name(entry.kind),
                    kind_name(kind)
                );
                self.defect(&child, &what);
            }
            if stat.st_nlink != 1 {
                self.defect(&child, &format!("has {} links", stat.st_nlink));
            }
            if let Some(first) = self.seen.insert(stat.st_ino, child.clone()) {
                let what = format!("has inode {} like {}", stat.st_ino, first.display());
                self.defect(&child, &what);
            }
            match kind {
                FileType::Directory => {
                    self.directory(&child, stat.st_ino, ino, below);
                    below += 1;
                }
                FileType::RegularFile => self.files += 1,
                other => self.defect(&child, &format!("is a {}", kind_name(other))),
            }
        }
        if (here, above) != (1, 1) {
            self.defect(path, &format!(". is listed {here} times, .. {above} times"));
        }
    }
}

/// Walks the tree at `root`.
fn walk(root: &Path, sample: Sample) -> Result<Walk, String> {
    let stat = fs::stat(root).map_err(errno::name)?;
    let mut walk = Walk {
        sample,
        seen: HashMap::new(),
        directories: HashMap::new(),
        files: 0,
        device: stat.st_dev,
        defects: 0,
    };
    // The parent of a mount's root is the root itself.
    walk.seen.insert(stat.st_ino, root.to_path_buf());
    if stat.st_nlink != 1 {
        walk.defect(root, &format!("has {} links", stat.st_nlink));
    }
    walk.directory(root, stat.st_ino, stat.st_ino, 0);
    Ok(walk)
}

/// `evt tree [-s STEP] DIR`: checks the tree at DIR, the root of a mount.
///
/// readdir and stat have to agree on each entry, all inode numbers have to differ,
/// all link counts have to be 1, and directories have to keep their inode numbers
/// when all unused inodes are evicted. With `-s` it checks a sample of the
/// directories.
pub fn main(args: &[String]) -> ExitCode {
    let (root, step) = match args {
        [root] => (root, Some(1)),
        [flag, step, root] if flag == "-s" => (root, step.parse().ok()),
        _ => (&String::new(), None),
    };
    let Some(step) = step else {
        eprintln!("usage: evt tree [-s STEP] DIR");
        return ExitCode::from(2);
    };
    let root = Path::new(root);
    let mut defects = 0;
    let mut first: Option<Walk> = None;
    for _ in 0..2 {
        let now = match walk(root, Sample { step }) {
            Ok(now) => now,
            Err(error) => {
                eprintln!("{}: {error}", root.display());
                return ExitCode::FAILURE;
            }
        };
        defects += now.defects;
        println!(
            "{} directories, {} files, {} defects",
            now.directories.len(),
            now.files,
            now.defects
        );
        if now.files == 0 {
            eprintln!("the tree has no files");
            defects += 1;
        }
        if let Some(before) = &first {
            for (path, ino) in &now.directories {
                match before.directories.get(path) {
                    Some(old) if old == ino => {}
                    old => {
                        defects += 1;
                        eprintln!("{}: was {old:?}, is {ino}", path.display());
                    }
                }
            }
        }
        first = Some(now);
        let dropped = drop_caches();
        if dropped.is_err() {
            eprintln!("drop_caches: {}", render(&dropped));
            defects += 1;
        }
    }
    if defects == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
