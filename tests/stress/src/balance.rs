// SPDX-License-Identifier: GPL-2.0

//! What the kernel holds, counted when it has come to rest.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Slab caches whose objects come and go with files of eventfs.
const CACHES: &[&str] = &["eventfs_inode_cache", "tracefs_inode_cache"];

/// What the module tells of itself.
const STATISTICS: &str = "/sys/kernel/debug/eventfs/stats";

/// Figures of it that are 0 when nobody uses anything, also while the tree is
/// mounted: a mount by itself opens nothing, and keeps nothing that was removed.
const ZERO: &[&str] = &[
    "nodes_removed",
    "nodes_pending",
    "open_dirs",
    "open_client_files",
];

/// Figures of it that are as before, if all directories were looked into both
/// times: what has gone is unlinked then, and what is there has its node.
const SAME: &[&str] = &["nodes"];

/// Figures of it that are not more than before: what was just used may not have
/// been let go the first time.
const NO_MORE: &[&str] = &["dentries", "inodes"];

/// Counters of the kernel.
pub struct Balance {
    /// Of the whole system.
    counts: Vec<(String, i64)>,
    /// Of the module alone, if it tells.
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

/// What the module tells of itself; nothing if there is no such file.
fn statistics() -> Vec<(String, i64)> {
    let text = fs::read_to_string(STATISTICS).unwrap_or_default();
    let figures = text.lines().filter_map(|line| {
        let (name, figure) = line.split_once(' ')?;
        Some((name.to_string(), figure.parse().ok()?))
    });
    figures.collect()
}

/// Looks into each directory of events, so that the module knows what is there.
///
/// It makes the nodes of these when somebody looks, and notices only then what
/// has gone in a way that it is not told of.
pub fn list_all(root: &Path) -> Result<(), String> {
    let events = root.join("events");
    let context = |error| format!("{}: {error}", events.display());
    for entry in fs::read_dir(&events).map_err(context)? {
        let entry = entry.map_err(context)?;
        if entry.file_type().map_err(context)?.is_dir() {
            // All names are taken when it is opened, or when it is first read.
            fs::read_dir(entry.path()).map_err(context)?.next();
        }
    }
    Ok(())
}

/// A figure by its name.
fn figure(all: &[(String, i64)], name: &str) -> Option<i64> {
    let (_, figure) = all.iter().find(|(known, _)| known == name)?;
    Some(*figure)
}

impl Balance {
    /// Lets go of all that nobody uses, and counts what is left.
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
        // Those that are not free.
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

    /// What has grown by more than what other things in the system explain, or
    /// is not what it has to be.
    pub fn grown_since(&self, before: &Self) -> Vec<String> {
        /// procfs and sysfs have dentries and inodes, too, and slabs are
        /// counted by processor.
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
