// SPDX-License-Identifier: GPL-2.0

//! How much is measured.

use crate::Outcome;

/// How much is measured.
pub struct Plan {
    /// How often everything is measured.
    pub repeats: usize,
    /// The numbers of children of the directories in which names are looked up.
    pub sizes: &'static [usize],
    /// The largest of them that is also made of kprobe events.
    pub max_probes: usize,
    /// The number of entries of the directory that is listed, and of
    /// directories whose memory is told. The largest that is removed in all ways.
    pub readdir_size: usize,
    /// The subsystems of the synthetic tree that is walked, of ten events each.
    pub systems: usize,
}

impl Plan {
    /// From the arguments `--quick` and `--repeat N`.
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
                other => return Err(format!("what is {other}?").into()),
            }
        }
        Ok(plan)
    }
}
