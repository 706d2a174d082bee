// SPDX-License-Identifier: GPL-2.0

//! The stop flag and the first failure, shared by threads that work together.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// The first failure of any thread. It stops all threads.
#[derive(Default)]
pub struct Trouble {
    text: Mutex<Option<String>>,
    stop: AtomicBool,
}

impl Trouble {
    /// Records a failure, unless there is one, and stops all threads.
    pub fn note(&self, what: String) {
        if let Ok(mut text) = self.text.lock() {
            text.get_or_insert(what);
        }
        self.stop();
    }

    /// Asks all threads to end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether the threads should end.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Stops the threads after `time`, or waits until one of them has.
    pub fn wait(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.stopped() {
            thread::sleep(Duration::from_millis(20));
        }
        self.stop();
    }

    /// Prints the failure, if there is one. Returns the exit status.
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
