// SPDX-License-Identifier: GPL-2.0

//! What other modules give us: names.
//!
//! Pointers from C code cannot be checked. What they have to be is said in
//! `include/rust_eventfs.h`, and becomes an invariant here when they come in (`from_raw`).

use kernel::{
    prelude::*,
    str::CStr, //
};

/// The name that C code has given.
///
/// # Errors
///
/// `EINVAL`: it is null.
///
/// # Safety
///
/// `name` is null, or a string that does not change for `'a`.
pub(super) unsafe fn name_from_raw<'a>(name: *const c_char) -> Result<&'a CStr> {
    if name.is_null() {
        return Err(EINVAL);
    }
    // SAFETY: By the safety requirements.
    Ok(unsafe { CStr::from_char_ptr(name) })
}
