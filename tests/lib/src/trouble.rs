// SPDX-License-Identifier: GPL-2.0

//! What several threads share: when to end, and what went wrong.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// The first thing that went wrong in any thread; it ends all of them.
#[derive(Default)]
pub struct Trouble {
    text: Mutex<Option<String>>,
    stop: AtomicBool,
}

impl Trouble {
    /// Notes what went wrong.
    pub fn note(&self, what: String) {
        if let Ok(mut text) = self.text.lock() {
            text.get_or_insert(what);
        }
        self.stop();
    }

    /// Ends all threads.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether the threads should end.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Lets the threads work for a while, and ends them.
    pub fn wait(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.stopped() {
            thread::sleep(Duration::from_millis(20));
        }
        self.stop();
    }

    /// The exit status for what was noted.
    pub fn status(self) -> ExitCode {
        match self.text.into_inner() {
            Ok(None) => ExitCode::SUCCESS,
            Ok(Some(what)) => {
                eprintln!("{what}");
                ExitCode::FAILURE
            }
            Err(_) => ExitCode::FAILURE,
        }
    }
}
