// SPDX-License-Identifier: GPL-2.0

//! How a directory owns its data.

#![allow(unsafe_code)]

use super::Files;
use core::{
    pin::Pin,
    ptr, //
};
use kernel::{
    alloc::Allocator,
    prelude::*,
    sync::Arc,
    types::ForeignOwnable, //
};

/// The ways in which a directory can own its data.
///
/// Implemented for `Arc<T>`, `Box<T, A>` (so `KBox<T>`, `VBox<T>`, `KVBox<T>`), `Pin` of such a
/// box, and `&'static T`.
///
/// # Safety
///
/// A pointer returned by [`into_foreign`] must be valid for any number of [`borrow`]s, at the same
/// time and on any thread, until it is passed to [`from_foreign`].
///
/// [`into_foreign`]: Self::into_foreign
/// [`from_foreign`]: Self::from_foreign
/// [`borrow`]: Self::borrow
pub unsafe trait Ownership: Sized + Send + 'static {
    /// The data. The functions of the files get a reference to it.
    type Target: Files;

    /// Converts the owner to a pointer, for C code to keep.
    fn into_foreign(self) -> *mut c_void;

    /// Converts the pointer back to the owner.
    ///
    /// # Safety
    ///
    /// `data` must come from [`Self::into_foreign`] and must not be passed to this function twice.
    /// The lifetime of each [`Self::borrow`] of it must have ended.
    unsafe fn from_foreign(data: *mut c_void) -> Self;

    /// Borrows the data.
    ///
    /// # Safety
    ///
    /// `data` must come from [`Self::into_foreign`], and must not be passed to
    /// [`Self::from_foreign`] before `'a` has ended.
    unsafe fn borrow<'a>(data: *mut c_void) -> &'a Self::Target;
}

// SAFETY: The pointer stands for a reference count, so the `T` stays where it is until
// `from_foreign()` returns that count to an `Arc`. Until then it is only shared, also with other
// `Arc`s, and `T` is `Sync` because it is `Files`.
unsafe impl<T: Files + Send> Ownership for Arc<T> {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        ForeignOwnable::into_foreign(self)
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: By the safety requirements of this function, `data` comes from
        // `Arc::into_foreign()` and is passed here once.
        unsafe { ForeignOwnable::from_foreign(data) }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: By the safety requirements of this function, `data` comes from
        // `Arc::into_foreign()`, and `from_foreign()` is not called before `'a` has ended.
        let data = unsafe { <Self as ForeignOwnable>::borrow(data) };
        // The `ArcBorrow` derefs only for as long as it is a local variable.
        let data = ptr::from_ref::<T>(&data);
        // SAFETY: The `T` is in an allocation that the reference count behind the pointer keeps.
        // By the safety requirements of this function, that count is not put before `'a` has ended.
        unsafe { &*data }
    }
}

// SAFETY: The pointer owns the allocation, so the `T` stays where it is until `from_foreign()`
// returns it to a `Box`. Until then it is only shared, and `T` is `Sync` because it is `Files`.
unsafe impl<T: Files + Send, A: Allocator + 'static> Ownership for Box<T, A> {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        ForeignOwnable::into_foreign(self)
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: By the safety requirements of this function, `data` comes from
        // `Box::into_foreign()` and is passed here once, when no borrow is left.
        unsafe { ForeignOwnable::from_foreign(data) }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: By the safety requirements of this function, `data` comes from
        // `Box::into_foreign()`, and `from_foreign()` is not called before `'a` has ended. Nothing
        // here borrows it mutably.
        unsafe { <Self as ForeignOwnable>::borrow(data) }
    }
}

// SAFETY: The pointer owns the allocation, so the `T` stays pinned where it is until
// `from_foreign()` returns it to a `Pin<Box>`. Until then it is only shared, and `T` is `Sync`
// because it is `Files`.
unsafe impl<T: Files + Send, A: Allocator + 'static> Ownership for Pin<Box<T, A>> {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        ForeignOwnable::into_foreign(self)
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: By the safety requirements of this function, `data` comes from
        // `Pin::<Box>::into_foreign()` and is passed here once, when no borrow is left.
        unsafe { ForeignOwnable::from_foreign(data) }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: By the safety requirements of this function, `data` comes from
        // `Pin::<Box>::into_foreign()`, and `from_foreign()` is not called before `'a` has ended.
        // Nothing here borrows it mutably.
        unsafe { <Self as ForeignOwnable>::borrow(data) }.get_ref()
    }
}

// SAFETY: A `&'static T` is valid for as long as the module is, and shared by its type. `T` is
// `Sync` because it is `Files`.
unsafe impl<T: Files> Ownership for &'static T {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: By the safety requirements of this function, `data` comes from `into_foreign()`,
        // and so from a `&'static T`.
        unsafe { &*data.cast() }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: By the safety requirements of this function, `data` comes from `into_foreign()`,
        // and so from a `&'static T`.
        unsafe { &*data.cast() }
    }
}
