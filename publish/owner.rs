// SPDX-License-Identifier: GPL-2.0

//! Modules that publish: their identity, and the notification when one goes.
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

/// The identity of a module: its address. It holds no reference, the module may be gone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ModuleId(NonNull<bindings::module>);

// SAFETY: The type is an address. Safe code cannot dereference it.
unsafe impl Send for ModuleId {}
// SAFETY: A shared reference only gives the address, which never changes.
unsafe impl Sync for ModuleId {}

impl ModuleId {
    /// Returns the identity of a module that C code has named.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the pointer is null. Code that is not in a module cannot call a function of one.
    pub(super) fn from_raw(module: *mut bindings::module) -> Result<Self> {
        Ok(Self(NonNull::new(module).ok_or(EINVAL)?))
    }

    /// Checks that the module may still publish.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the module is in `MODULE_STATE_GOING`.
    ///
    /// # Safety
    ///
    /// The module is in memory during this call.
    pub(super) unsafe fn check_not_going(self) -> Result {
        // SAFETY: The module is in memory by the safety requirements. As in C, the field is read
        // without a lock.
        let state = unsafe { (&raw const (*self.0.as_ptr()).state).read_volatile() };
        if state == bindings::module_state_MODULE_STATE_GOING {
            return Err(ENODEV);
        }
        Ok(())
    }
}

/// A counted reference to a module, which keeps it loaded.
///
/// # Invariants
///
/// The pointer is that of a module, of which this owns a reference.
pub(super) struct ModuleRef(NonNull<bindings::module>);

// SAFETY: A reference to a module may be put on any thread.
unsafe impl Send for ModuleRef {}

impl ModuleRef {
    /// Takes a reference to a module, unless that is this one.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the module is in `MODULE_STATE_GOING`.
    ///
    /// # Safety
    ///
    /// `module` is null, or points to a module that is in memory during this call.
    pub(super) unsafe fn get_unless(
        this: ModuleId,
        module: *mut bindings::module,
    ) -> Result<Option<Self>> {
        let Some(module) = NonNull::new(module).filter(|module| this.0 != *module) else {
            return Ok(None);
        };
        // SAFETY: The pointer is not null, so by the safety requirements it is that of a module in
        // memory.
        if unsafe { bindings::try_module_get(module.as_ptr()) } {
            // INVARIANT: The reference was taken just now.
            Ok(Some(Self(module)))
        } else {
            Err(ENODEV)
        }
    }
}

impl Drop for ModuleRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariant there is a reference, which is given up here.
        unsafe { bindings::module_put(self.0.as_ptr()) };
    }
}

/// A module in `MODULE_STATE_GOING`, during the notification of that.
///
/// Its exit function has returned, or its init function has failed. Its code and data are in memory
/// until the notification is over, and work as before: no other notifier was called yet.
pub(super) struct GoingModule<'a> {
    /// Its identity.
    id: ModuleId,
    /// `'a` is the call of the notifier.
    _call: PhantomData<&'a ()>,
}

impl GoingModule<'_> {
    /// Its identity.
    pub(super) fn id(&self) -> ModuleId {
        self.id
    }
}

/// Notified when a module enters `MODULE_STATE_GOING`.
pub(super) trait ModuleNotifier: Send + Sync + 'static {
    /// Removes all that refers to the module. May sleep; called with the chain of module notifiers
    /// locked for reading.
    fn module_going(&self, module: &GoingModule<'_>);
}

/// The registration of a [`ModuleNotifier`], which ends with the drop. Both may sleep.
///
/// # Invariants
///
/// `block` is registered.
#[pin_data(PinnedDrop)]
pub(super) struct ModuleWatch<T: ModuleNotifier> {
    /// The entry in the kernel's chain of notifiers.
    #[pin]
    block: Opaque<bindings::notifier_block>,
    /// The notifier.
    notifier: T,
}

// SAFETY: A notifier may be unregistered on any thread, and `T` is `Send`.
unsafe impl<T: ModuleNotifier> Send for ModuleWatch<T> {}
// SAFETY: A shared reference gives nothing but calls of the notifier, and `T` is `Sync`.
unsafe impl<T: ModuleNotifier> Sync for ModuleWatch<T> {}

impl<T: ModuleNotifier> ModuleWatch<T> {
    /// Registers a notifier.
    pub(super) fn new(notifier: T) -> impl PinInit<Self, Error> {
        // INVARIANT: The last field to be initialised is the block, by its registration.
        try_pin_init!(Self {
            notifier,
            block <- Opaque::try_ffi_init(|slot: *mut bindings::notifier_block| {
                // SAFETY: `slot` is valid for writes.
                unsafe {
                    slot.write(bindings::notifier_block {
                        notifier_call: Some(Self::call),
                        // Before all other notifiers: functions of the module run once more. The
                        // others free its SRCU domains and remove its probes.
                        priority: c_int::MAX,
                        ..pin_init::zeroed()
                    });
                }
                // SAFETY: The block is complete. It is pinned, and unregistered before it is freed.
                // The notifier, which `call()` uses, was initialised before.
                to_result(unsafe { bindings::register_module_notifier(slot) })
            }),
        })
    }

    /// Called at each change of a module's state.
    ///
    /// # Safety
    ///
    /// Called by the kernel, with the block of a registered `Self`, and with a module that is in
    /// memory as `data`.
    unsafe extern "C" fn call(
        block: *mut bindings::notifier_block,
        state: c_ulong,
        data: *mut c_void,
    ) -> c_int {
        // CAST: The constant is small.
        if state == bindings::module_state_MODULE_STATE_GOING as c_ulong {
            if let Ok(id) = ModuleId::from_raw(data.cast()) {
                let field = Opaque::cast_from(block);
                // SAFETY: `block` is the field of a `Self` by the safety requirements. The
                // destructor of that unregisters it first, which waits for this call.
                let this = unsafe { &*kernel::container_of!(field, Self, block) };
                this.notifier.module_going(&GoingModule {
                    id,
                    _call: PhantomData,
                });
            }
        }
        // CAST: The constant is 1.
        bindings::NOTIFY_OK as c_int
    }
}

#[pinned_drop]
impl<T: ModuleNotifier> PinnedDrop for ModuleWatch<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The block is registered by the type invariant. This waits for running calls.
        unsafe { bindings::unregister_module_notifier(self.block.get()) };
    }
}
