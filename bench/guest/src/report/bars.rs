// SPDX-License-Identifier: GPL-2.0

//! The bars: limits that the measured values must keep.

use super::samples::Samples;
use crate::peer::METADATA_SUFFIX;

/// A limit for a measured value.
pub struct Bar {
    /// The description.
    pub text: String,
    /// The measured value, if there is one.
    pub value: Option<f64>,
    /// The limit.
    limit: f64,
    /// Whether the limit is a minimum.
    more: bool,
    /// Whether a value beyond the limit leaves the bar open.
    inconclusive: bool,
}

impl Bar {
    /// The value must be at most `limit`.
    fn at_most(limit: f64, text: impl Into<String>, value: Option<f64>) -> Self {
        Self {
            text: text.into(),
            value,
            limit,
            more: false,
            inconclusive: false,
        }
    }

    /// The value must be at least `limit`.
    fn at_least(limit: f64, text: impl Into<String>, value: Option<f64>) -> Self {
        Self {
            more: true,
            ..Self::at_most(limit, text, value)
        }
    }

    /// Whether the bar is met. `None` if it is open.
    pub fn met(&self) -> Option<bool> {
        let value = self.value?;
        let reached = if self.more {
            value >= self.limit
        } else {
            value <= self.limit
        };
        (reached || !self.inconclusive).then_some(reached)
    }

    /// The value, the limit and the verdict in words.
    pub fn words(&self) -> String {
        let value = match self.value {
            Some(value) if value.abs() < 100.0 => format!("{value:.2}"),
            Some(value) => format!("{value:.0}"),
            None => "not measured".to_string(),
        };
        let verdict = match self.met() {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "open",
        };
        let sign = if self.more { ">=" } else { "<=" };
        format!("{}: {value} ({sign} {}) {verdict}", self.text, self.limit)
    }
}

/// Bytes per directory.
pub fn metadata(samples: &Samples, size: usize) -> Vec<Bar> {
    let ours = samples.get("metadata", "ours", size);
    let mut bars: Vec<Bar> = ["ours", "mirror"]
        .into_iter()
        .map(|peer| {
            Bar::at_most(
                1.0,
                format!("{peer} / kernel"),
                samples.ratio(("metadata", peer, size), ("metadata", "kernel", size)),
            )
        })
        .collect();
    bars.push(Bar::at_most(
        104.0,
        "the aim of ours, bytes",
        ours.map(|spread| spread.median),
    ));
    bars
}

/// Look-ups of one kind. The aims are set for these sizes.
pub fn lookup(samples: &Samples, row: &str) -> Vec<Bar> {
    vec![
        Bar::at_most(
            1.3,
            "ours at 100000 / ours at 10",
            samples.ratio((row, "ours", 100_000), (row, "ours", 10)),
        ),
        Bar::at_least(
            20.0,
            "kernel / ours at 10000",
            samples.ratio((row, "kernel", 10_000), (row, "ours", 10_000)),
        ),
    ]
}

/// Rows that show whether the host had two CPUs.
const REFERENCES: [(&str, &str); 3] = [
    ("parallel", "machine"),
    ("parallel-mounts", "tmpfs"),
    ("parallel-apart", "sysfs"),
];

/// Two CPUs. If no reference reaches the limit, the host had no second CPU to
/// spare, and a lower value of ours is inconclusive.
pub fn parallel(samples: &Samples) -> Vec<Bar> {
    let limit = 1.8;
    let of = |row: &str, peer: &str| samples.get(row, peer, 2).map(|spread| spread.median);
    let references = REFERENCES
        .into_iter()
        .filter_map(|(row, peer)| of(row, peer));
    let best = references.fold(0.0, f64::max);
    [
        ("parallel-apart", "ours, each in its own directory"),
        ("parallel", "ours, both in one directory"),
    ]
    .into_iter()
    .map(|(row, text)| {
        let text = format!("{text} (the best of the others: {best:.2})");
        Bar {
            inconclusive: best < limit,
            ..Bar::at_least(limit, text, of(row, "ours"))
        }
    })
    .collect()
}

/// Ours on the kernel's events, relative to the kernel's eventfs.
pub fn mirror(samples: &Samples, row: &str, limit: f64) -> Vec<Bar> {
    vec![Bar::at_most(
        limit,
        "mirror / kernel",
        samples.ratio((row, "mirror", 0), (row, "kernel", 0)),
    )]
}

/// Adding or removing. A removal longer than a grace period also pays for some
/// of the frees, so the bar of linear leaves room.
pub fn change(samples: &Samples, row: &str, linear: bool) -> Vec<Bar> {
    let sizes = samples.sizes(row, "ours");
    let largest = sizes.last().copied().unwrap_or(0);
    let mut bars: Vec<Bar> = ["debugfs", "sysfs"]
        .into_iter()
        .map(|peer| {
            Bar::at_most(
                1.0,
                format!("ours / {peer} at {largest}"),
                samples.ratio((row, "ours", largest), (row, peer, largest)),
            )
        })
        .collect();
    if linear {
        let smaller = sizes.iter().rev().nth(1).copied().unwrap_or(0);
        bars.push(Bar::at_most(
            1.5,
            format!("ours, each of {largest} / each of {smaller}"),
            samples.ratio((row, "ours", largest), (row, "ours", smaller)),
        ));
    }
    bars
}

/// The walkers: the prefix of their rows, and their names.
pub const WALKERS: [(&str, &str); 2] = [("find", "find"), ("ls-lR", "ls -lR")];

/// Memory after walks and after `drop_caches`. A negative value is noted: other
/// memory may have been freed meanwhile.
pub fn walked(samples: &Samples) -> Vec<Bar> {
    let bar = |(walker, title): (&str, &str), peer: &str| {
        let of = |what: &str| {
            let row = format!("{walker}-{what}");
            Some(samples.get(&row, peer, 0)?.median)
        };
        let (made, stays) = (of("slab").filter(|made| *made > 0.0), of("dropped"));
        let less = stays.is_some_and(|stays| stays < 0.0);
        let note = if less {
            " (less than before the walk)"
        } else {
            ""
        };
        let text = format!("{peer}, {title}: slab left / slab allocated{note}");
        Bar::at_most(
            0.02,
            text,
            made.zip(stays).map(|(made, stays)| stays / made),
        )
    };
    WALKERS
        .into_iter()
        .flat_map(|walker| ["ours", "mirror"].map(|peer| bar(walker, peer)))
        .collect()
}

/// Listing, at the size of the aim.
pub fn listing(samples: &Samples) -> Vec<Bar> {
    let size = 10_000;
    ["ours", "mirror"]
        .into_iter()
        .map(|peer| {
            let metadata = format!("{peer}{METADATA_SUFFIX}");
            let row = "readdir-cold";
            Bar::at_most(
                1.2,
                format!("{peer} with readdir=metadata / kernel"),
                samples.ratio((row, &metadata, size), (row, "kernel", size)),
            )
        })
        .collect()
}

/// Loading the module.
pub fn insmod(samples: &Samples) -> Vec<Bar> {
    let time = samples.get("insmod", "ours", 0);
    vec![Bar::at_most(
        100.0,
        "insmod, ms of guest time",
        time.map(|spread| spread.median),
    )]
}
