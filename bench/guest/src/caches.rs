// SPDX-License-Identifier: GPL-2.0

//! Makes names cold.

use std::fs;

use rustix::thread::{membarrier, MembarrierCommand};

use crate::clock::sleep_ms;
use crate::Outcome;

/// Lets go of all dentries and inodes that nobody uses, and waits until that
/// has come to an end: what is freed after a grace period would otherwise be
/// freed while something is measured.
pub fn drop_caches() -> Outcome {
    // Those that were used since the last time are spared once.
    for _ in 0..2 {
        fs::write("/proc/sys/vm/drop_caches", "2")?;
    }
    wait_grace_periods()
}

/// Waits for what is done after grace periods. Ours frees after one of SRCU
/// and one of RCU.
pub fn wait_grace_periods() -> Outcome {
    for _ in 0..2 {
        membarrier(MembarrierCommand::Global)?;
        sleep_ms(12);
    }
    Ok(())
}
