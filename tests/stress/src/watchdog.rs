// SPDX-License-Identifier: GPL-2.0

//! Stops the threads at the end of the run, and detects a stuck thread.

use std::fs;
use std::process;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crate::shared::Shared;

/// Prints the current call and the kernel stack of each thread.
fn print_threads(shared: &Shared) {
    for (number, own) in shared.progress.iter().enumerate() {
        let id = own.id.load(Ordering::Relaxed);
        let operation = own.operation.load(Ordering::Relaxed);
        let stack = fs::read_to_string(format!("/proc/self/task/{id}/stack")).unwrap_or_default();
        let doing = match own.doing.try_lock() {
            Ok(doing) => format!("{} {}", doing.0, doing.1.display()),
            Err(_) => "?".to_string(),
        };
        eprintln!("thread {number} operation {operation}: {doing}\n{stack}");
    }
}

/// Waits until all threads have ended, and stops them at the end of the run. Exits
/// the process if a thread is stuck.
pub fn watch(shared: &Shared) {
    let settings = &shared.settings;
    let began = Instant::now();
    let end = began + settings.time;
    let mut seen = vec![(u64::MAX, began); settings.threads];
    let mut reported = 0;
    while !shared
        .progress
        .iter()
        .all(|own| own.done.load(Ordering::Relaxed))
    {
        thread::sleep(Duration::from_millis(50));
        let now = Instant::now();
        if now >= end {
            shared.stop();
        }
        let elapsed = began.elapsed().as_secs();
        if settings.progress > 0 && elapsed / settings.progress > reported {
            reported = elapsed / settings.progress;
            println!(
                "{elapsed} s: {} operations, {} failures",
                shared.operations(),
                shared.failures()
            );
        }
        for (number, (own, (last, since))) in
            shared.progress.iter().zip(seen.iter_mut()).enumerate()
        {
            let operation = own.operation.load(Ordering::Relaxed);
            if *last != operation || own.done.load(Ordering::Relaxed) {
                (*last, *since) = (operation, now);
            } else if now - *since > settings.patience {
                eprintln!(
                    "FAILED: seed {}: thread {number} makes no progress for {} s",
                    settings.seed,
                    settings.patience.as_secs()
                );
                print_threads(shared);
                process::exit(3);
            }
        }
    }
}
