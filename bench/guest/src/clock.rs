// SPDX-License-Identifier: GPL-2.0

//! The guest's clock. With QEMU's `-icount shift=0`, it counts instructions.

use rustix::thread::{nanosleep, NanosleepRelativeResult};
use rustix::time::{clock_gettime, ClockId, Timespec};

use crate::Outcome;

/// Nanoseconds since boot.
pub fn now() -> u64 {
    let time = clock_gettime(ClockId::MonotonicRaw);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// Runs `work`; returns the nanoseconds it took, and its result.
pub fn timed<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(u64, T)> {
    let start = now();
    let result = work();
    let end = now();
    Ok((end.saturating_sub(start), result?))
}

/// Sleeps.
pub fn sleep_ms(ms: u32) {
    let mut rest = Timespec {
        tv_sec: (ms / 1000).into(),
        tv_nsec: (ms % 1000 * 1_000_000).into(),
    };
    while let NanosleepRelativeResult::Interrupted(left) = nanosleep(&rest) {
        rest = left;
    }
}
