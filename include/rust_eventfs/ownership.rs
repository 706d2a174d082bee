// SPDX-License-Identifier: GPL-2.0

//! How directories have their data.

#![allow(unsafe_code)]

use super::Files;
use core::pin::Pin;
use kernel::{
    alloc::Allocator,
    prelude::*,
    sync::Arc,
    types::ForeignOwnable, //
};

/// How a directory has its data.
///
/// Implemented for `Arc<T>`, for `KBox<T>` and its kin, for `Pin` of those, and for `&'static T`.
///
/// # Safety
///
/// A pointer from `into_foreign` must be good for any number of `borrow`s at the same time and in
/// any thread, until `from_foreign` has taken it back.
pub unsafe trait Ownership: Sized + Send + 'static {
    /// What the functions of the files get.
    type Target: Files;

    /// Gives the data away.
    fn into_foreign(self) -> *mut c_void;

    /// Takes the data back.
    ///
    /// # Safety
    ///
    /// `data` must come from [`Self::into_foreign`], must not be given to this function twice, and
    /// nothing that was borrowed from it may be used any more.
    unsafe fn from_foreign(data: *mut c_void) -> Self;

    /// The data.
    ///
    /// # Safety
    ///
    /// `data` must come from [`Self::into_foreign`], and must not be given to
    /// [`Self::from_foreign`] during `'a`.
    unsafe fn borrow<'a>(data: *mut c_void) -> &'a Self::Target;
}

// SAFETY: An `Arc` that was given away stays counted. `Files` are `Sync`.
unsafe impl<T: Files + Send> Ownership for Arc<T> {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        ForeignOwnable::into_foreign(self)
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: The caller promises what is asked for.
        unsafe { ForeignOwnable::from_foreign(data) }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: The caller promises what is asked for.
        let data = unsafe { <Self as ForeignOwnable>::borrow(data) };
        // An `ArcBorrow` itself lends for less than `'a`.
        let data = core::ptr::from_ref::<T>(&data);
        // SAFETY: By the caller's promise, it stays where it is during `'a`.
        unsafe { &*data }
    }
}

// SAFETY: What is in a box that was given away stays where it is. `Files` are `Sync`.
unsafe impl<T: Files + Send, A: Allocator + 'static> Ownership for Box<T, A> {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        ForeignOwnable::into_foreign(self)
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: The caller promises what is asked for.
        unsafe { ForeignOwnable::from_foreign(data) }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: The caller promises what is asked for.
        unsafe { <Self as ForeignOwnable>::borrow(data) }
    }
}

// SAFETY: What is in a box that was given away stays where it is. `Files` are `Sync`.
unsafe impl<T: Files + Send, A: Allocator + 'static> Ownership for Pin<Box<T, A>> {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        ForeignOwnable::into_foreign(self)
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: The caller promises what is asked for.
        unsafe { ForeignOwnable::from_foreign(data) }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: The caller promises what is asked for.
        unsafe { <Self as ForeignOwnable>::borrow(data) }.get_ref()
    }
}

// SAFETY: A `&'static T` is good for ever. `Files` are `Sync`.
unsafe impl<T: Files> Ownership for &'static T {
    type Target = T;

    fn into_foreign(self) -> *mut c_void {
        core::ptr::from_ref(self).cast_mut().cast()
    }

    unsafe fn from_foreign(data: *mut c_void) -> Self {
        // SAFETY: It comes from `into_foreign` and so from a `&'static T`.
        unsafe { &*data.cast() }
    }

    unsafe fn borrow<'a>(data: *mut c_void) -> &'a T {
        // SAFETY: It comes from `into_foreign` and so from a `&'static T`.
        unsafe { &*data.cast() }
    }
}
