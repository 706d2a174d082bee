// SPDX-License-Identifier: GPL-2.0

//! `stress run`: random operations in many threads at the same time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use crate::balance::{self, Balance};
use crate::options::Options;
use crate::shared::{Fixed, Settings, Shared};
use crate::threads;
use crate::work::{self, Worker};

/// Reads the command line.
fn settings(args: &[String]) -> Result<Settings, String> {
    let mut options = Options::new(args)?;
    let [root] = options.arguments.as_slice() else {
        return Err(
            "ROOT [--seed N] [--seconds N] [--threads N] [--operations N] [--log DIR] \
             [--tracefs DIR] [--scratch DIR] [--modules DIR] [--patience N] [--progress N]"
                .to_string(),
        );
    };
    let root = PathBuf::from(root);
    let settings = Settings {
        modules: options.value("modules", PathBuf::from("/eventfs/modules"))?,
        log: options.value("log", PathBuf::new())?,
        progress: options.value("progress", 0)?,
        ..Settings::common(&mut options, root, 6)?
    };
    options.done()?;
    Ok(settings)
}

/// Checks that a run leaves nothing behind.
fn check_leftovers(shared: &Shared, before: &Balance) {
    let events = shared.settings.root.join("events");
    match fs::read_dir(&events) {
        Err(error) => shared.fail(format!("{}: {error}", events.display())),
        Ok(entries) => {
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with("stress") || name == "sample-trace" {
                    shared.fail(format!("at the end: {name} is still listed"));
                }
            }
        }
    }
    if let Err(what) = balance::list_all(&shared.settings.root) {
        shared.fail(what);
    }
    // The last put of a file may be pending, and a grace period may have to pass.
    // After a failure, which may be the cause of a leftover, there is less patience.
    let patience = match shared.failures() {
        0 => shared.settings.patience,
        _ => shared.settings.patience.min(Duration::from_secs(10)),
    };
    let end = Instant::now() + patience;
    loop {
        let after = Balance::take();
        let grown = after.grown_since(before);
        if grown.is_empty() || Instant::now() > end {
            println!("before: {}\nafter:  {}", before.text(), after.text());
            for what in grown {
                shared.fail(format!("at the end: {what}"));
            }
            return;
        }
    }
}

/// Adds and removes a first event. Allocations that the kernel makes then and keeps
/// for ever do not count as a leak.
fn warm_up(settings: &Settings) -> Result<(), String> {
    let path = settings.root.join("kprobe_events");
    let context = |error| format!("{}: {error}", path.display());
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CLOEXEC;
    let fd = rustix::fs::open(&path, flags, Mode::empty()).map_err(context)?;
    for command in ["p:stress/warm __x64_sys_umask\n", "-:stress/warm\n"] {
        rustix::io::write(&fd, command.as_bytes()).map_err(context)?;
    }
    Ok(())
}

/// Creates a directory to write to.
fn make(dir: &Path) -> Result<(), String> {
    fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))
}

/// `stress run ROOT ...`: random operations in many threads. Each thread owns
/// events, and knows for each of them whether it exists.
pub fn main(args: &[String]) -> Result<(), String> {
    let settings = settings(args)?;
    make(&settings.scratch)?;
    if !settings.log.as_os_str().is_empty() {
        make(&settings.log)?;
    }
    println!(
        "seed {}, {} threads, {} s, {} operations each",
        settings.seed,
        settings.threads,
        settings.time.as_secs(),
        match settings.operations {
            0 => "any number of".to_string(),
            number => number.to_string(),
        }
    );
    let fixed = Fixed::find(&settings.tracefs, settings.seed)?;
    warm_up(&settings)?;
    balance::list_all(&settings.root)?;
    let before = Balance::take();
    let shared = Shared::new(settings, fixed);
    work::load_all(&shared)?;
    let reclaimed = work::reclaims();
    let began = Instant::now();
    let tally = threads::run(&shared, |number| {
        Worker::new(&shared, number).map(Worker::work)
    });
    let elapsed = began.elapsed().as_secs_f64();
    println!("reclaims of memory: {}", work::reclaims() - reclaimed);
    if let Err(what) = work::unload_all(&shared) {
        shared.fail(what);
    }
    check_leftovers(&shared, &before);
    threads::report(&shared, &tally, &format!("in {elapsed:.1} s"))
}
