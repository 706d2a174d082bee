// SPDX-License-Identifier: GPL-2.0

//! Executes the calls of a script, with its descriptors and background calls.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io;

use crate::calls::GROUPS;
use crate::value::{misuse, Misuse, Outcome, Value};

/// The outcome to come of a call that runs in a thread of its own.
type Running = Arc<Mutex<Receiver<Outcome>>>;

/// The state of a script: its descriptors and background calls, by name.
#[derive(Clone, Default)]
pub struct Machine {
    handles: HashMap<String, Arc<OwnedFd>>,
    running: HashMap<String, Running>,
}

impl Machine {
    /// The descriptor `name`.
    pub fn fd(&self, name: &str) -> Result<BorrowedFd<'_>, Misuse> {
        match self.handles.get(name) {
            Some(fd) => Ok(fd.as_fd()),
            None => misuse(format!("nothing is open as {name}")),
        }
    }

    /// Stores a new descriptor as `name`.
    pub fn keep(&mut self, name: &str, opened: io::Result<OwnedFd>) -> Outcome {
        self.handles.insert(name.to_string(), Arc::new(opened?));
        Ok(Value::Done)
    }

    /// Drops the descriptor `name`, if there is one.
    pub fn forget(&mut self, name: &str) -> Option<()> {
        self.handles.remove(name).map(drop)
    }

    /// Makes the call in `words`.
    pub fn call(&mut self, words: &[&str]) -> Result<Outcome, Misuse> {
        let Some((command, args)) = words.split_first() else {
            return misuse("empty line");
        };
        for group in GROUPS {
            if let Some(outcome) = group(self, command, args)? {
                return Ok(outcome);
            }
        }
        misuse(format!("no such command: {}", words.join(" ")))
    }

    /// Starts a call in a thread. Returns once the thread sleeps in the call, has
    /// finished it, or has run for two seconds.
    pub fn start(&mut self, name: &str, words: &[&str]) -> Result<(), Misuse> {
        let mut machine = self.clone();
        let words: Vec<String> = words.iter().map(|word| (*word).to_string()).collect();
        let (id_sender, id_receiver) = mpsc::channel();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let _ = id_sender.send(rustix::thread::gettid());
            let outcome = machine.call(&words);
            // The thread drops its descriptors before `finish` sees the outcome.
            drop(machine);
            if let Ok(outcome) = outcome {
                let _ = sender.send(outcome);
            }
        });
        let Ok(id) = id_receiver.recv() else {
            return misuse("the thread did not start");
        };
        // The state is the first letter after the name in parentheses.
        let path = format!("/proc/self/task/{}/stat", id.as_raw_nonzero());
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(2) {
            thread::sleep(Duration::from_millis(5));
            match std::fs::read_to_string(&path) {
                Ok(stat)
                    if stat
                        .rsplit(')')
                        .next()
                        .is_some_and(|rest| rest.starts_with(" R")) => {}
                _ => break,
            }
        }
        self.running
            .insert(name.to_string(), Arc::new(Mutex::new(receiver)));
        Ok(())
    }

    /// Waits for a background call.
    pub fn finish(&mut self, name: &str, milliseconds: usize) -> Result<Outcome, Misuse> {
        let Some(running) = self.running.get(name).cloned() else {
            return misuse(format!("nothing runs as {name}"));
        };
        let Ok(receiver) = running.lock() else {
            return misuse(format!("cannot wait for {name}"));
        };
        match receiver.recv_timeout(Duration::from_millis(milliseconds as u64)) {
            Ok(outcome) => {
                self.running.remove(name);
                Ok(outcome)
            }
            Err(mpsc::RecvTimeoutError::Timeout) => Ok(Ok(Value::Timeout)),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                misuse(format!("{name} runs a call that is not valid"))
            }
        }
    }
}
