// SPDX-License-Identifier: GPL-2.0

//! Counts for an administrator, in debugfs.

mod debugfs;

pub(crate) use self::debugfs::DebugFile;
