// SPDX-License-Identifier: GPL-2.0

//! Look-ups of one name by several threads at the same time.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Barrier, Mutex};
use std::thread;

use rustix::fs;

use crate::dir;
use crate::errno;
use crate::files::drop_caches;
use crate::trouble::Trouble;

/// `evt coldlookup ROOT THREADS ROUNDS`: THREADS threads look up the same
/// cold name at the same time. All must find the same inode.
pub fn main(args: &[String]) -> ExitCode {
    let numbers: Vec<usize> = args.iter().skip(1).filter_map(|n| n.parse().ok()).collect();
    let ([root, ..], [threads, rounds]) = (args, numbers.as_slice()) else {
        eprintln!("usage: evt coldlookup ROOT THREADS ROUNDS");
        return ExitCode::from(2);
    };
    let events = Path::new(root).join("events");
    let paths = dir::below(&events);
    if paths.is_empty() {
        eprintln!("{}: no entries below", events.display());
        return ExitCode::FAILURE;
    }
    let trouble = Trouble::default();
    let barrier = Barrier::new(*threads);
    let results: Vec<Mutex<Vec<u64>>> = (0..*rounds).map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for number in 0..*threads {
            let (paths, barrier, results, trouble) = (&paths, &barrier, &results, &trouble);
            scope.spawn(move || {
                for (round, result) in results.iter().enumerate() {
                    // One thread evicts the names again.
                    if number == 0 && round % 16 == 0 {
                        let _ = drop_caches();
                    }
                    let path = &paths[round * 31 % paths.len()];
                    // Some rounds look up a file below it first, for a chain of cold names.
                    barrier.wait();
                    if round % 3 == 0 {
                        let _ = fs::stat(path.join("format"));
                    }
                    match (fs::stat(path), result.lock()) {
                        (Ok(stat), Ok(mut inodes)) => inodes.push(stat.st_ino),
                        (Err(error), _) => {
                            trouble.note(format!("{}: {}", path.display(), errno::name(error)))
                        }
                        (_, Err(_)) => trouble.note("a thread panicked".to_string()),
                    }
                }
            });
        }
    });
    for (round, result) in results.into_iter().enumerate() {
        let mut inodes = result.into_inner().unwrap_or_default();
        if inodes.len() != *threads {
            trouble.note(format!("round {round}: {} results", inodes.len()));
        }
        inodes.dedup();
        if inodes.len() != 1 {
            let path = &paths[round * 31 % paths.len()];
            trouble.note(format!("{}: inodes {inodes:?}", path.display()));
        }
    }
    println!("{rounds} names, {threads} threads each");
    trouble.status()
}
