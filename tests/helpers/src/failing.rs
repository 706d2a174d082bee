// SPDX-License-Identifier: GPL-2.0

//! Calls whose allocations fail, one after the other.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::process::ExitCode;

use rustix::io::Errno;

use crate::calls::{render, Machine, Misuse, Outcome};
use crate::script;

/// The kernel's switch: the Nth allocation of this thread from now on fails.
struct Switch(File);

impl Switch {
    /// Opens it, which must not happen while it is on.
    fn open() -> io::Result<Self> {
        let path = "/proc/thread-self/fail-nth";
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Self(file))
    }

    /// Lets the `nth` allocation fail; 0 lets all succeed.
    fn set(&self, nth: usize) -> io::Result<()> {
        self.0.write_all_at(nth.to_string().as_bytes(), 0)
    }

    /// Turns it off; true if no allocation has failed.
    fn unused(&self) -> io::Result<bool> {
        let mut left = [0; 16];
        let length = self.0.read_at(&mut left, 0)?;
        self.set(0)?;
        Ok(left[..length].trim_ascii() != b"0")
    }
}

/// A script of such calls.
#[derive(Default)]
struct Plan {
    /// Calls that come before each attempt, and have to succeed.
    before: Vec<Vec<String>>,
    /// The call that is tried.
    attempt: Vec<String>,
    /// Calls that come after each attempt that succeeded.
    undo: Vec<Vec<String>>,
}

impl Plan {
    /// Reads a plan from standard input.
    fn read() -> Result<Self, Misuse> {
        let mut plan = Self::default();
        for words in script::lines_of_stdin()? {
            let Some((key, call)) = words.split_first() else {
                continue;
            };
            match key.as_str() {
                "before" => plan.before.push(call.to_vec()),
                "try" => plan.attempt = call.to_vec(),
                "undo" => plan.undo.push(call.to_vec()),
                other => return Err(Misuse(format!("no such key: {other}"))),
            }
        }
        Ok(plan)
    }
}

/// Makes one call.
fn call(machine: &mut Machine, words: &[String]) -> Result<Outcome, Misuse> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    machine.call(&words)
}

/// Makes calls that have to succeed.
fn succeed(machine: &mut Machine, calls: &[Vec<String>]) -> Result<(), String> {
    for words in calls {
        match call(machine, words) {
            Ok(Ok(_)) => {}
            Ok(outcome) => return Err(format!("{}: {}", words.join(" "), render(&outcome))),
            Err(Misuse(what)) => return Err(what),
        }
    }
    Ok(())
}

/// Lets one allocation after the other fail; tells how many there are.
fn run(plan: &Plan, limit: usize) -> Result<usize, String> {
    let say = |error: io::Error| format!("fail-nth: {error}");
    let switch = Switch::open().map_err(say)?;
    let mut machine = Machine::default();
    for nth in 1..=limit {
        succeed(&mut machine, &plan.before)?;
        switch.set(nth).map_err(say)?;
        let outcome = call(&mut machine, &plan.attempt);
        let unused = switch.unused().map_err(say)?;
        let outcome = outcome.map_err(|Misuse(what)| what)?;
        match &outcome {
            Ok(_) => succeed(&mut machine, &plan.undo).map_err(|what| {
                format!("after allocation {nth} failed and the call succeeded: {what}")
            })?,
            // A copy to or from user space may be what fails.
            Err(Errno::NOMEM | Errno::FAULT) if !unused => {}
            Err(_) => {
                return Err(format!(
                    "with allocation {nth} failing: {}",
                    render(&outcome)
                ));
            }
        }
        if unused {
            return Ok(nth - 1);
        }
    }
    Err(format!("{limit} allocations are not all of them"))
}

/// `evt failing LIMIT`: tries the call of the script on standard input with
/// its first, second, ... allocation failing, until there is none left that
/// could.  It has to succeed or to tell that there was no memory.
pub fn main(args: &[String]) -> ExitCode {
    let Some(limit) = args.first().and_then(|limit| limit.parse().ok()) else {
        eprintln!("failing: LIMIT");
        return ExitCode::from(2);
    };
    let plan = match Plan::read() {
        Ok(plan) => plan,
        Err(Misuse(what)) => {
            eprintln!("defect of the script: {what}");
            return ExitCode::from(2);
        }
    };
    match run(&plan, limit) {
        Ok(count) => {
            println!("{}: {count} allocations failed", plan.attempt.join(" "));
            ExitCode::SUCCESS
        }
        Err(what) => {
            eprintln!("{}: {what}", plan.attempt.join(" "));
            ExitCode::FAILURE
        }
    }
}
