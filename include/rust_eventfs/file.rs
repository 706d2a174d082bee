// SPDX-License-Identifier: GPL-2.0

//! Reading and writing of files, without anything unsafe.

use super::{
    parse::{
        parse_signed,
        parse_unsigned,
        trim, //
    },
    File, //
};
use kernel::{
    fs::file::Offset,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    str::kstrtobool,
    uaccess::{
        UserSliceReader,
        UserSliceWriter, //
    },
};

/// How a file is read.
pub(super) enum Read<T> {
    /// Not at all.
    Refused,
    /// As an unsigned number.
    Number(fn(&T) -> u64),
    /// As a signed number.
    Signed(fn(&T) -> i64),
    /// As `0` or `1`.
    Flag(fn(&T) -> bool),
    /// As a line that is part of the data.
    Text(for<'a> fn(&'a T) -> &'a str),
    /// As a line that the function prints without its newline.
    Line(fn(&T, &SeqFile) -> Result),
    /// As the text that the function prints.
    Seq(fn(&T, &SeqFile) -> Result),
    /// By the function.
    Raw(fn(&T, &mut UserSliceWriter, &mut Offset) -> Result<usize>),
}

/// How a file is written.
pub(super) enum Write<T> {
    /// Not at all.
    Refused,
    /// As an unsigned number.
    Number(fn(&T, u64) -> Result),
    /// As a signed number.
    Signed(fn(&T, i64) -> Result),
    /// As a flag.
    Flag(fn(&T, bool) -> Result),
    /// As a text.
    Text(fn(&T, &str) -> Result),
    /// By the function.
    Raw(fn(&T, &mut UserSliceReader, &mut Offset) -> Result<usize>),
}

impl<T: 'static> File<T> {
    /// The mode. Asserts that the file supports what the mode permits.
    pub(super) const fn effective_mode(&self) -> u16 {
        let readable = !matches!(self.read, Read::Refused);
        let writable = !matches!(self.write, Write::Refused);
        match (self.mode, readable, writable) {
            (0, true, true) => 0o644,
            (0, true, false) => 0o444,
            (0, false, _) => 0o200,
            (mode, _, _) => {
                assert!(
                    mode & 0o444 == 0 || readable,
                    "a file that cannot be read has a mode for reading"
                );
                assert!(
                    mode & 0o222 == 0 || writable,
                    "a file that cannot be written has a mode for writing"
                );
                mode
            }
        }
    }

    /// Whether the file is read by `seq_file`.
    pub(super) const fn is_seq(&self) -> bool {
        !matches!(self.read, Read::Refused | Read::Raw(_))
    }

    /// Prints the file to `seq`.
    pub(super) fn show(&self, data: &T, seq: &SeqFile) -> Result {
        match self.read {
            Read::Number(get) => seq_print!(seq, "{}\n", get(data)),
            Read::Signed(get) => seq_print!(seq, "{}\n", get(data)),
            Read::Flag(get) => seq_print!(seq, "{}\n", u8::from(get(data))),
            Read::Text(get) => seq_print!(seq, "{}\n", get(data)),
            Read::Line(show) => {
                show(data, seq)?;
                seq_print!(seq, "\n");
            }
            Read::Seq(show) => show(data, seq)?,
            Read::Refused | Read::Raw(_) => return Err(EINVAL),
        }
        Ok(())
    }

    /// Writes to the file. Returns the number of bytes written.
    pub(super) fn store(
        &self,
        data: &T,
        mut user: UserSliceReader,
        pos: &mut Offset,
    ) -> Result<usize> {
        let count = user.len();
        match self.write {
            Write::Refused => return Err(EINVAL),
            Write::Raw(write) => return check_count(write(data, &mut user, pos)?, count),
            _ if count == 0 => return Ok(0),
            _ if count > self.limit => return Err(E2BIG),
            _ => {}
        }
        let mut buf = KVec::with_capacity(count + 1, GFP_KERNEL)?;
        user.read_all(&mut buf, GFP_KERNEL)?;
        let text = trim(&mut buf)?;
        match self.write {
            Write::Number(set) => set(data, parse_unsigned(text)?)?,
            Write::Signed(set) => set(data, parse_signed(text)?)?,
            Write::Flag(set) => set(data, kstrtobool(text)?)?,
            Write::Text(set) => set(data, text.to_str().map_err(|_| EINVAL)?)?,
            Write::Refused | Write::Raw(_) => {}
        }
        Ok(count)
    }
}

/// Checks the number of bytes that a function claims to have read or written: at most `count`.
pub(super) fn check_count(done: usize, count: usize) -> Result<usize> {
    if done > count {
        return Err(EIO);
    }
    Ok(done)
}
