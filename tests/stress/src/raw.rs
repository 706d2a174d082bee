// SPDX-License-Identifier: GPL-2.0

//! The system calls that have no safe wrapper.
#![allow(unsafe_code)]

use rustix::io;
use rustix::thread::UnshareFlags;

/// Gives this thread a root, a working directory and, with `mounts`, a mount
/// name space of its own.
pub fn stand_alone(mounts: bool) -> io::Result<()> {
    let mut flags = UnshareFlags::FS;
    if mounts {
        flags |= UnshareFlags::NEWNS;
    }
    // SAFETY: The table of file descriptors stays shared.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}
