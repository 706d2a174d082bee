// SPDX-License-Identifier: GPL-2.0

//! Dentries.
//!
//! A [`Dentry`] is borrowed. An [`ActiveDentry`] is a counted reference, with a lifetime during
//! which something else keeps the super block. [`PinnedDentries`] keep their super block
//! themselves.
//!
//! The dentry that a look-up has to answer is an [`UnhashedDentry`]: no path leads to it. Answered
//! with an inode it becomes a [`Spliced`] one, until the look-up returns. Dropping an
//! [`UnhashedDentry`] answers that the name does not exist.
//!
//! C headers: [`include/linux/dcache.h`](srctree/include/linux/dcache.h),
//! [`include/linux/namei.h`](srctree/include/linux/namei.h).

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
    mem::ManuallyDrop,
    ops::Deref,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    bindings,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    types::{
        ForeignOwnable,
        Opaque, //
    },
};

/// A dentry.
///
/// # Invariants
///
/// - Its file system is a [`FileSystem`], or that of a [`KernMount`](super::lower::KernMount).
///   Neither renames or moves dentries, so that `d_name` and `d_parent` are constant. Neither has
///   operations to hash or to compare names, and all of its directories have `lookup`.
/// - While there is a reference, the dentry has users, and its super block is not shut down. A
///   dentry with users keeps its parent, and if it is positive, its inode: `d_delete()` takes the
///   inode only from a dentry that has no user but the caller.
#[repr(transparent)]
pub(crate) struct Dentry(Opaque<bindings::dentry>);

// SAFETY: A dentry does not belong to a thread.
unsafe impl Send for Dentry {}
// SAFETY: The methods read fields that are constant, or that C code reads without a lock too, and
// call C functions that take the locks that they need.
unsafe impl Sync for Dentry {}

/// Makes the name that the dcache takes.
///
/// # Errors
///
/// `ENAMETOOLONG`: the length does not fit.
fn qstr(name: &[u8], hash: u32) -> Result<bindings::qstr> {
    Ok(bindings::qstr {
        __bindgen_anon_1: bindings::qstr__bindgen_ty_1 {
            __bindgen_anon_1: bindings::qstr__bindgen_ty_1__bindgen_ty_1 {
                hash,
                len: u32::try_from(name.len()).map_err(|_| ENAMETOOLONG)?,
            },
        },
        name: name.as_ptr(),
    })
}

impl Dentry {
    /// The wrapper of a C dentry.
    ///
    /// # Safety
    ///
    /// `dentry` must meet the type invariants for `'a`.
    pub(super) unsafe fn from_raw<'a>(dentry: *mut bindings::dentry) -> &'a Self {
        // SAFETY: The caller guarantees that the dentry is valid for `'a`, and the type is a
        // transparent wrapper.
        unsafe { &*dentry.cast() }
    }

    /// The C dentry.
    pub(super) fn as_ptr(&self) -> *mut bindings::dentry {
        self.0.get()
    }

    /// Takes a counted reference (`dget()`), which the caller owns.
    fn count(&self) -> NonNull<Self> {
        // SAFETY: By the type invariants the dentry has users, so that its count is not 0.
        unsafe { bindings::lockref_get(&raw mut (*self.as_ptr()).d_lockref) };
        self.into()
    }

    /// The inode, of whatever file system; `None` for a negative dentry.
    fn inode(&self) -> Option<NonNull<bindings::inode>> {
        // SAFETY: By the type invariants the dentry is valid. As in C, the field is read without a
        // lock.
        NonNull::new(unsafe { (&raw const (*self.as_ptr()).d_inode).read_volatile() })
    }

    /// The inode number; 0 for a negative dentry.
    pub(crate) fn ino(&self) -> u64 {
        // SAFETY: By the type invariants the dentry keeps the inode, whose number is constant.
        self.inode()
            .map_or(0, |inode| unsafe { (*inode.as_ptr()).i_ino })
    }

    /// The mode of the inode; 0 for a negative dentry.
    pub(crate) fn mode(&self) -> u16 {
        // SAFETY: By the type invariants the dentry keeps the inode. As in C, the field is read
        // without a lock.
        self.inode().map_or(0, |inode| unsafe {
            (&raw const (*inode.as_ptr()).i_mode).read_volatile()
        })
    }

