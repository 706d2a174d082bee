// SPDX-License-Identifier: GPL-2.0

//! What is printed: samples, and how far the work is.

use std::io::{self, Write};

/// Prints one sample: the row of the table, whose it is, the number of
/// children (0 where that has no meaning), the repetition and the value.
pub fn sample(row: &str, peer: &str, size: usize, rep: usize, value: f64) {
    print_line(format_args!("{row},{peer},{size},{rep},{value:.3}"));
}

/// Tells who waits what is being done.
pub fn progress(text: impl std::fmt::Display) {
    print_line(format_args!("# {text}"));
}

/// Prints a line at once: the guest may be ended at any time.
fn print_line(text: std::fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    // Nobody is left who could be told of an error.
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Nanoseconds for each of `count`.
pub fn per_item(total: u64, count: usize) -> f64 {
    total as f64 / count.max(1) as f64
}

/// Numbers without an order, the same in each run.
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each `seed`.
    pub fn new(seed: usize) -> Self {
        Self(seed as u64 ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}
