// SPDX-License-Identifier: GPL-2.0

//! The table and the charts of the samples.

mod bars;
pub mod figures;
mod samples;
mod svg;
mod table;

use std::fs;
use std::path::Path;

use crate::Outcome;
use samples::Samples;

/// Reads the samples in the folder `out`, prints the table, and writes
/// `summary.csv` and the charts into that folder.
pub fn run(out: &Path) -> Outcome {
    let samples = Samples::read(&out.join("raw.csv"))?;
    print!("{}", table::text(&samples)?);
    fs::write(out.join("summary.csv"), samples.summary()?)?;
    figures::draw(out)
}
