// SPDX-License-Identifier: GPL-2.0

//! A module in Rust that is built outside this tree, with a copy of `include/`.

#![deny(unsafe_code)]

use kernel::prelude::*;

#[path = "../../../include/rust_eventfs.rs"]
mod eventfs;

use eventfs::{
    Dir,
    File,
    Files,
    Parent, //
};

module! {
    type: OutsideModule,
    name: "eventfs_outside_rust",
    authors: ["The rust_eventfs authors"],
    description: "Test: use eventfs from outside its tree, in Rust",
    license: "GPL",
}

/// The data of the directory.
struct Outside(u64);

/// The only instance.
static OUTSIDE: Outside = Outside(42);

impl Files for Outside {
    const FILES: &'static [File<Self>] = &[File::number(c"answer", |outside| outside.0)];
}

/// The module.
struct OutsideModule {
    /// The handle of the directory.
    _dir: Dir,
}

impl kernel::Module for OutsideModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _dir: Dir::new(c"outside_rust", Parent::Root, &OUTSIDE)?,
        })
    }
}
