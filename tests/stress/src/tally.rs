// SPDX-License-Identifier: GPL-2.0

//! Counts of calls and of their results.

use std::collections::BTreeMap;
use std::fmt;

use rustix::io::Errno;

use crate::errno;

/// The number of results of one kind of call, by errno; `None` is success.
type Ends = BTreeMap<Option<i32>, u64>;

/// The number of operations, and the results of the calls in them.
#[derive(Default)]
pub struct Tally {
    operations: BTreeMap<&'static str, u64>,
    calls: BTreeMap<(&'static str, &'static str), Ends>,
}

impl Tally {
    /// Counts an operation.
    pub fn operation(&mut self, operation: &'static str) {
        *self.operations.entry(operation).or_default() += 1;
    }

    /// Counts the result of a call in an operation.
    pub fn call(&mut self, operation: &'static str, call: &'static str, error: Option<Errno>) {
        let ends = self.calls.entry((operation, call)).or_default();
        *ends.entry(error.map(Errno::raw_os_error)).or_default() += 1;
    }

    /// Adds the counts of another thread.
    pub fn add(&mut self, other: Self) {
        for (operation, count) in other.operations {
            *self.operations.entry(operation).or_default() += count;
        }
        for (key, ends) in other.calls {
            let own = self.calls.entry(key).or_default();
            for (end, count) in ends {
                *own.entry(end).or_default() += count;
            }
        }
    }

    /// The number of operations.
    pub fn operations(&self) -> u64 {
        self.operations.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (operation, count) in &self.operations {
            write!(out, "{operation} {count}:")?;
            for ((_, call), ends) in self.calls.iter().filter(|((of, _), _)| of == operation) {
                write!(out, "  {call}")?;
                for (end, count) in ends {
                    match end {
                        None => write!(out, " {count}")?,
                        Some(error) => {
                            let error = errno::name(Errno::from_raw_os_error(*error));
                            write!(out, " {error} {count}")?;
                        }
                    }
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }
}
