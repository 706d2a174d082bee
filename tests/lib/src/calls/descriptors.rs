// SPDX-License-Identifier: GPL-2.0

//! Calls on descriptors that transfer no data.

use std::os::fd::AsRawFd;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{self, Mode, OFlags, SeekFrom};
use rustix::io;

use super::Called;
use crate::machine::Machine;
use crate::raw;
use crate::value::{done, misuse, Misuse, Outcome, Value};
use crate::words::{number, open_flags, size};

/// The names of the events of `poll`.
const POLL: &[(PollFlags, &str)] = &[
    (PollFlags::IN, "in"),
    (PollFlags::PRI, "pri"),
    (PollFlags::OUT, "out"),
    (PollFlags::ERR, "err"),
    (PollFlags::HUP, "hup"),
    (PollFlags::NVAL, "nval"),
    (PollFlags::RDNORM, "rdnorm"),
    (PollFlags::WRNORM, "wrnorm"),
];

/// Polls one descriptor for `events`, a list with commas.
fn poll(machine: &Machine, name: &str, events: &str, timeout: &str) -> Result<Outcome, Misuse> {
    let mut wanted = PollFlags::empty();
    for event in events.split(',') {
        match POLL.iter().find(|(_, known)| *known == event) {
            Some((flag, _)) => wanted |= *flag,
            None => return misuse(format!("no such event: {event}")),
        }
    }
    let timeout = number(timeout)?;
    let timeout = Timespec {
        tv_sec: timeout / 1000,
        tv_nsec: timeout % 1000 * 1_000_000,
    };
    let mut fds = [PollFd::from_borrowed_fd(machine.fd(name)?, wanted)];
    Ok(match rustix::event::poll(&mut fds, Some(&timeout)) {
        Ok(0) => Ok(Value::Timeout),
        Ok(_) => Ok(Value::Words(
            POLL.iter()
                .filter(|(flag, _)| fds[0].revents().contains(*flag))
                .map(|(_, name)| (*name).to_string())
                .collect(),
        )),
        Err(error) => Err(error),
    })
}

/// Makes the call if it is one on descriptors.
pub fn call(machine: &mut Machine, command: &str, args: &[&str]) -> Called {
    Ok(Some(match (command, args) {
        ("open", [name, path, flags]) => {
            let opened = fs::open(*path, open_flags(flags)?, Mode::from_raw_mode(0o644));
            machine.keep(name, opened)
        }
        ("openat", [name, at, path, flags]) => {
            let flags = open_flags(flags)?;
            let opened = fs::openat(machine.fd(at)?, *path, flags, Mode::from_raw_mode(0o644));
            machine.keep(name, opened)
        }
        // Opens the file of a descriptor, such as one of O_PATH, through /proc.
        ("reopen", [name, other, flags]) => {
            let path = format!("/proc/self/fd/{}", machine.fd(other)?.as_raw_fd());
            let opened = fs::open(path, open_flags(flags)?, Mode::empty());
            machine.keep(name, opened)
        }
        ("pathof", [name]) => {
            let path = format!("/proc/self/fd/{}", machine.fd(name)?.as_raw_fd());
            fs::readlink(path, Vec::new()).map(|target| Value::Text(target.into_bytes()))
        }
        ("pipe", [out, into]) => match rustix::pipe::pipe() {
            Ok((reader, writer)) => {
                let _ = machine.keep(out, Ok(reader));
                machine.keep(into, Ok(writer))
            }
            Err(error) => Err(error),
        },
        ("close", [name]) => match machine.forget(name) {
            Some(_) => Ok(Value::Done),
            None => return misuse(format!("nothing is open as {name}")),
        },
        ("dup", [name, other]) => {
            let copy = io::dup(machine.fd(other)?);
            machine.keep(name, copy)
        }
        // Sets flags of an open file with fcntl(F_SETFL).
        ("setflags", [name, flags]) => {
            let flags = open_flags(flags)?;
            done(fs::fcntl_setfl(machine.fd(name)?, flags))
        }
        ("getflags", [name, flag]) => {
            let flag = open_flags(flag)? - OFlags::CLOEXEC;
            fs::fcntl_getfl(machine.fd(name)?)
                .map(|flags| Value::Number(flags.contains(flag).into()))
        }
        ("seek", [name, offset, whence]) => {
            let offset = number(offset)?;
            let from = match *whence {
                // A negative offset passes through: lseek() has to refuse it.
                "set" => SeekFrom::Start(offset as u64),
                "cur" => SeekFrom::Current(offset),
                "end" => SeekFrom::End(offset),
                "data" => SeekFrom::Data(offset as u64),
                "hole" => SeekFrom::Hole(offset as u64),
                _ => return misuse(format!("no such whence: {whence}")),
            };
            fs::seek(machine.fd(name)?, from).map(|at| Value::Number(at as i64))
        }
        ("poll", [name, events, timeout]) => poll(machine, name, events, timeout)?,
        ("ftruncate", [name, length]) => {
            done(fs::ftruncate(machine.fd(name)?, size(length)? as u64))
        }
        ("fsync", [name]) => done(fs::fsync(machine.fd(name)?)),
        ("fallocate", [name, length]) => done(fs::fallocate(
            machine.fd(name)?,
            fs::FallocateFlags::empty(),
            0,
            size(length)? as u64,
        )),
        ("mmap", [name, length]) => done(raw::map(machine.fd(name)?, size(length)?)),
        ("ioctl", [name, request]) => {
            let request = u32::try_from(number(request)?)
                .or_else(|_| misuse(format!("no request: {request}")))?;
            done(raw::ioctl(machine.fd(name)?, request))
        }
        ("user_reg", [name, command]) => {
            raw::user_reg(machine.fd(name)?, command).map(|at| Value::Number(at.into()))
        }
        _ => return Ok(None),
    }))
}
