// SPDX-License-Identifier: GPL-2.0

//! Trees of directories.

use std::fs;
use std::path::{Path, PathBuf};

/// All that is below a directory (at depth 0), as paths below `top`, each
/// directory's sorted by name. The directories in it are all looked into; of
/// those in deeper ones each `step`th, where files count as well.
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
