// SPDX-License-Identifier: GPL-2.0

//! The words of a script: numbers, user and group ids, modes, flags.

use std::ffi::CString;

use rustix::fs::{Mode, OFlags};

use crate::value::{misuse, Misuse};

/// The number that `word` spells: decimal, `0x...` or `0...` (octal).
pub fn number(word: &str) -> Result<i64, Misuse> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, word),
    };
    let parsed = if let Some(hex) = digits.strip_prefix("0x") {
        i64::from_str_radix(hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8)
    } else {
        digits.parse()
    };
    match parsed {
        Ok(value) => Ok(sign * value),
        Err(_) => misuse(format!("not a number: {word}")),
    }
}

/// The size or count that `word` spells.
pub fn size(word: &str) -> Result<usize, Misuse> {
    usize::try_from(number(word)?).or_else(|_| misuse(format!("not a size: {word}")))
}

/// The user or group id that `word` spells. `-` leaves the id unchanged.
pub fn id(word: &str) -> Result<Option<u32>, Misuse> {
    if word == "-" {
        return Ok(None);
    }
    match u32::try_from(number(word)?) {
        Ok(id) => Ok(Some(id)),
        Err(_) => misuse(format!("not a user or group id: {word}")),
    }
}

/// The permission bits that `word` spells, in octal.
pub fn mode(word: &str) -> Result<Mode, Misuse> {
    u32::from_str_radix(word, 8)
        .map(Mode::from_raw_mode)
        .or_else(|_| misuse(format!("not a mode: {word}")))
}

/// The flags of `open` in `word`, a list with commas.
pub fn open_flags(word: &str) -> Result<OFlags, Misuse> {
    let mut flags = OFlags::CLOEXEC;
    for part in word.split(',') {
        flags |= match part {
            "r" => OFlags::RDONLY,
            "w" => OFlags::WRONLY,
            "rw" => OFlags::RDWR,
            "append" => OFlags::APPEND,
            "trunc" => OFlags::TRUNC,
            "creat" => OFlags::CREATE,
            "excl" => OFlags::EXCL,
            "nonblock" => OFlags::NONBLOCK,
            "dir" => OFlags::DIRECTORY,
            "path" => OFlags::PATH,
            "nofollow" => OFlags::NOFOLLOW,
            "noatime" => OFlags::NOATIME,
            "direct" => OFlags::DIRECT,
            "tmpfile" => OFlags::TMPFILE,
            _ => return misuse(format!("no such flag: {part}")),
        };
    }
    Ok(flags)
}

/// Converts a word to the string that a system call takes.
pub fn c_string(word: &str) -> Result<CString, Misuse> {
    CString::new(word).or_else(|_| misuse("NUL in a word"))
}
