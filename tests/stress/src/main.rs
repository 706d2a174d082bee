// SPDX-License-Identifier: GPL-2.0

//! Random operations on eventfs in many threads, with their results checked, and a
//! fuzzer.

#[path = "../../lib/src/errno.rs"]
mod errno;

mod access;
mod balance;
mod credentials;
mod fuzz;
mod listing;
mod options;
mod raw;
mod rng;
mod run;
mod shared;
mod tally;
mod threads;
mod walk;
mod watchdog;
mod work;

use std::process::ExitCode;

/// A command: its name and its function.
type Command = (&'static str, fn(&[String]) -> Result<(), String>);

/// All commands.
const COMMANDS: &[Command] = &[
    ("access", access::main),
    ("fuzz", fuzz::main),
    ("run", run::main),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let found = args
        .first()
        .and_then(|name| COMMANDS.iter().find(|(known, _)| known == name));
    let Some((name, command)) = found else {
        let names: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
        eprintln!(
            "usage: stress COMMAND ARGUMENTS\ncommands: {}",
            names.join(" ")
        );
        return ExitCode::from(2);
    };
    match command(&args[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("stress {name}: {what}");
            ExitCode::FAILURE
        }
    }
}
