// SPDX-License-Identifier: GPL-2.0

//! Other modules: who they are, and when they go.
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h).

#![allow(unsafe_code)]

use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// A module that has given us something: not a reference, it may be gone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner(NonNull<bindings::module>);

// SAFETY: It is a name for a module, and valid to use where the methods say so only.
unsafe impl Send for Owner {}
// SAFETY: As above.
unsafe impl Sync for Owner {}

impl Owner {
    /// The owner that C code has named.
    ///
    /// # Errors
    ///
    /// `EINVAL`: it is null. Code that is not in a module cannot call one.
    pub(super) fn from_raw(module: *mut bindings::module) -> Result<Self> {
        Ok(Self(NonNull::new(module).ok_or(EINVAL)?))
    }

    /// Whether this is the module that C code means.
    pub(super) fn is(self, module: *mut bindings::module) -> bool {
        self.0.as_ptr() == module
    }

    /// Checks that the module may still publish something.
    ///
    /// # Errors
    ///
    /// `ENODEV`: it is on its way out.
    ///
    /// # Safety
    ///
    /// The module is the caller of the function that this is part of.
    pub(super) unsafe fn check_stays(self) -> Result {
        // SAFETY: The code of the module runs, so it is there. As in C, the field is read without
        // a lock.
        let state = unsafe { (&raw const (*self.0.as_ptr()).state).read_volatile() };
        if state == bindings::module_state_MODULE_STATE_GOING {
            return Err(ENODEV);
        }
        Ok(())
    }
}

/// Hears that a module goes.
pub(crate) trait ModuleGoes: 'static {
    /// The exit function of a module has returned, or its init function has failed. Its code and
    /// data are there until this returns, and work as before: nobody else has heard of it yet.
    /// May sleep; called with the chain of module notifiers locked for reading.
    fn module_goes(owner: Owner);
}

/// Lets a [`ModuleGoes`] hear of all modules, until it is dropped.
///
/// # Invariants
///
/// `block` is registered.
#[pin_data(PinnedDrop)]
pub(crate) struct ModuleWatch<T: ModuleGoes> {
    /// What the kernel calls.
    #[pin]
    block: Opaque<bindings::notifier_block>,
    /// Who hears of it.
    _listener: PhantomData<fn(T)>,
}

// SAFETY: Registering and unregistering may happen on any thread.
unsafe impl<T: ModuleGoes> Send for ModuleWatch<T> {}
// SAFETY: There is nothing that can be done with a shared reference.
unsafe impl<T: ModuleGoes> Sync for ModuleWatch<T> {}

impl<T: ModuleGoes> ModuleWatch<T> {
    /// Begins to watch. May sleep.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            block <- Opaque::try_ffi_init(|slot: *mut bindings::notifier_block| {
                // SAFETY: `slot` is valid for writes.
                unsafe {
                    slot.write(bindings::notifier_block {
                        notifier_call: Some(Self::changed),
                        // Before all others: the module's code is run once more, so nobody may
                        // have taken away yet what it was given as it came (its SRCU domains), or
                        // what was put into it (probes).
                        priority: c_int::MAX,
                        ..pin_init::zeroed()
                    });
                }
                // SAFETY: The block is complete, and stays where it is until it is unregistered.
                to_result(unsafe { bindings::register_module_notifier(slot) })
            }),
            _listener: PhantomData,
        })
    }

    /// A module has come to another state.
    ///
    /// # Safety
    ///
    /// Called by the kernel with a module as `data`.
    unsafe extern "C" fn changed(
        _block: *mut bindings::notifier_block,
        state: c_ulong,
        data: *mut c_void,
    ) -> c_int {
        // CAST: The constant is small.
        if state == bindings::module_state_MODULE_STATE_GOING as c_ulong {
            if let Ok(owner) = Owner::from_raw(data.cast()) {
                T::module_goes(owner);
            }
        }
        // CAST: The constant is 1.
        bindings::NOTIFY_OK as c_int
    }
}

#[pinned_drop]
impl<T: ModuleGoes> PinnedDrop for ModuleWatch<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariant. It waits for calls that run.
        unsafe { bindings::unregister_module_notifier(self.block.get()) };
    }
}
