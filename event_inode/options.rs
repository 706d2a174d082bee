// SPDX-License-Identifier: GPL-2.0

//! Mount options: table, parse, apply, show.

use super::{
    attr::{
        AttrMask,
        AttrWriteGuard, //
    },
    view::DEFAULT_MODE, //
};
use crate::vfs::{
    fs_context::{
        OptionSpec,
        OptionValue,
        Words, //
    },
    PERMISSIONS, //
};
use kernel::{
    seq_file::SeqFile,
    seq_print,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// The options that one mount or remount was given.
#[derive(Default)]
pub(crate) struct MountOptions {
    /// `uid=`: the owner of all files, as the initial user namespace numbers it.
    uid: Option<u32>,
    /// `gid=`: the group of all files, likewise.
    gid: Option<u32>,
    /// `mode=`: the permission bits of the root directory.
    mode: Option<u32>,
    /// `readdir=`: the number of the word in [`READDIR`].
    readdir: Option<i32>,
}

/// `readdir=dentries`: an open directory instantiates and pins its entries.
const DENTRIES: i32 = 0;
/// `readdir=metadata`: an open directory is listed from the nodes, and instantiates nothing.
const METADATA: i32 = 1;

/// The words of `readdir=`.
static READDIR: Words = Words::new(&[(c"dentries", DENTRIES), (c"metadata", METADATA)]);

impl MountOptions {
    /// The table.
    pub(super) const TABLE: &'static [OptionSpec<Self>] = &[
        OptionSpec {
            name: c"gid",
            value: OptionValue::Gid(|options, gid| options.gid = Some(gid)),
        },
        OptionSpec {
            name: c"mode",
            value: OptionValue::Octal(|options, mode| {
                options.mode = Some(mode & u32::from(PERMISSIONS));
            }),
        },
        OptionSpec {
            name: c"readdir",
            value: OptionValue::Enum(&READDIR, |options, word| options.readdir = Some(word)),
        },
        OptionSpec {
            name: c"uid",
            value: OptionValue::Uid(|options, uid| options.uid = Some(uid)),
        },
    ];

    /// The attributes that the options set for all files of the mount.
    pub(super) fn attr_mask(&self) -> AttrMask {
        AttrMask {
            mode: false,
            uid: self.uid.is_some(),
            gid: self.gid.is_some(),
        }
    }

    /// Whether the options set the mode of the root directory.
    pub(super) fn sets_mode(&self) -> bool {
        self.mode.is_some()
    }
}

/// The options in force for a view. Written by the holder of an [`AttrWriteGuard`], read without a
/// lock.
pub(super) struct ViewOptions {
    /// `uid=`
    uid: Atomic<u32>,
    /// `gid=`
    gid: Atomic<u32>,
    /// `mode=`
    mode: Atomic<u32>,
    /// `readdir=`
    readdir: Atomic<i32>,
}

impl ViewOptions {
    /// The defaults.
    pub(super) const fn new() -> Self {
        Self {
            uid: Atomic::new(0),
            gid: Atomic::new(0),
            mode: Atomic::new(DEFAULT_MODE as u32),
            readdir: Atomic::new(DENTRIES),
        }
    }

    /// Goes back to the defaults.
    pub(super) fn reset(&self, _guard: &AttrWriteGuard<'_>) {
        self.uid.store(0, Relaxed);
        self.gid.store(0, Relaxed);
        self.mode.store(u32::from(DEFAULT_MODE), Relaxed);
        self.readdir.store(DENTRIES, Relaxed);
    }

    /// Applies the options that were given. The others stay as they are.
    pub(super) fn apply(&self, options: &MountOptions, _guard: &AttrWriteGuard<'_>) {
        if let Some(uid) = options.uid {
            self.uid.store(uid, Relaxed);
        }
        if let Some(gid) = options.gid {
            self.gid.store(gid, Relaxed);
        }
        if let Some(mode) = options.mode {
            self.mode.store(mode, Relaxed);
        }
        if let Some(readdir) = options.readdir {
            self.readdir.store(readdir, Relaxed);
        }
    }

    /// Prints the options that differ from their defaults, each with a comma before it.
    pub(super) fn show(&self, m: &SeqFile) {
        let (uid, gid, mode) = (self.uid(), self.gid(), self.mode());
        if uid != 0 {
            seq_print!(m, ",uid={}", uid);
        }
        if gid != 0 {
            seq_print!(m, ",gid={}", gid);
        }
        if mode != DEFAULT_MODE {
            seq_print!(m, ",mode={:o}", mode);
        }
        if self.lists_metadata() {
            seq_print!(m, ",readdir=metadata");
        }
    }

    /// The owner of all files, unless it was changed.
    pub(super) fn uid(&self) -> u32 {
        self.uid.load(Relaxed)
    }

    /// The group of all files, unless it was changed.
    pub(super) fn gid(&self) -> u32 {
        self.gid.load(Relaxed)
    }

    /// The permission bits of the root directory, unless they were changed.
    pub(super) fn mode(&self) -> u16 {
        // CAST: Only permission bits are stored.
        self.mode.load(Relaxed) as u16
    }

    /// Whether open directories are listed from the nodes.
    pub(super) fn lists_metadata(&self) -> bool {
        self.readdir.load(Relaxed) == METADATA
    }
}
