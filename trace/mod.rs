// SPDX-License-Identifier: GPL-2.0

//! The running kernel's own tree: tracefs behind ours.
//!
//! The nodes are ours. An internal mount of tracefs is the authority on what exists ([`mirror`]),
//! and open files have tracefs's own operations ([`files`]). [`names`] says which names are shown.

mod files;
mod mirror;
mod names;

pub(crate) use self::mirror::Mirror;
