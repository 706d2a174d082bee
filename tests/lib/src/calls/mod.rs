// SPDX-License-Identifier: GPL-2.0

//! The system calls that a script can make, by name.

mod data;
mod descriptors;
mod mounts;
mod names;
mod process;

use crate::machine::Machine;
use crate::value::{Misuse, Outcome};

/// A group of calls: makes the one that it is asked for, if it has it.
type Group = fn(&mut Machine, &str, &[&str]) -> Result<Option<Outcome>, Misuse>;

/// All groups.
pub const GROUPS: &[Group] = &[
    descriptors::call,
    data::call,
    names::call,
    mounts::call,
    process::call,
];
