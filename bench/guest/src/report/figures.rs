// SPDX-License-Identifier: GPL-2.0

//! What the plots are made of.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::samples::Samples;
use crate::Outcome;

/// Whose lines there are, and what they are called.
const LINES: [(&str, &str); 5] = [
    ("ours", "ours"),
    ("mirror", "ours, the kernel's events"),
    ("kernel", "the kernel's eventfs"),
    ("debugfs", "debugfs"),
    ("sysfs", "sysfs"),
];

/// Writes a block of lines for each of [`LINES`] that has any: the number of
/// children, the median, the least and the greatest, all but the first divided
/// by `unit`, and multiplied by the number of children if `whole`.
fn blocks(samples: &Samples, row: &str, unit: f64, whole: bool) -> Outcome<String> {
    let mut text = String::new();
    for (peer, title) in LINES {
        let sizes = samples.sizes(row, peer);
        if sizes.is_empty() {
            continue;
        }
        // Two empty lines stand between blocks.
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        writeln!(text, "\"{title}\"")?;
        for size in sizes {
            if let Some(spread) = samples.get(row, peer, size) {
                let factor = if whole { size as f64 } else { 1.0 } / unit;
                let [median, min, max] =
                    [spread.median, spread.min, spread.max].map(|value| value * factor);
                writeln!(text, "{size} {median} {min} {max}")?;
            }
        }
    }
    Ok(text)
}

/// Writes the files that `bench/plot.gp` reads.
pub fn write(out: &Path, samples: &Samples) -> Outcome {
    fs::write(out.join("cold.dat"), blocks(samples, "cold", 1e3, false)?)?;
    fs::write(
        out.join("missing.dat"),
        blocks(samples, "missing", 1e3, false)?,
    )?;
    fs::write(
        out.join("memory.dat"),
        blocks(samples, "metadata", 1024.0, true)?,
    )?;
    let unit = if samples.counts_instructions() {
        "thousand instructions"
    } else {
        "microseconds"
    };
    fs::write(out.join("unit.gp"), format!("unit = \"{unit}\"\n"))?;
    Ok(())
}
