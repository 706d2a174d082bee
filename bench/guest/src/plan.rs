// SPDX-License-Identifier: GPL-2.0

//! The amount of work.

use crate::Outcome;

/// The amount of work.
pub struct Plan {
    /// Repetitions of every measurement.
    pub repeats: usize,
    /// Numbers of children of the directories for look-ups.
    pub sizes: &'static [usize],
    /// The largest of these sizes that is also created as kprobe events.
    pub max_probes: usize,
    /// The number of entries of the directory that is listed. The bars about
    /// memory are at this size, and it is the largest that is removed in all ways.
    pub readdir_size: usize,
    /// Subsystems, of ten events each, of the synthetic tree that is walked.
    pub systems: usize,
}

impl Plan {
    /// Parses the arguments `--quick` and `--repeat N`.
    pub fn new(args: &[&str]) -> Outcome<Self> {
        let mut plan = Self {
            repeats: 5,
            sizes: &[10, 100, 1_000, 10_000, 100_000],
            max_probes: 10_000,
            readdir_size: 10_000,
            systems: 128,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match *arg {
                "--quick" => {
                    plan.repeats = 3;
                    plan.sizes = &[10, 100, 1_000, 10_000];
                    plan.max_probes = 1_000;
                    plan.readdir_size = 1_000;
                    plan.systems = 32;
                }
                "--repeat" => {
                    let number = args.next().ok_or("--repeat needs a number")?;
                    plan.repeats = number.parse::<usize>()?.max(1);
                }
                other => return Err(format!("unknown argument: {other}").into()),
            }
        }
        Ok(plan)
    }
}
