// SPDX-License-Identifier: GPL-2.0

//! Dentries.
//!
//! C header: [`include/linux/dcache.h`](srctree/include/linux/dcache.h).

use super::{
    bindings as more_bindings,
    file_system::RcuForeign,
    from_err_ptr,
    DirEntryType,
    FileSystem,
    Inode,
    NewInode,
    SuperBlock, //
};
use core::{
    marker::PhantomData,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    bindings,
    prelude::*,
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
    types::{
        ForeignOwnable,
        Opaque, //
    },
};

/// A dentry, of any file system.
///
/// # Invariants
///
/// While there is a reference, the dentry has users.
#[repr(transparent)]
pub(crate) struct Dentry(Opaque<bindings::dentry>);

/// A counted reference to a dentry. Dropping it may sleep.
pub(crate) type DentryRef = ARef<Dentry>;

// SAFETY: Dentries may be used on any thread.
unsafe impl Send for Dentry {}
// SAFETY: The methods only do what may be done in parallel.
unsafe impl Sync for Dentry {}

// SAFETY: `d_lockref` keeps the dentry.
unsafe impl AlwaysRefCounted for Dentry {
    fn inc_ref(&self) {
        // SAFETY: The dentry is valid. This is `dget()`.
        unsafe { bindings::lockref_get(&raw mut (*self.as_ptr()).d_lockref) };
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller gives up a reference.
        unsafe { bindings::dput(obj.as_ptr().cast()) };
    }
}

/// A name as the dcache takes it.
fn qstr(name: &[u8], hash: u32) -> bindings::qstr {
    bindings::qstr {
        __bindgen_anon_1: bindings::qstr__bindgen_ty_1 {
            __bindgen_anon_1: bindings::qstr__bindgen_ty_1__bindgen_ty_1 {
                hash,
                // CAST: Names are short.
                len: name.len() as u32,
            },
        },
        name: name.as_ptr(),
    }
}

impl Dentry {
    /// The wrapper of a C dentry.
    ///
    /// # Safety
    ///
    /// `dentry` is valid and has users for `'a`.
    pub(super) unsafe fn from_raw<'a>(dentry: *mut bindings::dentry) -> &'a Self {
        // SAFETY: By the safety requirements; the type is a transparent wrapper.
        unsafe { &*dentry.cast() }
    }

    /// The dentry as C takes it.
    pub(super) fn as_ptr(&self) -> *mut bindings::dentry {
        self.0.get()
    }

    /// Its inode, whatever file system it is of; `None` for a negative dentry.
    fn inode(&self) -> Option<NonNull<bindings::inode>> {
        // SAFETY: The dentry is valid. With users it does not lose its inode.
        NonNull::new(unsafe { (&raw const (*self.as_ptr()).d_inode).read_volatile() })
    }

    /// The number of its inode; 0 if there is none.
    pub(crate) fn ino(&self) -> u64 {
        // SAFETY: The inode stays with the dentry, and its number the same.
        self.inode()
            .map_or(0, |inode| unsafe { (*inode.as_ptr()).i_ino })
    }

    /// The mode of its inode; 0 if there is none.
    pub(crate) fn mode(&self) -> u16 {
        // SAFETY: The inode stays with the dentry. As in C, the field is read without a lock.
        self.inode().map_or(0, |inode| unsafe {
            (&raw const (*inode.as_ptr()).i_mode).read_volatile()
        })
    }

    /// Whether it leads to a directory.
    pub(crate) fn is_directory(&self) -> bool {
        u32::from(self.mode()) & bindings::S_IFMT == bindings::S_IFDIR
    }

    /// The type of an entry of a directory that leads here.
    pub(crate) fn dir_entry_type(&self) -> DirEntryType {
        if self.is_directory() {
            DirEntryType::Directory
        } else {
            DirEntryType::Regular
        }
    }

    /// Whether it leads to a regular file.
    pub(crate) fn is_regular(&self) -> bool {
        u32::from(self.mode()) & bindings::S_IFMT == bindings::S_IFREG
    }

