// SPDX-License-Identifier: GPL-2.0

//! The table of results.

use std::fmt::Write as _;

use super::bars::{self, Bar};
use super::samples::{Samples, Spread};
use crate::peer::METADATA_SUFFIX;
use crate::Outcome;

/// The columns and their meanings.
const COLUMNS: [(&str, &str); 5] = [
    ("ours", "ours, directories of a client module"),
    ("mirror", "ours, the events of the running kernel"),
    ("kernel", "the kernel's own eventfs, the same events"),
    ("debugfs", "the same client's directories in debugfs"),
    ("sysfs", "the same client's directories in sysfs"),
];

/// The width of the first column.
const TITLE: usize = 44;
/// The width of each other column.
const WIDTH: usize = 15;

/// The table while it is built.
struct Table<'a> {
    /// The samples.
    samples: &'a Samples,
    /// The text so far.
    text: String,
    /// Numbers of bars that are met, missed and open.
    counts: [usize; 3],
}

/// The median, and half the range if there is more than one sample.
fn cell(spread: Option<Spread>, unit: f64) -> String {
    let Some(Spread {
        median,
        min,
        max,
        count,
    }) = spread
    else {
        return "-".to_string();
    };
    let value = median / unit;
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size > 0.0 => 2,
        _ => 0,
    };
    if median == 0.0 || count < 2 {
        return format!("{value:.digits$}");
    }
    let half = (max - min) / 2.0;
    let percent = half / median.abs() * 100.0;
    if percent >= 100.0 {
        return format!("{value:.digits$} \u{b1}{:.digits$}", half / unit);
    }
    let places = usize::from(percent < 9.95);
    format!("{value:.digits$} \u{b1}{percent:.places$}%")
}

