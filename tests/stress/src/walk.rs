// SPDX-License-Identifier: GPL-2.0

//! Walks over directory trees.

use std::fs;
use std::path::{Path, PathBuf};

/// Appends everything below the directory `dir` to `all`, as paths below `top`. The
/// entries of each directory are sorted by name.
///
/// The walk descends into each directory in `dir` itself, at depth 0. Deeper down it
/// descends into a directory only if its index among all entries, files included, is
/// a multiple of `step`.
pub fn walk(
    top: &Path,
    dir: &Path,
    depth: usize,
    step: usize,
    all: &mut Vec<PathBuf>,
) -> std::io::Result<()> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(top.join(dir))? {
        let entry = entry?;
        entries.push((dir.join(entry.file_name()), entry.file_type()?.is_dir()));
    }
    entries.sort();
    for (index, (path, is_directory)) in entries.into_iter().enumerate() {
        if is_directory && (depth < 1 || index % step == 0) {
            walk(top, &path, depth + 1, step, all)?;
        }
        all.push(path);
    }
    Ok(())
}