    /// The name. Only for file systems whose dentries are never renamed.
    pub(crate) fn name(&self) -> &[u8] {
        // SAFETY: The name is as long as `len` says, and constant, as nothing is renamed.
        unsafe {
            let name = &raw const (*self.as_ptr()).__bindgen_anon_1.d_name;
            let len = (*name).__bindgen_anon_1.__bindgen_anon_1.len;
            core::slice::from_raw_parts((*name).name, len as usize)
        }
    }

    /// The parent. Only for file systems whose dentries are never moved. A root is its own parent.
    pub(crate) fn parent(&self) -> &Dentry {
        // SAFETY: A dentry keeps its parent, which does not change, as nothing is moved.
        unsafe { Self::from_raw((*self.as_ptr()).d_parent) }
    }

    /// Whether it is the root of its file system.
    pub(crate) fn is_root(&self) -> bool {
        ptr::eq(self, self.parent())
    }

    /// The inode, if this is a dentry of that super block.
    pub(crate) fn inode_in<T: FileSystem>(&self, sb: &SuperBlock<T>) -> Option<&Inode<T>> {
        // SAFETY: `d_sb` never changes.
        if unsafe { (*self.as_ptr()).d_sb } != sb.as_ptr() {
            return None;
        }
        // SAFETY: The super block is one of `T`. The dentry keeps the inode, and dentries of `T`
        // get published inodes only.
        self.inode()
            .map(|inode| unsafe { Inode::from_raw(inode.as_ptr()) })
    }

    /// What the dentry owns, if it is one of that super block.
    pub(crate) fn data_in<T: FileSystem>(
        &self,
        sb: &SuperBlock<T>,
    ) -> Option<<T::Dentry as ForeignOwnable>::Borrowed<'_>> {
        self.inode_in(sb)?;
        // SAFETY: The dentry is valid.
        let data = unsafe { data_of(self.as_ptr()) };
        // SAFETY: The dentry is one of `T`, has users, and so owns a `T::Dentry` if it owns
        // anything.
        (!data.is_null()).then(|| unsafe { T::Dentry::borrow(data) })
    }

    /// The child with this name, if there is a dentry of it in the cache. Does not sleep.
    pub(super) fn cached_child(&self, name: &[u8]) -> Option<DentryRef> {
        // SAFETY: The name is valid for reads.
        let hash = unsafe {
            bindings::full_name_hash(
                self.as_ptr().cast(),
                name.as_ptr().cast(),
                name.len() as u32,
            )
        };
        let name = qstr(name, hash);
        // SAFETY: The dentry and the name are valid.
        let child = unsafe { bindings::d_lookup(self.as_ptr(), &raw const name) };
        let child = NonNull::new(child.cast::<Dentry>())?;
        // SAFETY: `d_lookup()` took this reference for us.
        Some(unsafe { ARef::from_raw(child) })
    }

    /// Looks a name up in a directory, without a check of permissions. May sleep; takes the
    /// `i_rwsem` of the directory for reading.
    ///
    /// # Errors
    ///
    /// `ENOENT`: there is no such name. Whatever the file system of the directory gives.
    pub(crate) fn lookup(&self, name: &[u8]) -> Result<DentryRef> {
        if !self.is_directory() {
            return Err(ENOTDIR);
        }
        let mut name = qstr(name, 0);
        // SAFETY: The directory and the name are valid.
        let child = from_err_ptr(unsafe {
            more_bindings::lookup_noperm_positive_unlocked(&raw mut name, self.as_ptr())
        })?;
        // SAFETY: The function took this reference for us.
        Ok(unsafe { ARef::from_raw(child.cast()) })
    }

    /// Makes sure that no path leads here any more: unhashes the dentry, drops what is cached below
    /// it and unmounts what is mounted there. May sleep.
    pub(crate) fn invalidate(&self) {
        // SAFETY: The dentry is valid and has users.
        unsafe { bindings::d_invalidate(self.as_ptr()) };
    }

    /// Whether paths lead here, as far as the file system of the dentry says. May sleep.
    pub(crate) fn is_current(&self) -> bool {
        // SAFETY: The dentry is valid, as is (kept by it) its parent.
        unsafe { revalidate_raw(self.as_ptr(), 0) == 1 }
    }
}

