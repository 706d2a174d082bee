// SPDX-License-Identifier: GPL-2.0

//! Measures rust_eventfs beside the kernel's own eventfs, debugfs and sysfs.
//!
//! In the guest, `measure` and `parallel` print one line of CSV per sample, and
//! progress in lines that begin with `#`. On the host, `report` prints the table
//! of the samples and draws the charts; `figures` only draws the charts.

mod caches;
mod clock;
mod files;
mod lifecycle;
mod lookup;
mod memory;
mod parallel;
mod peer;
mod plan;
mod profile;
mod report;
mod sample;
mod trees;
mod walk;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use plan::Plan;

/// The result of every step. An error is printed and ends the program.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Runs all measurements that need only one CPU.
///
/// Measurements of the running kernel's tree come first, while it has only the
/// kernel's own events.
fn measure(plan: &Plan) -> Outcome {
    sample::sample("repetitions", "", 0, 0, plan.repeats as f64);
    lifecycle::measure(plan)?;
    let loaded = lifecycle::Loaded::new()?;
    files::measure(plan)?;
    walk::measure(plan, &loaded)?;
    trees::measure(plan, loaded)?.unload()
}

/// Runs the command that the arguments name.
fn run(args: &[String]) -> Outcome {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["measure", rest @ ..] => measure(&Plan::new(rest)?),
        ["parallel", rest @ ..] => parallel::measure(&Plan::new(rest)?),
        ["profile"] => profile::run(),
        ["report", out] => report::run(Path::new(out)),
        ["figures", folder] => report::figures::draw(Path::new(folder)),
        _ => Err(
            "usage: eventfs-bench measure|parallel [--quick] [--repeat N]\n\
                  \x20      eventfs-bench profile\n\
                  \x20      eventfs-bench report FOLDER\n\
                  \x20      eventfs-bench figures FOLDER"
                .into(),
        ),
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("# error: {error}");
            ExitCode::FAILURE
        }
    }
}
