// SPDX-License-Identifier: GPL-2.0

//! Drops the caches and waits for deferred frees.

use std::fs;

use rustix::thread::{membarrier, MembarrierCommand};

use crate::clock::sleep_ms;
use crate::Outcome;

/// Drops all unused dentries and inodes, and waits until they are freed.
/// Otherwise RCU callbacks would free them during the next measurement.
pub fn drop_caches() -> Outcome {
    // The first pass only clears the referenced bit of recently used objects.
    for _ in 0..2 {
        fs::write("/proc/sys/vm/drop_caches", "2")?;
    }
    wait_grace_periods()
}

/// Waits until objects that are freed after grace periods are freed. The
/// module frees a node after an SRCU and then an RCU grace period.
pub fn wait_grace_periods() -> Outcome {
    for _ in 0..2 {
        membarrier(MembarrierCommand::Global)?;
        sleep_ms(12);
    }
    Ok(())
}