    /// Whether it is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        u32::from(self.mode()) & bindings::S_IFMT == bindings::S_IFDIR
    }

    /// The type for `getdents64()`.
    pub(crate) fn dir_entry_type(&self) -> DirEntryType {
        if self.is_directory() {
            DirEntryType::Directory
        } else {
            DirEntryType::Regular
        }
    }

    /// Whether it is a regular file.
    pub(crate) fn is_regular(&self) -> bool {
        u32::from(self.mode()) & bindings::S_IFMT == bindings::S_IFREG
    }

    /// The name.
    pub(crate) fn name(&self) -> &[u8] {
        // SAFETY: By the type invariants the dentry is valid and `d_name` constant. `len` is the
        // length of the name.
        unsafe {
            let name = &raw const (*self.as_ptr()).__bindgen_anon_1.d_name;
            let len = (*name).__bindgen_anon_1.__bindgen_anon_1.len;
            core::slice::from_raw_parts((*name).name, len as usize)
        }
    }

    /// The parent. A root is its own parent.
    pub(crate) fn parent(&self) -> &Dentry {
        // SAFETY: By the type invariants `d_parent` is constant, and the dentry keeps its parent,
        // which is of the same super block.
        unsafe { Self::from_raw((*self.as_ptr()).d_parent) }
    }

    /// Whether it is the root of its file system.
    pub(crate) fn is_root(&self) -> bool {
        ptr::eq(self, self.parent())
    }

    /// The inode, if this is a dentry of that super block, and a positive one.
    pub(crate) fn inode_in<T: FileSystem>(&self, sb: &SuperBlock<T>) -> Option<&Inode<T>> {
        // SAFETY: By the type invariants the dentry is valid. `d_sb` is constant.
        if unsafe { (*self.as_ptr()).d_sb } != sb.as_ptr() {
            return None;
        }
        // SAFETY: The super block is one of `T`, whose dentries get their inodes from a `NewInode`,
        // so that it was published. By the type invariants the dentry keeps it.
        self.inode()
            .map(|inode| unsafe { Inode::from_raw(inode.as_ptr()) })
    }

    /// The data of the dentry, if it is one of that super block.
    pub(crate) fn data_in<T: FileSystem>(
        &self,
        sb: &SuperBlock<T>,
    ) -> Option<<T::Dentry as ForeignOwnable>::Borrowed<'_>> {
        self.inode_in(sb)?;
        // SAFETY: By the type invariants the dentry has users.
        let data = unsafe { data_of(self.as_ptr()) };
        // SAFETY: The dentry is one of `T`: it owns a `T::Dentry` if `d_fsdata` is not null, from
        // before it got its inode until its release, which waits for its users.
        (!data.is_null()).then(|| unsafe { T::Dentry::borrow(data) })
    }

    /// Looks a name up in a directory, without a check of permissions. May sleep; takes the
    /// `i_rwsem` of the directory for reading.
    ///
    /// # Errors
    ///
    /// `ENOENT`: the name does not exist. `ENOTDIR`: this is not a directory. Otherwise the error
    /// of the file system.
    pub(crate) fn lookup(&self, name: &[u8]) -> Result<ActiveDentry<'_>> {
        if !self.is_directory() {
            return Err(ENOTDIR);
        }
        let mut name = qstr(name, 0)?;
        // SAFETY: By the type invariants the dentry is valid, and as it is a directory, has
        // `lookup`. The name is valid for reads during the call.
        let child = from_err_ptr(unsafe {
            more_bindings::lookup_noperm_positive_unlocked(&raw mut name, self.as_ptr())
        })?;
        // SAFETY: The function has taken a counted reference for the caller. The child is of the
        // super block of `self`, which is not shut down while `self` is borrowed.
        Ok(unsafe { ActiveDentry::from_raw(child.cast()) })
    }

    /// Unhashes the dentry, drops the cached dentries below it, and unmounts what is mounted there,
    /// so that no path leads here. May sleep.
    pub(crate) fn invalidate(&self) {
        // SAFETY: By the type invariants the dentry has users.
        unsafe { bindings::d_invalidate(self.as_ptr()) };
    }

    /// Whether a path leads here: the dentry is hashed, and its file system revalidates it. May
    /// sleep.
    pub(crate) fn is_current(&self) -> bool {
        // SAFETY: By the type invariants the dentry has users, is not moved, and its super block is
        // not shut down.
        unsafe { revalidate_raw(self.as_ptr(), 0) == 1 }
    }
}

