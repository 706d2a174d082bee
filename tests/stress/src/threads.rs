// SPDX-License-Identifier: GPL-2.0

//! The threads of `stress run` and `stress fuzz`, from their start to the last line of output.

use std::fmt::Display;
use std::sync::atomic::Ordering;
use std::thread;

use crate::shared::Shared;
use crate::tally::Tally;
use crate::watchdog;

/// Runs `work` in each thread under the watchdog. Returns the sum of their tallies.
pub fn run<E: Display + Send>(
    shared: &Shared,
    work: impl Fn(usize) -> Result<Tally, E> + Sync,
) -> Tally {
    let work = &work;
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..shared.settings.threads)
            .map(|number| {
                scope.spawn(move || {
                    let tally = work(number);
                    shared.progress[number].done.store(true, Ordering::Relaxed);
                    tally
                })
            })
            .collect();
        watchdog::watch(shared);
        for (number, thread) in threads.into_iter().enumerate() {
            match thread.join() {
                Ok(Ok(own)) => tally.add(own),
                Ok(Err(error)) => shared.fail(format!("thread {number}: {error}")),
                Err(_) => shared.fail(format!("thread {number} panicked")),
            }
        }
    });
    tally
}

/// Prints the tally, and a last line with the seed and the number of failures.
pub fn report(shared: &Shared, tally: &Tally, how: &str) -> Result<(), String> {
    let failures = shared.failures();
    print!("{tally}");
    println!(
        "seed {}: {} operations {how}, {failures} failures",
        shared.settings.seed,
        tally.operations()
    );
    match failures {
        0 => Ok(()),
        count => Err(format!("{count} failures")),
    }
}
