// SPDX-License-Identifier: GPL-2.0

//! Output: samples and progress.

use std::io::{self, Write};

/// Prints one sample: the row of the table, the peer, the number of children
/// (0 if it has no meaning), the repetition and the value.
pub fn sample(row: &str, peer: &str, size: usize, rep: usize, value: f64) {
    print_line(format_args!("{row},{peer},{size},{rep},{value:.3}"));
}

/// Prints a progress message.
pub fn progress(text: impl std::fmt::Display) {
    print_line(format_args!("# {text}"));
}

/// Prints a line and flushes it, because the guest may end at any time.
fn print_line(text: std::fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    // An error cannot be reported: this is the only output.
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// `total` nanoseconds divided by `count`.
pub fn per_item(total: u64, count: usize) -> f64 {
    total as f64 / count.max(1) as f64
}

/// Pseudo-random numbers, the same in each run.
pub struct Random(u64);

impl Random {
    /// Starts the sequence of `seed`.
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
