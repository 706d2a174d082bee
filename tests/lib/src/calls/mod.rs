// SPDX-License-Identifier: GPL-2.0

//! The calls of the script language, by name.

mod data;
mod descriptors;
mod mounts;
mod names;
mod process;

use crate::machine::Machine;
use crate::value::{Misuse, Outcome};

/// The outcome of a call, or `None` if the group has no such call.
type Called = Result<Option<Outcome>, Misuse>;

/// Makes the call with this name if it is one of the group's.
type Group = fn(&mut Machine, &str, &[&str]) -> Called;

/// All groups.
pub const GROUPS: &[Group] = &[
    descriptors::call,
    data::call,
    names::call,
    mounts::call,
    process::call,
];
