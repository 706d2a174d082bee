// SPDX-License-Identifier: GPL-2.0

//! What calls give, and how it is spelled.

use std::fmt::Write as _;

use rustix::io::{self, Errno};

use crate::errno;

/// What a call gives when it succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing but success.
    Done,
    /// A number.
    Number(i64),
    /// Bytes that were read.
    Text(Vec<u8>),
    /// End of file.
    End,
    /// A list of names or figures.
    Words(Vec<String>),
    /// The time was up.
    Timeout,
}

/// What a call gives.
pub type Outcome = Result<Value, Errno>;

/// Why a line of a script makes no sense.
pub struct Misuse(pub String);

/// A line's words are wrong: this is a defect of the script.
pub fn misuse<T>(what: impl Into<String>) -> Result<T, Misuse> {
    Err(Misuse(what.into()))
}

/// `text` with everything that is not printable ASCII escaped.
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

/// An outcome as scripts and reports spell it.
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

/// What was read, or the end of the file.
pub fn text(bytes: Vec<u8>) -> Value {
    if bytes.is_empty() {
        Value::End
    } else {
        Value::Text(bytes)
    }
}

/// The number of bytes written.
pub fn written(result: io::Result<usize>) -> Outcome {
    result.map(|count| Value::Number(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// Success or failure, and nothing more.
pub fn done(result: io::Result<()>) -> Outcome {
    result.map(|()| Value::Done)
}