/// Dentries of one super block that are pinned together, with an active reference to that: a dentry
/// must not outlive its super block. Dropping it may sleep.
pub(crate) struct PinnedDentries {
    /// The dentries. Dropped before the active reference.
    dentries: KVVec<ActiveDentry<'static>>,
    /// The super block of all of them.
    sb: ActiveReference,
}

impl PinnedDentries {
    /// No dentries, of a super block.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the last mount of the super block is gone.
    pub(crate) fn new<T: FileSystem>(sb: &SuperBlock<T>) -> Result<Self> {
        Ok(Self {
            dentries: KVVec::new(),
            sb: ActiveReference::get(sb)?,
        })
    }

    /// Pins a dentry. May sleep.
    ///
    /// # Errors
    ///
    /// `EXDEV`: it is one of another super block. `ENOMEM`.
    pub(crate) fn push(&mut self, dentry: ActiveDentry<'_>) -> Result {
        // SAFETY: By the invariants of `Dentry` the dentry is valid. `d_sb` is constant.
        if unsafe { (*dentry.as_ptr()).d_sb } != self.sb.0.as_ptr() {
            return Err(EXDEV);
        }
        // SAFETY: The counted reference is that of `dentry`. `self` drops it before the active
        // reference, which keeps the super block from being shut down.
        let dentry = unsafe { ActiveDentry::from_raw(dentry.into_raw()) };
        // Accounted, since an open file of any user may own this.
        Ok(self.dentries.push(dentry, GFP_KERNEL_ACCOUNT)?)
    }

    /// The dentry that was pinned at an index.
    pub(crate) fn get(&self, index: usize) -> Option<&Dentry> {
        self.dentries.get(index).map(|dentry| &**dentry)
    }
}

/// An active reference to a super block.
///
/// # Invariants
///
/// It owns a reference of `s_active`, so that the super block is not shut down.
struct ActiveReference(NonNull<bindings::super_block>);

// SAFETY: The count is an atomic, and the last reference may be dropped on any thread.
unsafe impl Send for ActiveReference {}
// SAFETY: A shared reference gives no access to anything.
unsafe impl Sync for ActiveReference {}

impl ActiveReference {
    /// Takes a reference.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the last mount of the super block is gone.
    fn get<T: FileSystem>(sb: &SuperBlock<T>) -> Result<Self> {
        let sb = NonNull::new(sb.as_ptr()).ok_or(ENODEV)?;
        // SAFETY: The super block is valid while it is borrowed. `s_active` is an atomic of C code.
        let active = unsafe { Atomic::<i32>::from_ptr(&raw mut (*sb.as_ptr()).s_active.counter) };
        // `atomic_inc_not_zero()`.
        let mut count = active.load(Relaxed);
        while count != 0 {
            match active.cmpxchg(count, count + 1, Relaxed) {
                // INVARIANT: The reference was taken just now.
                Ok(_) => return Ok(Self(sb)),
                Err(now) => count = now,
            }
        }
        Err(ENODEV)
    }
}

impl Drop for ActiveReference {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the reference is owned, and it is given up here.
        unsafe { bindings::deactivate_super(self.0.as_ptr()) };
    }
}

/// A reference to a dentry of a super block that something else, such as an
/// [`ActiveSuper`](super::super_block::ActiveSuper), keeps from being shut down until `'a` ends.
/// Dropping it may sleep.
///
/// # Invariants
///
/// It owns a counted reference to a dentry that meets the invariants of [`Dentry`] until `'a` ends.
pub(crate) struct ActiveDentry<'a> {
    /// The dentry.
    dentry: NonNull<Dentry>,
    /// `'a` ends before the super block may be shut down.
    _active: PhantomData<&'a ()>,
}

