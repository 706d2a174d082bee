// SPDX-License-Identifier: GPL-2.0

//! Inode numbers, link counts and types of a whole tree.

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
    /// Where each inode number was seen first.
    seen: HashMap<u64, PathBuf>,
    /// The inode number of each directory.
    directories: HashMap<PathBuf, u64>,
    files: usize,
    device: u64,
    defects: usize,
}

impl Walk {
    /// Notes a defect.
    fn defect(&mut self, path: &Path, what: &str) {
        self.defects += 1;
        if self.defects <= 20 {
            eprintln!("{}: {what}", path.display());
        }
    }

    /// Looks at the directory `path`, whose parent has the inode number
    /// `parent`.
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
                        self.defect(path, &format!(". is {}, stat says {ino}", entry.ino));
                    }
                    continue;
                }
                ".." => {
                    above += 1;
                    if entry.ino != parent {
                        self.defect(path, &format!(".. is {}, not {parent}", entry.ino));
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
                let what = format!("readdir says {}, stat says {}", entry.ino, stat.st_ino);
                self.defect(&child, &what);
            }
            if stat.st_dev != self.device {
                self.defect(&child, "is on another device");
            }
            let kind = FileType::from_raw_mode(stat.st_mode);
            if kind != entry.kind {
                let what = format!(
                    "readdir says {}, stat says {}",
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
    // The root of a mount is its own parent.
    walk.seen.insert(stat.st_ino, root.to_path_buf());
    if stat.st_nlink != 1 {
        walk.defect(root, &format!("has {} links", stat.st_nlink));
    }
    walk.directory(root, stat.st_ino, stat.st_ino, 0);
    Ok(walk)
}

/// `evt tree [-s STEP] DIR`: DIR is a mount's root.  Checks that readdir and stat agree
/// all over the tree, that no two inode numbers are alike, that all link
/// counts are 1, and that directories have the same numbers after all that
/// can be evicted was.  With `-s` it looks into a sample of the directories.
pub fn main(args: &[String]) -> ExitCode {
    let (root, step) = match args {
        [root] => (root, Some(1)),
        [flag, step, root] if flag == "-s" => (root, step.parse().ok()),
        _ => (&String::new(), None),
    };
    let Some(step) = step else {
        eprintln!("tree: [-s STEP] DIR");
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
            eprintln!("a tree without files proves nothing");
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
