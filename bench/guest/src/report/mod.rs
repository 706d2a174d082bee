// SPDX-License-Identifier: GPL-2.0

//! Makes the table, and what is plotted, from the samples.

mod bars;
mod figures;
mod samples;
mod table;

use std::fs;
use std::path::Path;

use crate::Outcome;
use samples::Samples;

/// Reads the samples in the files `raw`, prints the table, and writes it and
/// what the plots are made of into the folder `out`.
pub fn run(out: &Path, raw: &[&str]) -> Outcome {
    let samples = Samples::read(raw)?;
    let table = table::text(&samples)?;
    print!("{table}");
    fs::write(out.join("table.txt"), table)?;
    fs::write(out.join("summary.csv"), samples.summary()?)?;
    figures::write(out, &samples)
}
