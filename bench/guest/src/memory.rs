// SPDX-License-Identifier: GPL-2.0

//! The kernel's memory, by allocation site and by slab cache.

use std::collections::BTreeMap;
use std::fs;

use crate::Outcome;

/// A snapshot of `/proc/allocinfo`: bytes per allocation site.
pub struct AllocInfo(BTreeMap<String, i64>);

/// Bytes by which allocation sites have grown.
pub type Growth = BTreeMap<String, i64>;

impl AllocInfo {
    /// The current state. A slab object counts with its cache's object size.
    pub fn now() -> Outcome<Self> {
        let text = fs::read_to_string("/proc/allocinfo")?;
        let mut lines = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (Some(bytes), Some(_calls)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(bytes) = bytes.parse::<i64>() else {
                continue;
            };
            let site = words.collect::<Vec<_>>().join(" ");
            *lines.entry(site).or_default() += bytes;
        }
        Ok(Self(lines))
    }

    /// The growth up to `later`.
    pub fn growth_to(&self, later: &Self) -> Growth {
        difference(&self.0, &later.0)
    }
}

/// `second` minus `first`, without the sites that are equal.
pub fn difference(first: &Growth, second: &Growth) -> Growth {
    let mut growth = second.clone();
    for (site, bytes) in first {
        *growth.entry(site.clone()).or_default() -= bytes;
    }
    growth.retain(|_, bytes| *bytes != 0);
    growth
}

/// Whether a site allocates metadata of a file system's directories. Excluded
/// are the pages of slabs (their objects are counted), processes and the page
/// cache, and the client module that creates the directories.
pub fn is_metadata(site: &str) -> bool {
    let of_memory = site.starts_with("mm/") && !site.starts_with("mm/util.c");
    let of_others = [
        "kernel/",
        "arch/",
        "lib/maple",
        "fs/proc/",
        "fs/seq_file",
        "fs/file",
    ]
    .iter()
    .any(|prefix| site.starts_with(prefix));
    !of_memory && !of_others && !site.contains("[eventfs_synthetic]")
}

/// The total growth of the sites that `which` selects.
pub fn sum(growth: &Growth, which: impl Fn(&str) -> bool) -> f64 {
    growth
        .iter()
        .filter(|(site, _)| which(site))
        .map(|(_, bytes)| *bytes as f64)
        .sum()
}

/// The bytes of all active objects in all slab caches.
pub fn slab() -> Outcome<f64> {
    let text = fs::read_to_string("/proc/slabinfo")?;
    let mut total = 0.0;
    for line in text.lines().skip(2) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [_, active, _, size, ..] = words.as_slice() {
            total += active.parse::<f64>()? * size.parse::<f64>()?;
        }
    }
    Ok(total)
}
