// SPDX-License-Identifier: GPL-2.0

//! Values that are allocated when they are first needed.

use core::{
    marker::PhantomData,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Full, //
    },
};

/// A place for a value that costs a pointer as long as there is none, and never changes then.
///
/// Unlike `SetOnce`, who comes second finds the value of who came first.
///
/// # Invariants
///
/// The pointer is null, or came from [`KBox::into_raw`] and is owned; then it stays as it is.
pub(crate) struct OnceBox<T> {
    /// The value, once there is one.
    value: Atomic<*mut T>,
    /// It owns a `T`.
    _owner: PhantomData<KBox<T>>,
}

// SAFETY: It is a `KBox<T>` or nothing.
unsafe impl<T: Send> Send for OnceBox<T> {}
// SAFETY: Shared references give shared references to the value only; the value may be dropped by
// another thread than the one that put it here.
unsafe impl<T: Send + Sync> Sync for OnceBox<T> {}

impl<T> OnceBox<T> {
    /// An empty place.
    pub(crate) const fn new() -> Self {
        Self {
            value: Atomic::new(ptr::null_mut()),
            _owner: PhantomData,
        }
    }

    /// The value, if there is one. Needs no lock.
    pub(crate) fn get(&self) -> Option<&T> {
        // SAFETY: By the type invariant.
        unsafe { self.value.load(Acquire).as_ref() }
    }

    /// The value; `make` makes it if there is none yet. If two come at the same time both make one,
    /// and both find that of the first.
    pub(crate) fn get_or_try_init(&self, make: impl FnOnce() -> Result<KBox<T>>) -> Result<&T> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let new = KBox::into_raw(make()?);
        let value = match self.value.cmpxchg(ptr::null_mut(), new, Full) {
            // INVARIANT: The value is owned here from now on.
            Ok(_) => new,
            Err(_) => {
                // SAFETY: It came from `KBox::into_raw()` just now, and nobody else has it.
                drop(unsafe { KBox::from_raw(new) });
                // An exchange that fails orders nothing: this sees what the first one has made.
                self.value.load(Acquire)
            }
        };
        // SAFETY: By the type invariant.
        Ok(unsafe { &*value })
    }
}

impl<T> Drop for OnceBox<T> {
    fn drop(&mut self) {
        if let Some(value) = NonNull::new(self.value.load(Acquire)) {
            // SAFETY: By the type invariant it is owned here, and nobody uses it any more.
            drop(unsafe { KBox::from_raw(value.as_ptr()) });
        }
    }
}
