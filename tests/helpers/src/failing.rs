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

    /// Turns it off; tells how many more allocations it would have taken, at
    /// least.  0: one has failed.
    fn left(&self) -> io::Result<usize> {
        let mut text = [0; 16];
        let left = match self.0.read_at(&mut text, 0) {
            Ok(length) => std::str::from_utf8(&text[..length])
                .ok()
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0),
            // It was this copy to user space that failed: one was left.
            Err(error) if error.raw_os_error() == Some(Errno::FAULT.raw_os_error()) => 1,
            Err(error) => return Err(error),
        };
        // The copy from user space may be what fails, but then only once.
        self.set(0).or_else(|_| self.set(0))?;
        Ok(left)
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
    /// Calls that come after each attempt.
    after: Vec<Vec<String>>,
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
                "after" => plan.after.push(call.to_vec()),
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

/// Lets one allocation after the other fail, or the last `limit` of them if
/// there are more; tells how many.
fn run(plan: &Plan, limit: usize) -> Result<usize, String> {
    /// More than any call makes.
    const MANY: usize = 100_000;

    let say = |error: io::Error| format!("fail-nth: {error}");
    let switch = Switch::open().map_err(say)?;
    let mut machine = Machine::default();
    let mut first = MANY;
    let mut nth = MANY;
    let mut warm = false;
    loop {
        succeed(&mut machine, &plan.before)?;
        switch.set(nth).map_err(say)?;
        let outcome = call(&mut machine, &plan.attempt);
        let left = switch.left().map_err(say)?;
        let unused = left > 0;
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
        succeed(&mut machine, &plan.after)?;
        if nth == MANY {
            // Nothing failed: this was to learn how many there are, the second
            // time, as the first one may have had more to do.
            if warm {
                first = (nth - left).saturating_sub(limit).max(1);
                nth = first;
            }
            warm = true;
        } else if unused {
            let count = nth - first;
            if count == 0 {
                return Err("it makes no allocation that could fail".to_string());
            }
            return Ok(count);
        } else {
            nth += 1;
        }
    }
}

/// `evt failing LIMIT`: tries the call of the script on standard input with
/// its first, second, ... allocation failing, until there is none left that
/// could; if there are more than LIMIT, with the last LIMIT of them.  It has to
/// succeed or to tell that there was no memory.
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
