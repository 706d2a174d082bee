// SPDX-License-Identifier: GPL-2.0

//! Fault injection: one allocation of a call after the other fails.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::process::ExitCode;

use rustix::io::Errno;

use crate::machine::Machine;
use crate::script;
use crate::value::{render, Misuse, Outcome};

/// `fail-nth` of this thread: the Nth allocation from now on fails.
struct Switch(File);

impl Switch {
    /// Opens the file. The open allocates, so `fail-nth` must be off.
    fn open() -> io::Result<Self> {
        let path = "/proc/thread-self/fail-nth";
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Self(file))
    }

    /// Lets the `nth` allocation fail. 0 turns fault injection off.
    fn set(&self, nth: usize) -> io::Result<()> {
        self.0.write_all_at(nth.to_string().as_bytes(), 0)
    }

    /// Turns fault injection off. Returns the number of allocations that were left
    /// until the failing one, at least, or 0 if one has failed.
    fn left(&self) -> io::Result<usize> {
        let mut text = [0; 16];
        let left = match self.0.read_at(&mut text, 0) {
            Ok(length) => std::str::from_utf8(&text[..length])
                .ok()
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0),
            // The copy to user space of this read failed, so one was left.
            Err(error) if error.raw_os_error() == Some(Errno::FAULT.raw_os_error()) => 1,
            Err(error) => return Err(error),
        };
        // The copy from user space of this write may fail, but only once.
        self.set(0).or_else(|_| self.set(0))?;
        Ok(left)
    }
}

/// The script of a trial.
#[derive(Default)]
struct Plan {
    /// Calls before each attempt, which have to succeed.
    before: Vec<Vec<String>>,
    /// The call of an attempt.
    attempt: Vec<String>,
    /// Calls after each attempt that succeeded.
    undo: Vec<Vec<String>>,
    /// Calls after each attempt.
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

/// The result of one attempt.
enum Answer {
    /// None of this number of allocations failed.
    Untouched(usize),
    /// The call returned an error for the failed allocation.
    Reported,
    /// The call succeeded in spite of the failed allocation.
    Tolerated,
}

/// A plan and the state of its execution.
struct Trial {
    plan: Plan,
    switch: Switch,
    machine: Machine,
}

impl Trial {
    /// Makes the call with its `nth` allocation failing.
    fn attempt(&mut self, nth: usize) -> Result<Answer, String> {
        let context = |error: io::Error| format!("fail-nth: {error}");
        succeed(&mut self.machine, &self.plan.before)?;
        self.switch.set(nth).map_err(context)?;
        let outcome = call(&mut self.machine, &self.plan.attempt);
        let left = self.switch.left().map_err(context)?;
        let outcome = outcome.map_err(|Misuse(what)| what)?;
        let answer = match &outcome {
            Ok(_) => {
                succeed(&mut self.machine, &self.plan.undo).map_err(|what| {
                    format!("after allocation {nth} failed and the call succeeded: {what}")
                })?;
                if left > 0 {
                    Answer::Untouched(nth - left)
                } else {
                    Answer::Tolerated
                }
            }
            // The failure may hit a copy to or from user space (EFAULT), or the check of a
            // module's signature (EKEYREJECTED).
            Err(Errno::NOMEM | Errno::FAULT | Errno::KEYREJECTED) if left == 0 => Answer::Reported,
            Err(_) => {
                let got = render(&outcome);
                return Err(format!("with allocation {nth} failing: {got}"));
            }
        };
        succeed(&mut self.machine, &self.plan.after)?;
        Ok(answer)
    }

    /// Counts the allocations of the call.
    fn count(&mut self) -> Result<usize, String> {
        /// More than any call makes.
        const MANY: usize = 100_000;

        // The first call may allocate more than later ones.
        self.attempt(MANY)?;
        match self.attempt(MANY)? {
            Answer::Untouched(0) => Err("makes no allocation that can fail".to_string()),
            Answer::Untouched(count) => Ok(count),
            _ => Err(format!("makes more than {MANY} allocations")),
        }
    }

    /// The last allocation whose failure the call returns, by a binary search: the
    /// call returns the failure of each allocation before that one as well.
    fn last_reported(&mut self, count: usize) -> Result<usize, String> {
        let (mut reported, mut tolerated) = (0, count + 1);
        while tolerated - reported > 1 {
            let middle = reported + (tolerated - reported) / 2;
            match self.attempt(middle)? {
                Answer::Reported => reported = middle,
                _ => tolerated = middle,
            }
        }
        Ok(reported)
    }

    /// Lets the last `limit` allocations fail, one after the other. Returns the
    /// numbers of failures that the call reported and that it tolerated.
    fn run(&mut self, limit: usize, only_reported: bool) -> Result<(usize, usize), String> {
        let mut last = self.count()?;
        if only_reported {
            last = self.last_reported(last)?;
        }
        let (mut reported, mut tolerated) = (0, 0);
        for nth in (last + 1).saturating_sub(limit).max(1)..=last {
            match self.attempt(nth)? {
                Answer::Reported => reported += 1,
                Answer::Tolerated => tolerated += 1,
                Answer::Untouched(_) => break,
            }
        }
        if reported + tolerated == 0 || (only_reported && reported == 0) {
            return Err("no allocation failed".to_string());
        }
        Ok((reported, tolerated))
    }
}

/// `evt failing [-t] LIMIT`: makes the call of the script on standard input with
/// each of its last LIMIT allocations failing. The call has to succeed, or to fail
/// with an error for lack of memory.
///
/// With `-t`, the range ends at the last allocation whose failure the call
/// reports: allocations after it, while a module is loaded, are not the module's.
pub fn main(args: &[String]) -> ExitCode {
    let (only_reported, limit) = match args {
        [flag, limit] if flag == "-t" => (true, limit.parse().ok()),
        [limit] => (false, limit.parse().ok()),
        _ => (false, None),
    };
    let Some(limit) = limit else {
        eprintln!("usage: evt failing [-t] LIMIT <SCRIPT");
        return ExitCode::from(2);
    };
    let plan = match Plan::read() {
        Ok(plan) => plan,
        Err(Misuse(what)) => {
            eprintln!("defect of the script: {what}");
            return ExitCode::from(2);
        }
    };
    let name = plan.attempt.join(" ");
    let result = Switch::open()
        .map_err(|error| format!("fail-nth: {error}"))
        .and_then(|switch| {
            let mut trial = Trial {
                plan,
                switch,
                machine: Machine::default(),
            };
            trial.run(limit, only_reported)
        });
    match result {
        Ok((reported, tolerated)) => {
            println!("{name:?}: {reported} failed allocations reported, {tolerated} tolerated");
            ExitCode::SUCCESS
        }
        Err(what) => {
            eprintln!("{name:?}: {what}");
            ExitCode::FAILURE
        }
    }
}
