// SPDX-License-Identifier: GPL-2.0

//! Calls on the process and on the whole machine.

use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{self, Mode, OFlags};
use rustix::process::{Gid, Uid};

use super::Called;
use crate::files::drop_caches;
use crate::machine::Machine;
use crate::value::{done, misuse, render, Value};
use crate::words::{c_string, id, size};

/// Makes the call if it is one on the process or the machine.
pub fn call(machine: &mut Machine, command: &str, args: &[&str]) -> Called {
    Ok(Some(match (command, args) {
        ("chdir", [path]) => done(rustix::process::chdir(*path)),
        ("fchdir", [name]) => done(rustix::process::fchdir(machine.fd(name)?)),
        ("getcwd", []) => rustix::process::getcwd(Vec::new())
            .map(|path| Value::Words(vec![path.to_string_lossy().into_owned()])),
        ("chroot", [path]) => done(rustix::process::chroot(*path)),
        ("user", [uid, gid]) => match (id(uid)?, id(gid)?) {
            (Some(uid), Some(gid)) => {
                let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
                done(
                    rustix::thread::set_thread_groups(&[])
                        .and_then(|()| rustix::thread::set_thread_res_gid(gid, gid, gid))
                        .and_then(|()| rustix::thread::set_thread_res_uid(uid, uid, uid)),
                )
            }
            _ => return misuse("user needs a user id and a group id"),
        },
        ("groups", groups) => {
            let mut list = Vec::new();
            for group in groups {
                list.extend(id(group)?.map(Gid::from_raw));
            }
            done(rustix::thread::set_thread_groups(&list))
        }
        // Hits the probes of the tests: no other process calls umask(2).
        ("hit", [count]) => {
            for _ in 0..size(count)? {
                rustix::process::umask(Mode::from_raw_mode(0o22));
            }
            Ok(Value::Done)
        }
        // Repeats a call until it has the wanted outcome.
        ("until", [milliseconds, wanted, call @ ..]) => {
            let end = Instant::now() + Duration::from_millis(size(milliseconds)? as u64);
            loop {
                let outcome = machine.call(call)?;
                if render(&outcome) == *wanted {
                    break Ok(Value::Done);
                }
                if Instant::now() > end {
                    break Ok(Value::Timeout);
                }
                thread::sleep(Duration::from_millis(10));
            }
        }
        ("sleep", [milliseconds]) => {
            thread::sleep(Duration::from_millis(size(milliseconds)? as u64));
            Ok(Value::Done)
        }
        ("drop_caches", []) => drop_caches(),
        ("insmod", [path]) => match fs::open(*path, OFlags::CLOEXEC, Mode::empty()) {
            Ok(fd) => done(rustix::system::finit_module(fd, c"", 0)),
            Err(error) => Err(error),
        },
        ("rmmod", [name]) => {
            let name = c_string(name)?;
            // O_NONBLOCK: fail instead of waiting while the module is in use.
            done(rustix::system::delete_module(&name, 0o4000))
        }
        ("start", [name, call @ ..]) => {
            machine.start(name, call)?;
            Ok(Value::Done)
        }
        ("finish", [name, timeout]) => machine.finish(name, size(timeout)?)?,
        _ => return Ok(None),
    }))
}
