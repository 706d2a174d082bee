// SPDX-License-Identifier: GPL-2.0

//! Texts that were written to files.

#![allow(unsafe_code)]

use kernel::{
    bindings,
    error::to_result,
    prelude::*, //
};

/// What is in `buf` but for white space and zero bytes at its ends; `EINVAL` if there are zero
/// bytes in it.
pub(super) fn trim(buf: &mut KVec<u8>) -> Result<&CStr> {
    let matters = |byte: &u8| !byte.is_ascii_whitespace() && *byte != 0;
    let end = buf.iter().rposition(matters).map_or(0, |last| last + 1);
    let start = buf.iter().position(matters).unwrap_or(0);
    buf.truncate(end);
    buf.push(0, GFP_KERNEL)?;
    let text = buf.get(start..).ok_or(EINVAL)?;
    CStr::from_bytes_with_nul(text).map_err(|_| EINVAL)
}

/// The number that `text` is.
pub(super) fn parse_unsigned(text: &CStr) -> Result<u64> {
    let mut number = 0;
    // SAFETY: `text` is a string, and `number` can be written to.
    to_result(unsafe { bindings::kstrtoull(text.as_char_ptr(), 0, &mut number) })?;
    Ok(number)
}

/// The number that `text` is, which may be negative.
pub(super) fn parse_signed(text: &CStr) -> Result<i64> {
    let mut number = 0;
    // SAFETY: `text` is a string, and `number` can be written to.
    to_result(unsafe { bindings::kstrtoll(text.as_char_ptr(), 0, &mut number) })?;
    Ok(number)
}