/// Asks the file system of a dentry whether it is still good.
///
/// # Safety
///
/// `dentry` is valid: it has users, or the caller walks under RCU, says so in `flags`, and its
/// critical section began when the dentry had users.
unsafe fn revalidate_raw(dentry: *mut bindings::dentry, flags: c_uint) -> c_int {
    // SAFETY: By the safety requirements the dentry is in memory, and so is its parent, which it
    // keeps until it is freed itself; nobody moves it.
    unsafe {
        let parent = (*dentry).d_parent;
        if ptr::eq(parent, dentry) {
            // A root is not hashed and does not vanish.
            return 1;
        }
        // `d_unhashed()`.
        if (&raw const (*dentry).d_hash.pprev)
            .read_volatile()
            .is_null()
        {
            return 0;
        }
        if (&raw const (*dentry).d_flags).read_volatile()
            & more_bindings::EVENTFS_DCACHE_OP_REVALIDATE
            == 0
        {
            return 1;
        }
        let Some(revalidate) = (*(*dentry).d_op).d_revalidate else {
            return 1;
        };
        let dir = (&raw const (*parent).d_inode).read_volatile();
        if dir.is_null() {
            return gone(flags);
        }
        revalidate(
            dir,
            &raw const (*dentry).__bindgen_anon_1.d_name,
            dentry,
            flags,
        )
    }
}

/// The answer for a dentry that is on its way out: in an RCU path walk the VFS is to look again.
fn gone(flags: c_uint) -> c_int {
    if flags & more_bindings::EVENTFS_LOOKUP_RCU != 0 {
        -(bindings::ECHILD as c_int)
    } else {
        0
    }
}

/// `d_fsdata` of a dentry of `T`: null if it was not answered.
///
/// # Safety
///
/// `dentry` is valid as for [`revalidate_raw`].
unsafe fn data_of(dentry: *mut bindings::dentry) -> *mut c_void {
    // SAFETY: The dentry is in memory.
    unsafe { (&raw const (*dentry).d_fsdata).read_volatile() }
}

/// A dentry that a look-up must answer: it has a name and a parent, but no inode, and paths do not
/// lead to it.
///
/// Dropping it leaves it so: the name does not exist, and nothing of that is remembered, so that
/// one that is added later is found (L8).
pub(crate) struct UnhashedDentry<'a, T: FileSystem> {
    /// The one that the VFS wants answered; valid, and ours to fill in, during the look-up.
    dentry: *mut bindings::dentry,
    /// Where to put what the VFS is to use instead of the dentry.
    instead: &'a mut *mut bindings::dentry,
    /// The file system that the dentry is of.
    _fs: PhantomData<T>,
}

impl<'a, T: FileSystem> UnhashedDentry<'a, T> {
    /// The name that is looked up.
    pub(crate) fn name(&self) -> &[u8] {
        // SAFETY: The dentry is valid during the look-up, and its name constant.
        unsafe { Dentry::from_raw(self.dentry) }.name()
    }

    /// Answers with an inode: from now on, paths lead there. May sleep.
    ///
    /// `data` belongs to the dentry then, until it is released.
    pub(crate) fn splice(self, inode: NewInode<T>, data: T::Dentry) -> Result<Spliced<'a, T>> {
        // SAFETY: Both are valid; `d_sb` and `i_sb` never change.
        if unsafe { (*self.dentry).d_sb } != inode.inode().super_block().as_ptr() {
            return Err(EXDEV);
        }
        // SAFETY: A dentry that is looked up is nobody else's: `d_fsdata` is free.
        unsafe { (*self.dentry).d_fsdata = data.into_foreign() };
        // SAFETY: The dentry is unhashed and negative, and the inode has no other dentry. The
        // function takes over the reference to the inode, also when it fails.
        let result = unsafe { bindings::d_splice_alias(inode.into_raw(), self.dentry) };
        kernel::error::from_err_ptr(result)?;
        *self.instead = result;
        Ok(Spliced {
            dentry: self.dentry,
            _call: PhantomData,
            _fs: PhantomData,
        })
    }
}

