// SPDX-License-Identifier: GPL-2.0

//! What the kernel holds, counted when it has come to rest.

use std::fs;
use std::thread;
use std::time::Duration;

/// Slab caches whose objects come and go with files of eventfs.
const CACHES: &[&str] = &["eventfs_inode_cache", "tracefs_inode_cache"];

/// Counters of the kernel.
pub struct Balance(Vec<(String, i64)>);

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
        Self(counts)
    }

    /// What has grown by more than what other things in the system explain.
    pub fn grown_since(&self, before: &Self) -> Vec<String> {
        /// procfs and sysfs have dentries and inodes, too, and slabs are
        /// counted by processor.
        const SLACK: i64 = 40;

        let mut grown = Vec::new();
        for (name, now) in &self.0 {
            let Some((_, was)) = before.0.iter().find(|(known, _)| known == name) else {
                continue;
            };
            let limit = if name == "references" {
                *was
            } else {
                *was + SLACK
            };
            if *now > limit {
                grown.push(format!("{name}: {was} before, {now} after"));
            }
        }
        grown
    }

    /// All counters on one line.
    pub fn text(&self) -> String {
        let all: Vec<String> = self
            .0
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        all.join(", ")
    }
}