// SAFETY: References may be put on any thread, and `Dentry` is `Sync`.
unsafe impl Send for ActiveDentry<'_> {}
// SAFETY: A shared reference gives shared and counted references to the dentry, which is `Sync`.
unsafe impl Sync for ActiveDentry<'_> {}

impl ActiveDentry<'_> {
    /// Takes over a counted reference.
    ///
    /// # Safety
    ///
    /// The caller must own the reference and hand it over. The dentry must meet the invariants of
    /// [`Dentry`] until the lifetime of the result ends.
    pub(super) unsafe fn from_raw(dentry: NonNull<Dentry>) -> Self {
        // INVARIANT: The caller guarantees both.
        Self {
            dentry,
            _active: PhantomData,
        }
    }

    /// Gives the counted reference to the caller.
    pub(super) fn into_raw(self) -> NonNull<Dentry> {
        ManuallyDrop::new(self).dentry
    }

    /// The child with this name, if a dentry of it is in the dcache. Does not sleep.
    pub(crate) fn cached_child(&self, name: &[u8]) -> Option<Self> {
        let mut name = qstr(name, 0).ok()?;
        // SAFETY: The name is valid for reads, and as long as `len` says. By the invariants of
        // `Dentry` the file system does not hash names by itself. The dentry is valid.
        let child = unsafe {
            let key = &raw mut name.__bindgen_anon_1.__bindgen_anon_1;
            (*key).hash =
                bindings::full_name_hash(self.as_ptr().cast(), name.name.cast(), (*key).len);
            bindings::d_lookup(self.as_ptr(), &raw const name)
        };
        let child = NonNull::new(child.cast())?;
        // SAFETY: `d_lookup()` has taken a counted reference for the caller. The child is of the
        // same super block as `self`.
        Some(unsafe { Self::from_raw(child) })
    }
}

impl<'a> From<&'a Dentry> for ActiveDentry<'a> {
    fn from(dentry: &'a Dentry) -> Self {
        // SAFETY: The counted reference was taken just now. As `dentry` is borrowed for `'a`, it
        // meets the invariants of `Dentry` until `'a` ends.
        unsafe { Self::from_raw(dentry.count()) }
    }
}

impl Clone for ActiveDentry<'_> {
    fn clone(&self) -> Self {
        // SAFETY: The counted reference was taken just now. The result has the lifetime of `self`,
        // until whose end the dentry meets the invariants of `Dentry`.
        unsafe { Self::from_raw(self.count()) }
    }
}

impl Deref for ActiveDentry<'_> {
    type Target = Dentry;

    fn deref(&self) -> &Dentry {
        // SAFETY: By the type invariant the dentry has users, and its super block is not shut down
        // before the lifetime ends.
        unsafe { self.dentry.as_ref() }
    }
}

impl Drop for ActiveDentry<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the counted reference is owned, and it is given up here.
        // The lifetime has not ended, so that the super block is not shut down yet.
        unsafe { bindings::dput(self.as_ptr()) };
    }
}

