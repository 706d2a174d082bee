// SPDX-License-Identifier: GPL-2.0

//! Values that are allocated on first use.

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

/// A place for a value that is allocated on first use and never changes afterwards. Without a value
/// it costs one pointer.
///
/// Unlike with `SetOnce`, a thread that comes second gets the value of the first.
///
/// # Invariants
///
/// The pointer is null, or came from [`KBox::into_raw`] and is owned here. Once it is not null it
/// never changes.
pub(crate) struct OnceBox<T> {
    /// The value, once there is one.
    value: Atomic<*mut T>,
    /// The place owns a `T`.
    _owner: PhantomData<KBox<T>>,
}

// SAFETY: A place owns a `KBox<T>` or nothing, and a `KBox<T>` is `Send` if `T` is.
unsafe impl<T: Send> Send for OnceBox<T> {}
// SAFETY: Shared references to a place give shared references to the value, so `T` must be `Sync`.
// They also put a value there that another thread may drop, so `T` must be `Send`.
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
        // SAFETY: By the type invariant the pointer is null, or one to a value that is owned here
        // and stays until the place is dropped. Only shared references to it are given out.
        unsafe { self.value.load(Acquire).as_ref() }
    }

    /// The value; `make` makes it if there is none yet.
    ///
    /// If two threads come at the same time both make a value, and both get that of the first. The
    /// same holds if `make` calls this function for the same place.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub(crate) fn get_or_try_init(&self, make: impl FnOnce() -> Result<KBox<T>>) -> Result<&T> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let new = KBox::into_raw(make()?);
        let value = match self.value.cmpxchg(ptr::null_mut(), new, Full) {
            // INVARIANT: The pointer came from `KBox::into_raw()`, and is owned here from now on.
            Ok(_) => new,
            Err(_) => {
                // SAFETY: The pointer came from `KBox::into_raw()` just now, and was not stored, so
                // nobody else has it.
                drop(unsafe { KBox::from_raw(new) });
                // A failed exchange orders nothing: this load sees the value of the first thread
                // complete.
                self.value.load(Acquire)
            }
        };
        // SAFETY: The pointer is not null: it is `new`, or the exchange has found another one. By
        // the type invariant it is one to a value that is owned here and stays until the place is
        // dropped.
        Ok(unsafe { &*value })
    }
}

impl<T> Drop for OnceBox<T> {
    fn drop(&mut self) {
        if let Some(value) = NonNull::new(self.value.load(Acquire)) {
            // SAFETY: By the type invariant the pointer came from `KBox::into_raw()` and is owned
            // here. The references that were given out have ended, as this one is mutable.
            drop(unsafe { KBox::from_raw(value.as_ptr()) });
        }
    }
}
