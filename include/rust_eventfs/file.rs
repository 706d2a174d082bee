// SPDX-License-Identifier: GPL-2.0

//! What reading and writing a file does.

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

/// What reading a file does.
pub(super) enum Read<T> {
    /// It fails.
    Refused,
    /// It gives a number.
    Number(fn(&T) -> u64),
    /// It gives a number that may be negative.
    Signed(fn(&T) -> i64),
    /// It gives 0 or 1.
    Flag(fn(&T) -> bool),
    /// It gives a line that does not change.
    Text(for<'a> fn(&'a T) -> &'a str),
    /// It gives what a function prints, and the end of the line.
    Line(fn(&T, &SeqFile) -> Result),
    /// It gives what a function prints.
    Seq(fn(&T, &SeqFile) -> Result),
    /// A function does it.
    Raw(fn(&T, &mut UserSliceWriter, &mut Offset) -> Result<usize>),
}

/// What writing a file does.
pub(super) enum Write<T> {
    /// It fails.
    Refused,
    /// It sets a number.
    Number(fn(&T, u64) -> Result),
    /// It sets a number that may be negative.
    Signed(fn(&T, i64) -> Result),
    /// It sets a flag.
    Flag(fn(&T, bool) -> Result),
    /// A function gets the text.
    Text(fn(&T, &str) -> Result),
    /// A function does it.
    Raw(fn(&T, &mut UserSliceReader, &mut Offset) -> Result<usize>),
}

impl<T: 'static> File<T> {
    /// The permissions, of which it is checked that they fit what the file can do.
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

    /// Whether reading is `seq_file`'s.
    pub(super) const fn is_seq(&self) -> bool {
        !matches!(self.read, Read::Refused | Read::Raw(_))
    }

    /// Prints what reading gives.
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

    /// Does what writing does, and gives how many bytes it took.
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

/// The number of bytes that a function says it has done, if there was room for so many.
pub(super) fn check_count(done: usize, count: usize) -> Result<usize> {
    if done > count {
        return Err(EIO);
    }
    Ok(done)
}
