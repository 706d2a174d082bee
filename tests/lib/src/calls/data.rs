// SPDX-License-Identifier: GPL-2.0

//! Calls that transfer data.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{self, Mode, OFlags};
use rustix::io;

use super::Called;
use crate::files::{put, read_to_end};
use crate::machine::Machine;
use crate::value::{misuse, text, written, Outcome, Value};
use crate::words::size;

/// Reads at most `count` bytes once, at `offset` or at the file's position.
fn read(fd: BorrowedFd<'_>, count: usize, offset: Option<u64>) -> Outcome {
    let mut buffer = vec![0; count];
    let got = match offset {
        Some(offset) => io::pread(fd, buffer.as_mut_slice(), offset)?,
        None => io::read(fd, buffer.as_mut_slice())?,
    };
    buffer.truncate(got);
    Ok(text(buffer))
}

/// Makes the call if it transfers data.
pub fn call(machine: &mut Machine, command: &str, args: &[&str]) -> Called {
    Ok(Some(match (command, args) {
        ("read", [name, count]) => read(machine.fd(name)?, size(count)?, None),
        ("pread", [name, count, offset]) => {
            let offset = size(offset)? as u64;
            read(machine.fd(name)?, size(count)?, Some(offset))
        }
        ("readv", [name, count]) => {
            let mut halves = [vec![0; size(count)?], vec![0; size(count)?]];
            let [first, second] = &mut halves;
            let mut parts = [io::IoSliceMut::new(first), io::IoSliceMut::new(second)];
            io::readv(machine.fd(name)?, &mut parts).map(|got| {
                let mut bytes = halves.concat();
                bytes.truncate(got);
                text(bytes)
            })
        }
        ("readall", [name]) => read_to_end(machine.fd(name)?).map(text),
        ("write", [name, bytes]) => written(io::write(machine.fd(name)?, bytes.as_bytes())),
        ("pwrite", [name, bytes, offset]) => {
            let offset = size(offset)? as u64;
            written(io::pwrite(machine.fd(name)?, bytes.as_bytes(), offset))
        }
        ("writev", [name, first, second]) => {
            let parts = [
                io::IoSlice::new(first.as_bytes()),
                io::IoSlice::new(second.as_bytes()),
            ];
            written(io::writev(machine.fd(name)?, &parts))
        }
        // Each word is one byte in hexadecimal, for bytes that are not text.
        ("writehex", [name, bytes @ ..]) => {
            let mut raw = Vec::new();
            for byte in bytes {
                match u8::from_str_radix(byte, 16) {
                    Ok(byte) => raw.push(byte),
                    Err(_) => return misuse(format!("not a byte: {byte}")),
                }
            }
            written(io::write(machine.fd(name)?, &raw))
        }
        // The same byte `count` times.
        ("writemany", [name, byte, count]) => written(io::write(
            machine.fd(name)?,
            byte.repeat(size(count)?).as_bytes(),
        )),
        ("sendfile", [into, from, count]) => written(fs::sendfile(
            machine.fd(into)?,
            machine.fd(from)?,
            None,
            size(count)?,
        )),
        ("splice", [from, into, count]) => written(rustix::pipe::splice(
            machine.fd(from)?,
            None,
            machine.fd(into)?,
            None,
            size(count)?,
            rustix::pipe::SpliceFlags::empty(),
        )),
        ("cat", [path]) => match fs::open(*path, OFlags::CLOEXEC, Mode::empty()) {
            Ok(fd) => read_to_end(fd.as_fd()).map(text),
            Err(error) => Err(error),
        },
        ("put", [path, bytes]) => put(path, OFlags::empty(), bytes.as_bytes()),
        ("append", [path, bytes]) => put(path, OFlags::APPEND, bytes.as_bytes()),
        // As a shell's `>` does.
        ("store", [path, bytes]) => put(path, OFlags::TRUNC | OFlags::CREATE, bytes.as_bytes()),
        ("truncate", [path]) => fs::open(
            *path,
            OFlags::WRONLY | OFlags::TRUNC | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map(|_| Value::Done),
        _ => return Ok(None),
    }))
}
