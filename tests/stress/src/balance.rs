// SPDX-License-Identifier: GPL-2.0

//! Counts of kernel objects, taken before and after a run.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Slab caches for files of eventfs.
const CACHES: &[&str] = &["eventfs_inode_cache", "tracefs_inode_cache"];

/// The statistics of the module.
const STATISTICS: &str = "/sys/kernel/debug/eventfs/stats";

/// Statistics that are 0 while the tree is mounted and nothing in it is in use: a
/// mount by itself opens no file and pins no removed node.
const ZERO: &[&str] = &[
    "nodes_removed",
    "nodes_pending",
    "open_dirs",
    "open_client_files",
];

/// Statistics that are equal before and after, if all directories were listed both
/// times: a listing unlinks stale nodes and creates missing ones.
const SAME: &[&str] = &["nodes"];

/// Statistics that do not grow. They may shrink: recently used objects may not have
/// been evicted the first time.
const NO_MORE: &[&str] = &["dentries", "inodes"];

/// Counters of the kernel and of the module.
pub struct Balance {
    /// Of the whole system.
    counts: Vec<(String, i64)>,
    /// Of the module, if its statistics can be read.
    statistics: Vec<(String, i64)>,
}

/// The field `index` of a file with numbers.
fn field(path: &str, index: usize) -> Option<i64> {
    let text = fs::read_to_string(path).ok()?;
    text.split_whitespace().nth(index)?.parse().ok()
}

/// The objects in use of a slab cache.
fn active(cache: &str) -> Option<i64> {
    let _ = fs::write(format!("/sys/kernel/slab/{cache}/shrink"), "1");
    let all = fs::read_to_string("/proc/slabinfo").ok()?;
    let line = all
        .lines()
        .find(|line| line.split_whitespace().next() == Some(cache))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The statistics of the module, or none if there is no such file.
fn statistics() -> Vec<(String, i64)> {
    let text = fs::read_to_string(STATISTICS).unwrap_or_default();
    let figures = text.lines().filter_map(|line| {
        let (name, figure) = line.split_once(' ')?;
        Some((name.to_string(), figure.parse().ok()?))
    });
    figures.collect()
}

/// Lists each directory of events, which brings the module's nodes up to date.
///
/// A listing creates the nodes of a directory. It also unlinks nodes whose event
/// was removed without a notification to the module.
pub fn list_all(root: &Path) -> Result<(), String> {
    let events = root.join("events");
    let context = |error| format!("{}: {error}", events.display());
    for entry in fs::read_dir(&events).map_err(context)? {
        let entry = entry.map_err(context)?;
        if entry.file_type().map_err(context)?.is_dir() {
            // The open, or else the first read, collects all names.
            fs::read_dir(entry.path()).map_err(context)?.next();
        }
    }
    Ok(())
}

/// The figure called `name`.
fn figure(all: &[(String, i64)], name: &str) -> Option<i64> {
    let (_, figure) = all.iter().find(|(known, _)| known == name)?;
    Some(*figure)
}

impl Balance {
    /// Evicts all unused objects and counts the rest.
    pub fn take() -> Self {
        for _ in 0..3 {
            let _ = fs::write("/proc/sys/vm/drop_caches", "2");
            thread::sleep(Duration::from_millis(100));
        }
        let mut counts = Vec::new();
        let mut add = |name: &str, count: Option<i64>| {
            counts.extend(count.map(|count| (name.to_string(), count)));
        };
        add("dentries", field("/proc/sys/fs/dentry-state", 0));
        // inode-nr counts free inodes as well.
        let used = |all: i64| Some(all - field("/proc/sys/fs/inode-nr", 1)?);
        add("inodes", field("/proc/sys/fs/inode-nr", 0).and_then(used));
        for cache in CACHES {
            add(cache, active(cache));
        }
        let references = field("/sys/module/rust_eventfs/refcnt", 0);
        add("references", references);
        let statistics = statistics();
        Self { counts, statistics }
    }

    /// The counters that have grown by more than the rest of the system explains,
    /// and the statistics that have a wrong value.
    pub fn grown_since(&self, before: &Self) -> Vec<String> {
        /// procfs and sysfs allocate dentries and inodes as well, and the counts
        /// of slabs are per CPU.
        const SLACK: i64 = 40;

        let mut grown = Vec::new();
        for (name, now) in &self.counts {
            let Some(was) = figure(&before.counts, name) else {
                continue;
            };
            let limit = if name == "references" {
                was
            } else {
                was + SLACK
            };
            if *now > limit {
                grown.push(format!("{name}: {was} before, {now} after"));
            }
        }
        for name in ZERO {
            match figure(&self.statistics, name) {
                Some(0) | None => {}
                Some(now) => grown.push(format!("{name}: {now}, not 0")),
            }
        }
        for name in SAME.iter().chain(NO_MORE) {
            let was = figure(&before.statistics, name);
            let now = figure(&self.statistics, name);
            let (Some(was), Some(now)) = (was, now) else {
                continue;
            };
            if now > was || (now < was && SAME.contains(name)) {
                grown.push(format!("{name}: {was} before, {now} after"));
            }
        }
        grown
    }

    /// All counters on one line.
    pub fn text(&self) -> String {
        let line = |all: &[(String, i64)]| {
            let all: Vec<String> = all
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            all.join(", ")
        };
        format!("{}; {}", line(&self.counts), line(&self.statistics))
    }
}