/// Whether a path leads to a dentry: 1, 0, or an error of the file system.
///
/// # Safety
///
/// Either the dentry meets the invariants of [`Dentry`], or it has met them at some time in the RCU
/// read-side critical section of the caller, and `flags` has `LOOKUP_RCU`.
unsafe fn revalidate_raw(dentry: *mut bindings::dentry, flags: c_uint) -> c_int {
    // SAFETY: Dentries and inodes are freed an RCU grace period after their last user. A dentry
    // puts its parent when it has no users left itself. So the caller guarantees that the dentry,
    // its parent, which is constant, and the inodes of both are in memory. The call is as the VFS
    // makes it in the mode that `flags` has.
    unsafe {
        let parent = (*dentry).d_parent;
        if ptr::eq(parent, dentry) {
            // A root is not hashed, and does not vanish.
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

/// The answer for a dentry that is being killed: an RCU path walk has to start again.
fn gone(flags: c_uint) -> c_int {
    if flags & more_bindings::EVENTFS_LOOKUP_RCU != 0 {
        -(bindings::ECHILD as c_int)
    } else {
        0
    }
}

/// `d_fsdata` of a dentry of `T`: null if no look-up has answered the dentry with an inode.
///
/// # Safety
///
/// The dentry must have users, or have been hashed or had users at some time in the RCU read-side
/// critical section of the caller.
unsafe fn data_of(dentry: *mut bindings::dentry) -> *mut c_void {
    // SAFETY: A dentry is freed an RCU grace period after it was unhashed and lost its last user,
    // so that the caller guarantees that the dentry is in memory.
    unsafe { (&raw const (*dentry).d_fsdata).read_volatile() }
}

/// A dentry that a look-up has to answer.
///
/// Dropping it leaves the dentry unhashed and negative. The path walk then reports that the name
/// does not exist. Nothing remembers that, so that the next look-up finds a name that was added
/// meanwhile (L8).
///
/// # Invariants
///
/// During `'a`, the dentry is one of `T` that meets the invariants of [`Dentry`]. It is unhashed
/// and negative, `d_fsdata` is null, and only this changes that.
pub(crate) struct UnhashedDentry<'a, T: FileSystem> {
    /// The dentry that the VFS has allocated for the name.
    dentry: *mut bindings::dentry,
    /// `'a` is the call of `lookup`.
    _call: PhantomData<&'a ()>,
    /// The file system of the dentry.
    _fs: PhantomData<T>,
}

impl<'a, T: FileSystem> UnhashedDentry<'a, T> {
    /// The name that is looked up.
    pub(crate) fn name(&self) -> &[u8] {
        // SAFETY: By the type invariants the dentry meets those of `Dentry` during `'a`, which
        // `self` does not outlive.
        unsafe { Dentry::from_raw(self.dentry) }.name()
    }

    /// Answers with an inode, and hashes the dentry: from now on, paths lead there. The dentry owns
    /// `data` until it is released. May sleep.
    ///
    /// # Errors
    ///
    /// `EXDEV`: the inode is one of another super block.
    pub(crate) fn splice(self, inode: NewInode<'_, T>, data: T::Dentry) -> Result<Spliced<'a, T>> {
        // SAFETY: By the type invariants the dentry is valid. `d_sb` is constant.
        if unsafe { (*self.dentry).d_sb } != inode.inode().super_block().as_ptr() {
            return Err(EXDEV);
        }
        // SAFETY: By the type invariants `d_fsdata` is free, and nothing reads it before the dentry
        // is hashed.
        unsafe { (*self.dentry).d_fsdata = data.into_foreign() };
        // SAFETY: By the type invariants the dentry is unhashed and negative. The function takes
        // over the reference to the inode, also when it fails.
        let alias = unsafe { bindings::d_splice_alias(inode.into_raw(), self.dentry) };
        // A new inode has no other dentry, which would be returned here.
        kernel::error::from_err_ptr(alias)?;
        // INVARIANT: The look-up goes on, and the dentry got its inode just now.
        Ok(Spliced {
            dentry: self.dentry,
            _call: PhantomData,
            _fs: PhantomData,
        })
    }
}

/// A dentry that the running look-up has answered with an inode.
///
/// # Invariants
///
/// During `'a`, the dentry is a positive one of `T` that meets the invariants of [`Dentry`].
pub(crate) struct Spliced<'a, T: FileSystem> {
    /// The dentry.
    dentry: *mut bindings::dentry,
    /// `'a` is the call of `lookup`.
    _call: PhantomData<&'a ()>,
    /// The file system of the dentry.
    _fs: PhantomData<T>,
}

impl<T: FileSystem> Spliced<'_, T> {
    /// Takes the answer back: invalidates the dentry, so that no path leads there (L7). May sleep.
    ///
    /// Another thread may have mounted something there meanwhile. A removal that finds the dentry
    /// unhashed leaves the mount to this function.
    pub(crate) fn undo(self) {
        // SAFETY: By the type invariant the dentry has users. `d_invalidate()` may be called with
        // the `i_rwsem` of the directory held: `__lookup_slow()` does.
        unsafe { bindings::d_invalidate(self.dentry) };
    }
}

/// Looks up a name in a directory. Returns null if `dentry` has the answer.
///
/// # Safety
///
/// The VFS calls this for a directory inode of `T`, and for a dentry that it has allocated for a
/// name in it, with the `i_rwsem` of the directory held.
pub(super) unsafe extern "C" fn lookup<T: FileSystem>(
    dir: *mut bindings::inode,
    dentry: *mut bindings::dentry,
    flags: c_uint,
) -> *mut bindings::dentry {
    // SAFETY: A path walk uses a directory while it looks into it. An inode with a dentry was
    // published.
    let dir = unsafe { Inode::<T>::from_raw(dir) };
    // INVARIANT: The VFS keeps a new dentry, and its super block, for the look-up. It leaves the
    // dentry to the file system.
    let unhashed = UnhashedDentry {
        dentry,
        _call: PhantomData,
        _fs: PhantomData,
    };
    match T::lookup(dir, unhashed) {
        Ok(()) => ptr::null_mut(),
        // The path walk would return the error to user space (`retry_estale()`).
        Err(error) if error == ESTALE && flags & more_bindings::EVENTFS_LOOKUP_REVAL != 0 => {
            ENOENT.to_ptr()
        }
        Err(error) => error.to_ptr(),
    }
}

/// C functions for the dentries of `T`.
pub(super) struct VTable<T: FileSystem>(PhantomData<T>);

impl<T: FileSystem> VTable<T> {
    /// The `d_op` of each dentry of `T`.
    pub(super) const OPS: bindings::dentry_operations = bindings::dentry_operations {
        d_revalidate: Some(Self::revalidate),
        d_release: Some(Self::release),
        ..pin_init::zeroed()
    };

    /// Whether a cached dentry, and the lower dentry that it stands for, are valid.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a hashed dentry of `T`. Either the dentry has users, or `flags` has
    /// `LOOKUP_RCU`, and the caller has found the dentry in its RCU read-side critical section.
    unsafe extern "C" fn revalidate(
        _dir: *mut bindings::inode,
        _name: *const bindings::qstr,
        dentry: *mut bindings::dentry,
        flags: c_uint,
    ) -> c_int {
        // SAFETY: The caller guarantees that the dentry has users, or that it was hashed in its RCU
        // read-side critical section.
        let data = unsafe { data_of(dentry) };
        // SAFETY: `d_fsdata` owns a `T::Dentry` until the release of the dentry, which comes after
        // its last user and after its unhashing. So an RCU read-side critical section that has
        // found the dentry hashed began before the release.
        if data.is_null() || T::is_stale(unsafe { T::Dentry::rcu_borrow(data) }) {
            return 0;
        }
        // SAFETY: The dentry is in memory: it has users, or the caller has found it under RCU.
        let inode = unsafe { (&raw const (*dentry).d_inode).read_volatile() };
        if inode.is_null() {
            return gone(flags);
        }
        // SAFETY: The dentry has the inode, or had it at some time in the RCU read-side critical
        // section of the caller: it was read there just now.
        let lower = unsafe { super::inode::lower_under_rcu::<T>(inode) };
        if lower.is_null() {
            return 1;
        }
        // SAFETY: The inode keeps the lower dentry until its eviction. Either the dentry has users,
        // so that the inode is not evicted, or the eviction did not begin before the RCU read-side
        // critical section of the caller, since the dentry had the inode in that section.
        unsafe { revalidate_raw(lower, flags) }
    }

    /// Drops the data of a dentry.
    ///
    /// # Safety
    ///
    /// The VFS calls this once for a dentry of `T` that is unhashed and has no users.
    unsafe extern "C" fn release(dentry: *mut bindings::dentry) {
        // SAFETY: The dentry is in memory, and nothing changes it.
        let data = unsafe { (*dentry).d_fsdata };
        if !data.is_null() {
            // The pointer stays, for RCU path walks.
            // SAFETY: `d_fsdata` owns the `T::Dentry`, and gives it up here, in the only call.
            drop(unsafe { T::Dentry::from_foreign(data) });
        }
    }
}
