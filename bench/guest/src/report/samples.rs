// SPDX-License-Identifier: GPL-2.0

//! The samples, by row, peer and size.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Outcome;

/// The statistics of one row, peer and size.
#[derive(Clone, Copy)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least sample.
    pub min: f64,
    /// The greatest sample.
    pub max: f64,
    /// The number of samples.
    pub count: usize,
}

impl Spread {
    /// The statistics of `values`; `None` if there are none.
    fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some(Self {
            median: f64::midpoint(lower, upper),
            min,
            max,
            count: sorted.len(),
        })
    }
}

/// Row, peer and number of children.
type Key = (String, String, usize);

/// All samples.
pub struct Samples(BTreeMap<Key, Vec<f64>>);

impl Samples {
    /// Reads CSV. The first line names the columns.
    pub fn read(file: &Path) -> Outcome<Self> {
        let text =
            fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut samples: BTreeMap<Key, Vec<f64>> = BTreeMap::new();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let [row, peer, size, _rep, value] = fields.as_slice() else {
                return Err(format!("{}: malformed line: {line}", file.display()).into());
            };
            let key = (row.to_string(), peer.to_string(), size.parse()?);
            samples.entry(key).or_default().push(value.parse()?);
        }
        Ok(Self(samples))
    }

    /// The statistics of one row, peer and size.
    pub fn get(&self, row: &str, peer: &str, size: usize) -> Option<Spread> {
        let key = (row.to_string(), peer.to_string(), size);
        Spread::of(self.0.get(&key)?)
    }

    /// The ratio of two medians.
    pub fn ratio(&self, above: (&str, &str, usize), below: (&str, &str, usize)) -> Option<f64> {
        let above = self.get(above.0, above.1, above.2)?;
        let below = self.get(below.0, below.1, below.2)?;
        Some(above.median / below.median)
    }

    /// The numbers of children in one peer's samples.
    pub fn sizes(&self, row: &str, peer: &str) -> Vec<usize> {
        let wanted = |key: &&Key| key.0 == row && key.1 == peer;
        self.0.keys().filter(wanted).map(|key| key.2).collect()
    }

    /// The numbers of children in all peers' samples.
    pub fn all_sizes(&self, row: &str) -> Vec<usize> {
        let wanted = |key: &&Key| key.0 == row;
        let mut sizes: Vec<usize> = self.0.keys().filter(wanted).map(|key| key.2).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// Whether times are counts of instructions.
    pub fn counts_instructions(&self) -> bool {
        self.get("clock", "instructions", 0).is_some()
    }

    /// The number of repetitions.
    pub fn repetitions(&self) -> usize {
        self.get("repetitions", "", 0)
            .map_or(0, |spread| spread.median as usize)
    }

    /// All statistics as CSV.
    pub fn summary(&self) -> Outcome<String> {
        let mut text = String::from("row,who,size,median,min,max,samples\n");
        for ((row, peer, size), values) in &self.0 {
            if let Some(spread) = Spread::of(values) {
                let Spread {
                    median,
                    min,
                    max,
                    count,
                } = spread;
                writeln!(
                    text,
                    "{row},{peer},{size},{median:.3},{min:.3},{max:.3},{count}"
                )?;
            }
        }
        Ok(text)
    }
}
