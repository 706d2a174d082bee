// SPDX-License-Identifier: GPL-2.0

//! Parsing of written text.

#![allow(unsafe_code)]

use kernel::{
    bindings,
    error::to_result,
    prelude::*, //
};

/// Strips white space and zero bytes from both ends of `buf`.
///
/// # Errors
///
/// `EINVAL` for a zero byte in what is left. `ENOMEM`.
pub(super) fn trim(buf: &mut KVec<u8>) -> Result<&CStr> {
    let keep = |byte: &u8| !byte.is_ascii_whitespace() && *byte != 0;
    let end = buf.iter().rposition(keep).map_or(0, |last| last + 1);
    let start = buf.iter().position(keep).unwrap_or(0);
    buf.truncate(end);
    buf.push(0, GFP_KERNEL)?;
    let text = buf.get(start..).ok_or(EINVAL)?;
    CStr::from_bytes_with_nul(text).map_err(|_| EINVAL)
}

/// Parses an unsigned number with `kstrtoull()`: decimal, or hexadecimal or octal with a prefix.
///
/// # Errors
///
/// `EINVAL` if it is not a number, `ERANGE` if it has more than 64 bits.
pub(super) fn parse_unsigned(text: &CStr) -> Result<u64> {
    let mut number = 0;
    // SAFETY: `text` is a C string, and `number` is valid for writes.
    to_result(unsafe { bindings::kstrtoull(text.as_char_ptr(), 0, &mut number) })?;
    Ok(number)
}

/// Parses a signed number with `kstrtoll()`.
///
/// # Errors
///
/// `EINVAL` if it is not a number, `ERANGE` if it has more than 64 bits.
pub(super) fn parse_signed(text: &CStr) -> Result<i64> {
    let mut number = 0;
    // SAFETY: `text` is a C string, and `number` is valid for writes.
    to_result(unsafe { bindings::kstrtoll(text.as_char_ptr(), 0, &mut number) })?;
    Ok(number)
}
