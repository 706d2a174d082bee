// SPDX-License-Identifier: GPL-2.0

//! The count of references to a node.

use kernel::sync::{
    atomic::Relaxed,
    Refcount, //
};

/// The counted references to a node.
///
/// Unlike a bare [`Refcount`] it cannot be set, and only the owner of a reference may drop one. A
/// count that overflows saturates: the node then lives for ever.
///
/// # Invariants
///
/// The count is at least the number of references that somebody owns, or it is saturated. Once it
/// is zero it stays zero.
pub(super) struct RefCount(Refcount);

impl RefCount {
    /// The count of a new node, whose only reference the caller owns.
    pub(super) fn one() -> Self {
        Self(Refcount::new(1))
    }

    /// Adds a reference, for a caller that owns one already.
    pub(super) fn inc(&self) {
        self.0.inc();
    }

    /// Adds a reference, unless the count is zero. Returns whether it has.
    ///
    /// This is `refcount_inc_not_zero()`, which the kernel crate does not have.
    pub(super) fn try_inc(&self) -> bool {
        let refs = self.0.as_atomic();
        let mut count = refs.load(Relaxed);
        loop {
            let next = match count {
                0 => return false,
                // Saturated, and so it stays.
                i32::MIN..0 => return true,
                // `REFCOUNT_SATURATED`.
                i32::MAX => i32::MIN / 2,
                _ => count + 1,
            };
            match refs.cmpxchg(count, next, Relaxed) {
                Ok(_) => return true,
                Err(now) => count = now,
            }
        }
    }

    /// Drops a reference. Returns whether it was the last one.
    ///
    /// # Safety
    ///
    /// The caller must own a reference, and not use it afterwards.
    pub(super) unsafe fn dec_and_test(&self) -> bool {
        self.0.dec_and_test()
    }
}
