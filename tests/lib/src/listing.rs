// SPDX-License-Identifier: GPL-2.0

//! Listings while events are added and removed.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::dir;
use crate::errno;
use crate::probe::{add_probe, remove_probe};
use crate::trouble::Trouble;

/// Lists `path` with a buffer of `size` bytes. Checks that the listing has each
/// name of `stable`, and no name twice.
fn check_listing(path: &Path, size: usize, stable: &[String]) -> Result<usize, String> {
    let listing = dir::open(path)
        .and_then(|fd| dir::read_rest(fd, size))
        .map_err(|error| format!("listing: {}", errno::name(error)))?;
    let mut times: HashMap<&str, usize> = HashMap::new();
    for entry in &listing {
        *times.entry(&entry.name).or_default() += 1;
    }
    if let Some((name, count)) = times.iter().find(|(_, count)| **count > 1) {
        return Err(format!("buffer of {size}: {name} is listed {count} times"));
    }
    if let Some(name) = stable
        .iter()
        .find(|name| !times.contains_key(name.as_str()))
    {
        return Err(format!(
            "buffer of {size}: {name} is missing in {} entries",
            listing.len()
        ));
    }
    Ok(listing.len())
}

/// `evt listing ROOT SECONDS`: lists a group of kprobe events with buffers of
/// several sizes while events of that group are added and removed.
pub fn main(args: &[String]) -> ExitCode {
    let [root, seconds] = args else {
        eprintln!("usage: evt listing ROOT SECONDS");
        return ExitCode::from(2);
    };
    let (root, seconds) = (Path::new(root), seconds.parse().unwrap_or(5));
    let group = "churn";
    let path = root.join("events").join(group);
    let mut stable = Vec::new();
    // Stable events have moving ones before, between and behind them.
    for index in 0..16 {
        let name = format!("stable_{index}");
        let made = add_probe(root, group, &name)
            .and_then(|()| add_probe(root, group, &format!("moving_{index}")));
        if let Err(error) = made {
            eprintln!("cannot add {group}/{name}: {}", errno::name(error));
            return ExitCode::FAILURE;
        }
        stable.push(name);
    }
    let trouble = Trouble::default();
    let (moves, lists) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !trouble.stopped() {
                let name = format!("moving_{}", round * 7 % 16);
                let moved =
                    remove_probe(root, group, &name).and_then(|()| add_probe(root, group, &name));
                if let Err(error) = moved {
                    trouble.note(format!("moving {name}: {}", errno::name(error)));
                }
                moves.fetch_add(1, Ordering::Relaxed);
                round += 1;
            }
        });
        for size in [40, 48, 72, 128, 512, dir::LARGE] {
            let (trouble, path, stable, lists) = (&trouble, &path, &stable, &lists);
            scope.spawn(move || {
                while !trouble.stopped() {
                    match check_listing(path, size, stable) {
                        Ok(_) => {
                            lists.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(what) => trouble.note(what),
                    }
                }
            });
        }
        trouble.wait(Duration::from_secs(seconds));
    });
    let (moves, lists) = (moves.into_inner(), lists.into_inner());
    println!("{lists} listings against {moves} removals and additions");
    if moves == 0 || lists == 0 {
        trouble.note("no listing ran against a removal and an addition".to_string());
    }
    trouble.status()
}
