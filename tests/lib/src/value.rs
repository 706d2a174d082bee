// SPDX-License-Identifier: GPL-2.0

//! The outcomes of calls, and their spelling.

use std::fmt::Write as _;

use rustix::io::{self, Errno};

use crate::errno;

/// The result of a call that succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Success without a value.
    Done,
    /// A number.
    Number(i64),
    /// Bytes that the call read.
    Text(Vec<u8>),
    /// End of file.
    End,
    /// A list of names or figures.
    Words(Vec<String>),
    /// The call did not finish in its time.
    Timeout,
}

/// The outcome of a call: a value or an errno.
pub type Outcome = Result<Value, Errno>;

/// A defect of a script: the reason why a line is not a valid call.
pub struct Misuse(pub String);

/// Returns a defect of the script.
pub fn misuse<T>(what: impl Into<String>) -> Result<T, Misuse> {
    Err(Misuse(what.into()))
}

/// Quotes `text` and escapes every byte that is not printable ASCII.
fn escape(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for byte in text {
        let _ = match byte {
            b'\n' => write!(out, "\\n"),
            b'\t' => write!(out, "\\t"),
            b'"' | b'\\' => write!(out, "\\{}", *byte as char),
            0x20..=0x7e => write!(out, "{}", *byte as char),
            _ => write!(out, "\\x{byte:02x}"),
        };
    }
    out.push('"');
    out
}

/// Spells an outcome as in scripts and reports.
pub fn render(outcome: &Outcome) -> String {
    match outcome {
        Ok(Value::Done) => "ok".to_string(),
        Ok(Value::Number(number)) => number.to_string(),
        Ok(Value::Text(text)) => escape(text),
        Ok(Value::End) => "EOF".to_string(),
        Ok(Value::Words(words)) if words.is_empty() => "-".to_string(),
        Ok(Value::Words(words)) => words.join(" "),
        Ok(Value::Timeout) => "timeout".to_string(),
        Err(error) => errno::name(*error),
    }
}

/// The value of a read: its bytes, or end of file if it has none.
pub fn text(bytes: Vec<u8>) -> Value {
    if bytes.is_empty() {
        Value::End
    } else {
        Value::Text(bytes)
    }
}

/// The outcome of a write: the number of bytes.
pub fn written(result: io::Result<usize>) -> Outcome {
    result.map(|count| Value::Number(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// The outcome of a call without a value.
pub fn done(result: io::Result<()>) -> Outcome {
    result.map(|()| Value::Done)
}