impl Table<'_> {
    /// A line of the table. `suffix` is appended to the peers' names.
    fn line(&mut self, title: &str, row: &str, size: usize, unit: f64, suffix: &str) -> Outcome {
        let of = |peer: &str| self.samples.get(row, &format!("{peer}{suffix}"), size);
        if COLUMNS.iter().all(|(peer, _)| of(peer).is_none()) {
            return Ok(writeln!(self.text, "  {title:TITLE$} not available")?);
        }
        write!(self.text, "  {title:TITLE$}")?;
        for (peer, _) in COLUMNS {
            write!(self.text, "{:>WIDTH$}", cell(of(peer), unit))?;
        }
        let kernel = self.samples.get(row, "kernel", size);
        // The client's tree and the kernel's are different trees.
        let walked = bars::WALKERS
            .iter()
            .any(|(walker, _)| row.starts_with(walker));
        for peer in ["ours", "mirror"] {
            let ratio = match (of(peer), kernel) {
                _ if walked && peer == "ours" => "-".to_string(),
                (Some(own), Some(kernel)) if own.median > 0.0 && kernel.median > 0.0 => {
                    format!("{:.2}", own.median / kernel.median)
                }
                _ => "-".to_string(),
            };
            write!(self.text, "{ratio:>8}")?;
        }
        Ok(writeln!(self.text)?)
    }

    /// The bars of the lines above.
    fn bars(&mut self, bars: &[Bar]) -> Outcome {
        for bar in bars {
            let index = match bar.met() {
                Some(true) => 0,
                Some(false) => 1,
                None => 2,
            };
            if let Some(count) = self.counts.get_mut(index) {
                *count += 1;
            }
            writeln!(self.text, "    bar: {}", bar.words())?;
        }
        Ok(())
    }

    /// The title of a group of lines.
    fn group(&mut self, title: &str) -> Outcome {
        Ok(writeln!(self.text, "\n{title}")?)
    }

    /// The head of the table.
    fn head(&mut self) -> Outcome {
        for (name, meaning) in COLUMNS {
            writeln!(self.text, "  {name:10} {meaning}")?;
        }
        write!(
            self.text,
            "\nMedian of {} repetitions, and half the range from least to greatest.\n\
             o/k and m/k: ours and mirror, divided by kernel.\n\n  {:TITLE$}",
            self.samples.repetitions(),
            ""
        )?;
        for (name, _) in COLUMNS {
            write!(self.text, "{name:>WIDTH$}")?;
        }
        Ok(writeln!(self.text, "{:>8}{:>8}", "o/k", "m/k")?)
    }

    /// The lines about memory and about look-ups.
    fn children(&mut self, small: &str) -> Outcome {
        let samples = self.samples;
        let listed = samples
            .all_sizes("readdir-cold")
            .last()
            .copied()
            .unwrap_or(0);
        self.group("Metadata per directory of 6 files with a name of 12 bytes, bytes")?;
        for size in samples.all_sizes("metadata") {
            if size >= 1000 {
                self.line(&format!("{size} directories"), "metadata", size, 1.0, "")?;
            }
            if size >= 10_000 {
                let title = format!("{size} directories, from slabinfo");
                self.line(&title, "metadata-slab", size, 1.0, "")?;
                let title = format!("{size} directories, left after removal");
                self.line(&title, "metadata-left", size, 1.0, "")?;
            }
        }
        self.bars(&bars::metadata(samples, listed))?;
        for (row, what) in [("cold", "a cold name"), ("missing", "a missing name")] {
            self.group(&format!("Look-up of {what} (stat), {small}"))?;
            for size in samples.all_sizes(row) {
                self.line(&format!("among {size}"), row, size, 1e3, "")?;
            }
            self.bars(&bars::lookup(samples, row))?;
        }
        Ok(())
    }

    /// The lines about two CPUs.
    fn parallel(&mut self) -> Outcome {
        self.group("Cold look-ups, throughput of two CPUs / of one (by time)")?;
        self.line("each in its own directory", "parallel-apart", 2, 1.0, "")?;
        self.line("both in one directory", "parallel", 2, 1.0, "")?;
        for (row, peer, what) in [
            ("parallel-mounts", "tmpfs", "missing names in two tmpfs"),
            (
                "parallel-apart",
                "tmpfs",
                "missing names in tmpfs, two directories",
            ),
            ("parallel", "tmpfs", "missing names in tmpfs, one directory"),
            ("parallel", "machine", "arithmetic only"),
        ] {
            let text = cell(self.samples.get(row, peer, 2), 1.0);
            writeln!(self.text, "  {what:TITLE$}{text:>WIDTH$}")?;
        }
        self.bars(&bars::parallel(self.samples))
    }

    /// The lines about warm files, adding, removing, walking, listing and loading.
    fn rest(&mut self, small: &str) -> Outcome {
        let samples = self.samples;
        self.group(&format!("Warm, on sched/sched_switch, {small}"))?;
        self.line("stat, path of 4 components", "stat-warm", 0, 1e3, "")?;
        self.bars(&bars::mirror(samples, "stat-warm", 1.1))?;
        for file in ["format", "id", "enable"] {
            let row = format!("read-{file}");
            self.line(&format!("open, read, close: {file}"), &row, 0, 1e3, "")?;
            self.bars(&bars::mirror(samples, &row, 1.5))?;
        }
        self.group(&format!(
            "Adding and removing through the module functions, {small} per directory"
        ))?;
        for row in ["add", "remove"] {
            for size in samples.all_sizes(row) {
                if size >= 1000 {
                    self.line(&format!("{row}, {size} of them"), row, size, 1e3, "")?;
                }
            }
            self.bars(&bars::change(samples, row, row == "remove"))?;
        }
        for (row, title) in [
            ("remove-each", "remove one by one"),
            ("remove-warm", "remove after ls -lR"),
        ] {
            for size in samples.all_sizes(row) {
                self.line(&format!("{title}, {size} of them"), row, size, 1e3, "")?;
            }
        }
        self.group(&format!(
            "A whole tree, {small} per entry (metadata: readdir=metadata)"
        ))?;
        self.line("number of entries", "find-entries", 0, 1.0, "")?;
        for (walker, name) in bars::WALKERS {
            for (what, title, unit) in [
                ("cold", "cold", 1e3),
                ("warm", "warm", 1e3),
                ("slab", "slab, bytes", 1.0),
                ("dropped", "slab after drop_caches, bytes", 1.0),
            ] {
                let row = format!("{walker}-{what}");
                let title = format!("{name}, {title}");
                self.line(&title, &row, 0, unit, "")?;
                let title = format!("{title}, metadata");
                self.line(&title, &row, 0, unit, METADATA_SUFFIX)?;
            }
        }
        self.bars(&bars::walked(samples))?;
        self.group(&format!("Listing one directory, {small} per entry"))?;
        for size in samples.all_sizes("readdir-cold") {
            for state in ["cold", "warm"] {
                let row = format!("readdir-{state}");
                let title = format!("{state}, {size} entries");
                self.line(&title, &row, size, 1e3, "")?;
                let title = format!("{title}, readdir=metadata");
                self.line(&title, &row, size, 1e3, METADATA_SUFFIX)?;
            }
        }
        self.bars(&bars::listing(samples))?;
        self.group("The module, ms of guest time (with waiting for grace periods)")?;
        for (row, title) in [
            ("insmod", "insmod"),
            ("mount", "mount"),
            ("first-look", "first look at events/sched"),
            ("umount", "umount"),
            ("rmmod", "rmmod"),
        ] {
            self.line(title, row, 0, 1.0, "")?;
        }
        self.bars(&bars::insmod(samples))
    }
}

/// The whole table.
pub fn text(samples: &Samples) -> Outcome<String> {
    let small = if samples.counts_instructions() {
        "thousand instructions"
    } else {
        "microseconds"
    };
    let mut table = Table {
        samples,
        text: String::new(),
        counts: [0; 3],
    };
    table.head()?;
    table.children(small)?;
    table.parallel()?;
    table.rest(small)?;
    let [met, missed, open] = table.counts;
    writeln!(
        table.text,
        "\nbars: {met} met, {missed} missed, {open} open"
    )?;
    Ok(table.text)
}
