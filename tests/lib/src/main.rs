// SPDX-License-Identifier: GPL-2.0

//! `evt`: the helper program of the tests of rust_eventfs.
//!
//! A shell cannot distinguish one errno from another, forks for almost every
//! call, and has neither threads nor directory positions. This program has.

mod calls;
mod cold;
mod compare;
mod contain;
mod dir;
mod errno;
mod failing;
mod files;
mod listing;
mod machine;
mod positions;
mod probe;
mod raw;
mod reset;
mod script;
mod tree;
mod trouble;
mod uprobe;
mod value;
mod words;

use std::process::ExitCode;

/// A command: its name and its function.
type Command = (&'static str, fn(&[String]) -> ExitCode);

/// All commands.
const COMMANDS: &[Command] = &[
    ("coldlookup", cold::main),
    ("compare", compare::main),
    ("contain", contain::main),
    ("failing", failing::main),
    ("listing", listing::main),
    ("positions", positions::main),
    ("reset", reset::main),
    ("run", script::run),
    ("same", script::same),
    ("tree", tree::main),
    ("uprobe", uprobe::main),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let found = args
        .first()
        .and_then(|name| COMMANDS.iter().find(|(known, _)| known == name));
    match found {
        Some((_, command)) => command(&args[1..]),
        None => {
            let names: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
            eprintln!(
                "usage: evt COMMAND ARGUMENTS\ncommands: {}",
                names.join(" ")
            );
            ExitCode::from(2)
        }
    }
}