/// A dentry that was answered in this look-up.
pub(crate) struct Spliced<'a, T: FileSystem> {
    /// Valid, as the VFS keeps a reference, during the look-up.
    dentry: *mut bindings::dentry,
    /// `'a` is the look-up.
    _call: PhantomData<&'a ()>,
    /// The file system that the dentry is of.
    _fs: PhantomData<T>,
}

impl<T: FileSystem> Spliced<'_, T> {
    /// Takes the answer back: no path leads there any more (L7). May sleep.
    ///
    /// Somebody may have mounted something there by now. A removal that finds the dentry unhashed
    /// leaves that to us.
    pub(crate) fn undo(self) {
        // SAFETY: As above. Those who came here meanwhile keep their reference. The VFS itself does
        // this in a look-up, with the `i_rwsem` of the directory held.
        unsafe { bindings::d_invalidate(self.dentry) };
    }
}

/// Looks up a name in a directory.
///
/// # Safety
///
/// Called by the VFS for a directory inode of `T` and a new dentry in it, with the `i_rwsem` of the
/// directory held.
pub(super) unsafe extern "C" fn lookup<T: FileSystem>(
    dir: *mut bindings::inode,
    dentry: *mut bindings::dentry,
    flags: c_uint,
) -> *mut bindings::dentry {
    // SAFETY: By the safety requirements; a directory that is looked into is in use.
    let dir = unsafe { Inode::<T>::from_raw(dir) };
    let mut instead = ptr::null_mut();
    let unhashed = UnhashedDentry {
        dentry,
        instead: &mut instead,
        _fs: PhantomData,
    };
    match T::lookup(dir, unhashed) {
        Ok(()) => instead,
        // The path walk would tell the user (`retry_estale()`).
        Err(error) if error == ESTALE && flags & more_bindings::EVENTFS_LOOKUP_REVAL != 0 => {
            ENOENT.to_ptr()
        }
        Err(error) => error.to_ptr(),
    }
}

/// The operations of dentries.
pub(super) struct VTable<T: FileSystem>(PhantomData<T>);

impl<T: FileSystem> VTable<T> {
    /// What each dentry of `T` has as its `d_op`.
    pub(super) const OPS: bindings::dentry_operations = bindings::dentry_operations {
        d_revalidate: Some(Self::revalidate),
        d_release: Some(Self::release),
        ..pin_init::zeroed()
    };

    /// Whether a dentry in the cache is still good, and what it stands for.
    ///
    /// # Safety
    ///
    /// Called by the VFS for a dentry of `T`, valid as for [`revalidate_raw`].
    unsafe extern "C" fn revalidate(
        _dir: *mut bindings::inode,
        _name: *const bindings::qstr,
        dentry: *mut bindings::dentry,
        flags: c_uint,
    ) -> c_int {
        // SAFETY: By the safety requirements.
        let data = unsafe { data_of(dentry) };
        // SAFETY: `d_fsdata` owns a `T::Dentry` until the dentry is released, and those who walk
        // under RCU began before.
        if data.is_null() || T::is_stale(unsafe { T::Dentry::rcu_borrow(data) }) {
            return 0;
        }
        // SAFETY: The dentry is in memory.
        let inode = unsafe { (&raw const (*dentry).d_inode).read_volatile() };
        if inode.is_null() {
            return gone(flags);
        }
        // SAFETY: The inode is freed by RCU after it has left the dentry. The pointer to the lower
        // dentry stays there, and what it points to is freed by RCU after the inode was evicted.
        let lower = unsafe { super::inode::lower_under_rcu::<T>(inode) };
        if lower.is_null() {
            return 1;
        }
        // SAFETY: As above.
        unsafe { revalidate_raw(lower, flags) }
    }

    /// Ends the use of a dentry.
    ///
    /// # Safety
    ///
    /// Called by the VFS for a dentry of `T` that has no users.
    unsafe extern "C" fn release(dentry: *mut bindings::dentry) {
        // SAFETY: The dentry is valid, and not used by anybody else.
        let data = unsafe { (*dentry).d_fsdata };
        if !data.is_null() {
            // The pointer is left as it is, for RCU path walks.
            // SAFETY: `d_fsdata` owns it, and gives it up here, once.
            drop(unsafe { T::Dentry::from_foreign(data) });
        }
    }
}
