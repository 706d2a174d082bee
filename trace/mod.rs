// SPDX-License-Identifier: GPL-2.0

//! The tree of the running kernel's events, and the control files.
//!
//! The nodes are ours. What a file says comes from the kernel's tracing code, by way of an internal
//! mount of tracefs: [`mirror`] finds out what is there, [`forward`] passes on what is done with
//! it.

mod files;
mod mirror;
mod names;

pub(crate) use self::mirror::Mirror;
