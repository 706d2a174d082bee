// SPDX-License-Identifier: GPL-2.0

//! Runs a command that leaves no process behind.

use std::collections::HashMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{self, Pid, PidfdFlags, Signal, WaitOptions};

/// Time for killed processes to exit.
const PATIENCE: Duration = Duration::from_secs(30);

/// The parent and the state of each process.
fn processes() -> HashMap<i32, (i32, String)> {
    let mut all = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // pid (name) state parent ...
        let mut fields = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let state = fields.next().unwrap_or("?").to_string();
        if let Some(parent) = fields.next().and_then(|parent| parent.parse().ok()) {
            all.insert(pid, (parent, state));
        }
    }
    all
}

/// All descendants of this process.
fn descendants() -> Vec<i32> {
    let all = processes();
    let me = process::getpid().as_raw_nonzero().get();
    let descends = |mut pid: i32| {
        for _ in 0..all.len() {
            match all.get(&pid) {
                Some((parent, _)) if *parent == me => return true,
                Some((parent, _)) => pid = *parent,
                None => return false,
            }
        }
        false
    };
    all.keys().copied().filter(|pid| descends(*pid)).collect()
}

/// Prints the kernel stack of each thread of a process.
fn print_stacks(pid: i32) {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let stack = fs::read_to_string(thread.path().join("stack")).unwrap_or_default();
        println!(
            "{pid} {} thread {}:\n{stack}",
            name.trim(),
            thread.file_name().to_string_lossy()
        );
    }
}

/// Kills all descendants. Returns false if one of them does not exit.
fn clean_up() -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        match process::wait(WaitOptions::NOHANG) {
            // No child is left.
            Err(_) => return true,
            Ok(Some(_)) => continue,
            Ok(None) => {}
        }
        let left = descendants();
        for pid in &left {
            if let Some(pid) = Pid::from_raw(*pid) {
                let _ = process::kill_process(pid, Signal::KILL);
            }
        }
        if Instant::now() > end {
            println!("these processes do not exit:");
            left.into_iter().for_each(print_stacks);
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// `evt contain SECONDS COMMAND...`: runs a command for at most SECONDS, then kills
/// every process that it started and has left running.
///
/// The exit status is the command's, or 124 after SECONDS, or 125 if a process
/// does not exit after it was killed.
pub fn main(args: &[String]) -> ExitCode {
    let [seconds, program, rest @ ..] = args else {
        eprintln!("usage: evt contain SECONDS COMMAND...");
        return ExitCode::from(2);
    };
    let Ok(seconds) = seconds.parse() else {
        eprintln!("contain: not a number: {seconds}");
        return ExitCode::from(2);
    };
    let _ = process::set_child_subreaper(Some(process::getpid()));
    let child = Command::new(program).args(rest).process_group(0).spawn();
    let child = match child {
        Ok(child) => child,
        Err(error) => {
            eprintln!("{program}: {error}");
            return ExitCode::from(2);
        }
    };
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return ExitCode::from(2);
    };
    let limit = Timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    };
    let ended = process::pidfd_open(pid, PidfdFlags::empty()).and_then(|fd| {
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        rustix::event::poll(&mut fds, Some(&limit))
    });
    let status = if ended == Ok(0) {
        println!("killed after {seconds} s");
        descendants().into_iter().for_each(print_stacks);
        124
    } else {
        match process::waitpid(Some(pid), WaitOptions::empty()) {
            Ok(Some((_, status))) => match (status.exit_status(), status.terminating_signal()) {
                (Some(status), _) => u8::try_from(status).unwrap_or(1),
                (None, Some(signal)) => {
                    println!("ended by signal {signal}");
                    128_u8.saturating_add(u8::try_from(signal).unwrap_or(127))
                }
                (None, None) => 1,
            },
            _ => 1,
        }
    };
    if clean_up() {
        ExitCode::from(status)
    } else {
        ExitCode::from(125)
    }
}
