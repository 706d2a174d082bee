// SPDX-License-Identifier: GPL-2.0

//! Inodes.
//!
//! A [`NewInode`] has no dentry: no path leads to it. A look-up, or the mount, gives it one. From
//! then on it is an [`Inode`], which is borrowed only. A [`SetAttr`] is a change of attributes
//! during its call, with the inode locked.
//!
//! An inode is embedded in an [`InodeCell`], which owns the data of the file system and the lower
//! dentry from the creation of the inode to its eviction.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h) (`struct inode`,
//! `struct inode_operations`, `struct iattr`).

use super::{
    bindings as more_bindings,
    dentry,
    dir::DirVTable,
    from_err_ptr,
    lower::{
        LowerDentry,
        LowerRef, //
    },
    FileSystem,
    FileVTable,
    SuperBlock,
    PERMISSIONS, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    bindings,
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    types::Opaque, //
};

/// The allocation of an inode.
///
/// # Invariants
///
/// - `published` is true from the end of [`NewInode::new`] until the eviction. Meanwhile `private`
///   is `Some`, and nothing changes it.
/// - `lower` is null, or came from [`LowerRef::into_raw`] and is owned by the inode until its
///   eviction. The pointer stays after that, for RCU path walks: dentries are freed by RCU.
#[repr(C)]
pub(super) struct InodeCell<T: FileSystem> {
    /// The inode of the VFS. It is constructed once for all uses of the memory.
    vfs: Opaque<bindings::inode>,
    /// The lower dentry that the inode stands for; null if there is none.
    lower: Atomic<*mut LowerDentry>,
    /// Whether the inode is complete, and not evicted. An inode in the list of the super block need
    /// not be.
    published: Atomic<bool>,
    /// The number of the task whose open has last found the lower file removed; 0 if none has.
    stale_for: Atomic<i32>,
    /// The data of the file system.
    private: UnsafeCell<Option<T::Inode>>,
}

impl<T: FileSystem> InodeCell<T> {
    /// The cell that a C inode is embedded in.
    ///
    /// # Safety
    ///
    /// `inode` must be one that [`alloc`] has allocated for `T`, in memory for `'a`.
    unsafe fn from_vfs<'a>(inode: *mut bindings::inode) -> &'a Self {
        let field = Opaque::cast_from(inode);
        // SAFETY: The caller guarantees that the inode is in memory for `'a`, and `alloc` allocates
        // inodes in cells, all fields of which it initialises.
        unsafe { &*kernel::container_of!(field, Self, vfs) }
    }
}

/// The slab cache of inodes.
///
/// # Invariants
///
/// `cache` is a slab cache that this owns, whose objects are `InodeCell<T>`s.
pub(super) struct InodeCache<T: FileSystem> {
    /// The slab cache.
    cache: NonNull<bindings::kmem_cache>,
    /// The file system of the inodes.
    _fs: PhantomData<T>,
}

// SAFETY: A slab cache does not belong to a thread.
unsafe impl<T: FileSystem> Send for InodeCache<T> {}
// SAFETY: The allocator serialises the uses of a slab cache.
unsafe impl<T: FileSystem> Sync for InodeCache<T> {}

impl<T: FileSystem> InodeCache<T> {
    /// Creates the cache. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Safety
    ///
    /// The caller must not drop the cache before all super blocks of `T` are gone.
    pub(super) unsafe fn new() -> Result<Self> {
        let mut args = bindings::kmem_cache_args {
            align: align_of::<InodeCell<T>>() as c_uint,
            ctor: Some(Self::construct),
            ..pin_init::zeroed()
        };
        // SAFETY: The name is a constant, and `args` is valid for the call. `construct` is for
        // objects of this size and alignment.
        let cache = unsafe {
            bindings::__kmem_cache_create_args(
                T::INODE_CACHE.as_char_ptr(),
                size_of::<InodeCell<T>>() as c_uint,
                &raw mut args,
                more_bindings::EVENTFS_SLAB_FLAGS,
            )
        };
        // INVARIANT: The cache was created just now, for objects of this size and alignment.
        Ok(Self {
            cache: NonNull::new(cache).ok_or(ENOMEM)?,
            _fs: PhantomData,
        })
    }

    /// Initialises the part of an object that stays initialised from one use to the next.
    ///
    /// # Safety
    ///
    /// The allocator calls this for an object of a cache of `T`, before its first use.
    unsafe extern "C" fn construct(object: *mut c_void) {
        // SAFETY: The object has the size and the alignment of a cell, and is not used yet. `alloc`
        // initialises the other fields, for each use (L12).
        unsafe {
            bindings::inode_init_once(Opaque::cast_into(
                &raw const (*object.cast::<InodeCell<T>>()).vfs,
            ))
        };
    }
}

impl<T: FileSystem> Drop for InodeCache<T> {
    fn drop(&mut self) {
        // An RCU callback frees an inode after its eviction (L13).
        // SAFETY: The function may be called wherever sleeping is allowed. This is the unload of a
        // module, or the error path of its load.
        unsafe { bindings::rcu_barrier() };
        // SAFETY: By the type invariant `self` owns the cache. The caller of `new` has guaranteed
        // that there are no super blocks, so all inodes were evicted, and by now they are freed.
        unsafe { bindings::kmem_cache_destroy(self.cache.as_ptr()) };
    }
}

/// Allocates an inode for a super block.
///
/// # Safety
///
/// The VFS calls this for a super block of `T` that is not shut down.
pub(super) unsafe extern "C" fn alloc<T: FileSystem>(
    sb: *mut bindings::super_block,
) -> *mut bindings::inode {
    // SAFETY: The caller guarantees that this is a super block of `T`, which stays for the call.
    let cache = unsafe { SuperBlock::<T>::from_raw(sb) }
        .registration()
        .cache();
    // SAFETY: By the type invariant of `InodeCache` the cache is valid. The LRU list is that of a
    // super block that is not shut down.
    let cell = unsafe {
        bindings::kmem_cache_alloc_lru_noprof(
            cache.cache.as_ptr(),
            &raw mut (*sb).s_inode_lru,
            bindings::GFP_KERNEL,
        )
    }
    .cast::<InodeCell<T>>();
    if cell.is_null() {
        return ptr::null_mut();
    }
    // INVARIANT: The inode is not published, and has no lower dentry.
    // SAFETY: The memory is that of a cell, and was allocated just now. The remains of a former use
    // are not read (L12): the fields are written, not assigned.
    unsafe {
        (&raw mut (*cell).lower).write(Atomic::new(ptr::null_mut()));
        (&raw mut (*cell).published).write(Atomic::new(false));
        (&raw mut (*cell).stale_for).write(Atomic::new(0));
        (&raw mut (*cell).private).write(UnsafeCell::new(None));
        Opaque::cast_into(&raw const (*cell).vfs)
    }
}

/// Evicts an inode: drops everything that it owns.
///
/// # Safety
///
/// The VFS calls this once for an inode of `T` that has no users and is in no list.
pub(super) unsafe extern "C" fn evict<T: FileSystem>(inode: *mut bindings::inode) {
    // SAFETY: The inode is valid, and an eviction has to make these two calls.
    unsafe {
        bindings::truncate_inode_pages_final(&raw mut (*inode).i_data);
        bindings::clear_inode(inode);
    }
    // SAFETY: The inode is one of `T`. Its memory is freed after this call.
    let cell = unsafe { InodeCell::<T>::from_vfs(inode) };
    // INVARIANT: `private` changes after this.
    cell.published.store(false, Release);
    // SAFETY: The inode has no users, and is in no list in which one could be found. RCU path
    // walks, which may still come across the inode, do not use `private`.
    drop(unsafe { (*cell.private.get()).take() });
    if let Some(lower) = NonNull::new(cell.lower.load(Acquire)) {
        // SAFETY: By the type invariant the inode owns this reference, and gives it up here, in the
        // only call.
        drop(unsafe { LowerRef::from_raw(lower) });
    }
}

/// Frees the memory of an inode.
///
/// # Safety
///
/// The VFS calls this as the last use of an inode of `T`: an RCU grace period after [`evict`], or
/// for an inode that could not be initialised.
pub(super) unsafe extern "C" fn free<T: FileSystem>(inode: *mut bindings::inode) {
    // SAFETY: The inode is one of `T`, and in memory.
    let cell = ptr::from_ref(unsafe { InodeCell::<T>::from_vfs(inode) });
    // The super block, which leads to the cache, may be gone. `kfree()` finds the cache by the
    // address.
    // SAFETY: The memory came from a slab cache, and nothing uses it any longer. `evict` has
    // dropped what the cell owned; a cell that was not published owns nothing.
    unsafe { bindings::kfree(cell.cast()) };
}

/// The lower dentry of an inode; null if there is none.
///
/// # Safety
///
/// `inode` must be an inode of `T` that a dentry has, or that a dentry had at some time in the RCU
/// read-side critical section of the caller.
pub(super) unsafe fn lower_under_rcu<T: FileSystem>(
    inode: *mut bindings::inode,
) -> *mut bindings::dentry {
    // SAFETY: Inodes are freed an RCU grace period after they have left their dentry, so that the
    // caller guarantees that the inode is in memory.
    unsafe { InodeCell::<T>::from_vfs(inode) }
        .lower
        .load(Acquire)
        .cast()
}

/// An inode that was published.
///
/// # Invariants
///
/// While there is a reference, the inode is embedded in an [`InodeCell`] that is `published`, and
/// is not evicted. Its super block is one of `T`, and is not shut down.
#[repr(transparent)]
pub(crate) struct Inode<T: FileSystem>(Opaque<bindings::inode>, PhantomData<T>);

// SAFETY: The methods read fields that are constant while an inode is published, and fields that C
// code, too, reads and writes without a lock. The data is `Sync`.
unsafe impl<T: FileSystem> Sync for Inode<T> {}

impl<T: FileSystem> Inode<T> {
    /// The wrapper of a C inode.
    ///
    /// # Safety
    ///
    /// `inode` must be a published inode of `T` that has users for `'a`.
    pub(crate) unsafe fn from_raw<'a>(inode: *mut bindings::inode) -> &'a Self {
        // SAFETY: The caller guarantees the type invariants: an inode with users is not evicted,
        // and its super block is not shut down. The type is a transparent wrapper.
        unsafe { &*inode.cast() }
    }

    /// The inode, if it is complete.
    ///
    /// # Safety
    ///
    /// `inode` must be one of `T` whose eviction does not begin during `'a`.
    pub(super) unsafe fn published<'a>(inode: *mut bindings::inode) -> Option<&'a Self> {
        // SAFETY: The caller guarantees that the inode is one of `T`, and in memory.
        let cell = unsafe { InodeCell::<T>::from_vfs(inode) };
        // SAFETY: The inode is published, and the caller guarantees that it is not evicted during
        // `'a`, so that its super block is not shut down either.
        cell.published
            .load(Acquire)
            .then(|| unsafe { Self::from_raw(inode) })
    }

    /// The C inode.
    pub(crate) fn as_ptr(&self) -> *mut bindings::inode {
        self.0.get()
    }

    /// The cell that the inode is embedded in.
    fn cell(&self) -> &InodeCell<T> {
        // SAFETY: By the type invariant the inode is one of `T`, and in memory.
        unsafe { InodeCell::from_vfs(self.as_ptr()) }
    }

    /// The super block.
    pub(crate) fn super_block(&self) -> &SuperBlock<T> {
        // SAFETY: By the type invariant the super block is one of `T`, and is not shut down while
        // the inode is borrowed. `i_sb` is constant.
        unsafe { SuperBlock::from_raw((*self.as_ptr()).i_sb) }
    }

    /// The data of the file system.
    pub(crate) fn private(&self) -> Option<&T::Inode> {
        // SAFETY: By the type invariant the inode stays published while it is borrowed, and by that
        // of `InodeCell` nothing changes the data of a published inode.
        unsafe { (*self.cell().private.get()).as_ref() }
    }

    /// The error of an open that has found the lower file removed: `ESTALE` for the first open of a
    /// task, `ENODEV` for the next.
    ///
    /// On `ESTALE` the VFS walks the path again. If the name led here only until the removal, it
    /// does not exist then. If the walk ends here again, it began at a bind mount or at a
    /// descriptor.
    pub(super) fn stale_error(&self) -> Error {
        // SAFETY: The current task is valid, and its number is constant.
        let task = unsafe { (*bindings::get_current()).pid };
        let stale_for = &self.cell().stale_for;
        if stale_for.load(Relaxed) == task {
            return ENODEV;
        }
        stale_for.store(task, Relaxed);
        ESTALE
    }

    /// The lower dentry that the inode stands for.
    pub(crate) fn lower(&self) -> Option<&LowerDentry> {
        // SAFETY: By the type invariant the inode is not evicted while it is borrowed, and by that
        // of `InodeCell` it owns a reference to the dentry until then.
        unsafe { self.cell().lower.load(Acquire).as_ref() }
    }

    /// Whether the inode has a dentry at this moment.
    pub(crate) fn has_dentry(&self) -> bool {
        // SAFETY: By the type invariant the inode is valid. The field is read without a lock, and
        // the dentry is not used.
        unsafe {
            !(&raw const (*self.as_ptr()).__bindgen_anon_2.i_dentry.first)
                .read_volatile()
                .is_null()
        }
    }

    /// Whether it is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        u32::from(self.mode()) & bindings::S_IFMT == bindings::S_IFDIR
    }

    /// The mode: type and permissions.
    pub(crate) fn mode(&self) -> u16 {
        // SAFETY: By the type invariant the inode is valid. As in C, the field is read without a
        // lock.
        unsafe { (&raw const (*self.as_ptr()).i_mode).read_volatile() }
    }

    /// The owner and the group, as the initial user namespace numbers them.
    pub(crate) fn owner(&self) -> (u32, u32) {
        // SAFETY: By the type invariant the inode is valid. As in C, the fields are read without a
        // lock.
        unsafe {
            (
                (&raw const (*self.as_ptr()).i_uid).read_volatile().val,
                (&raw const (*self.as_ptr()).i_gid).read_volatile().val,
            )
        }
    }

    /// Sets the permission bits, the owner and the group. Path walks read them at any time.
    ///
    /// Of two changes at the same time either may win, for each field.
    pub(crate) fn set_mode_and_owner(&self, mode: u16, uid: u32, gid: u32) {
        // The type of the file is constant, so that no change of it can be lost here.
        let mode = self.mode() & !PERMISSIONS | mode & PERMISSIONS;
        // SAFETY: By the type invariant the inode is valid. As in C, the fields are read without a
        // lock, and each value of them is valid.
        unsafe {
            (&raw mut (*self.as_ptr()).i_mode).write_volatile(mode);
            (&raw mut (*self.as_ptr()).i_uid).write_volatile(bindings::kuid_t { val: uid });
            (&raw mut (*self.as_ptr()).i_gid).write_volatile(bindings::kgid_t { val: gid });
        }
    }
}

/// The type of an inode, with the operations of its open files.
pub(crate) enum InodeKind<T: FileSystem> {
    /// A directory.
    Directory(DirVTable<T>),
    /// A regular file.
    Regular(FileVTable<T>),
}

/// The initial state of an inode. Its link count is 1, and all of its times are the current one.
pub(crate) struct InodeInit<T: FileSystem> {
    /// The type.
    pub(crate) kind: InodeKind<T>,
    /// The inode number.
    pub(crate) ino: u64,
    /// The permissions.
    pub(crate) mode: u16,
    /// The owner and the group.
    pub(crate) owner: (u32, u32),
    /// The lower dentry that the inode stands for.
    pub(crate) lower: Option<LowerRef>,
    /// The data of the file system.
    pub(crate) private: T::Inode,
}

/// An inode that has no dentry: no path leads to it.
///
/// # Invariants
///
/// It owns a reference to a published inode of `T` that has no dentry. The super block of the inode
/// is not shut down before `'a` ends.
pub(crate) struct NewInode<'a, T: FileSystem> {
    /// The inode, with the reference of `new_inode()`.
    inode: NonNull<bindings::inode>,
    /// The file system of the inode. `'a` ends before the super block may be shut down.
    _sb: PhantomData<&'a SuperBlock<T>>,
}

impl<'a, T: FileSystem> NewInode<'a, T> {
    /// Makes an inode. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new<S>(sb: &'a SuperBlock<T, S>, init: InodeInit<T>) -> Result<Self> {
        // SAFETY: By the type invariants of `SuperBlock` it is valid, and not shut down.
        let inode =
            from_err_ptr(unsafe { bindings::new_inode(sb.as_ptr()) }).map_err(|_| ENOMEM)?;
        let raw = inode.as_ptr();
        // SAFETY: The inode is new. It is in the list of its super block, whose readers leave it
        // alone before it is published. The operations are for inodes of `T` of this type.
        unsafe {
            bindings::simple_inode_init_ts(raw);
            (*raw).i_ino = init.ino;
            let kind = match init.kind {
                InodeKind::Directory(fops) => {
                    (*raw).i_op = const { &VTable::<T>::DIRECTORY };
                    (*raw).__bindgen_anon_3.i_fop = fops.as_ptr();
                    bindings::S_IFDIR
                }
                InodeKind::Regular(fops) => {
                    (*raw).i_op = const { &VTable::<T>::FILE };
                    (*raw).__bindgen_anon_3.i_fop = fops.as_ptr();
                    bindings::S_IFREG
                }
            };
            // CAST: File types fit into a mode.
            (*raw).i_mode = kind as u16 | init.mode & PERMISSIONS;
            (*raw).i_uid.val = init.owner.0;
            (*raw).i_gid.val = init.owner.1;
            bindings::set_nlink(raw, 1);
        }
        // SAFETY: `new_inode()` has called `alloc`, as the super block is one of `T`.
        let cell = unsafe { InodeCell::<T>::from_vfs(raw) };
        if let Some(lower) = init.lower {
            // INVARIANT: The inode owns the reference from here on.
            cell.lower.store(lower.into_raw().as_ptr(), Release);
        }
        // SAFETY: The data of an inode that is not published is not used.
        unsafe { *cell.private.get() = Some(init.private) };
        // INVARIANT: `private` was set just now.
        cell.published.store(true, Release);
        // INVARIANT: The reference is that of `new_inode()`. The super block is borrowed for `'a`.
        Ok(Self {
            inode,
            _sb: PhantomData,
        })
    }

    /// The inode.
    pub(crate) fn inode(&self) -> &Inode<T> {
        // SAFETY: By the type invariant the inode was published, and `self` is its user.
        unsafe { Inode::from_raw(self.inode.as_ptr()) }
    }

    /// Gives the reference to the caller.
    pub(super) fn into_raw(self) -> *mut bindings::inode {
        ManuallyDrop::new(self).inode.as_ptr()
    }
}

impl<T: FileSystem> Drop for NewInode<'_, T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant `self` owns a reference, and it is given up here. The super
        // block is not shut down yet.
        unsafe { bindings::iput(self.inode.as_ptr()) };
    }
}

/// A change of attributes: `chmod()`, `chown()`, `truncate()`, `utimes()`.
///
/// # Invariants
///
/// During `'a` the pointers are valid, and nothing else uses `attr`. The dentry has an inode, whose
/// `i_rwsem` the task holds for writing. The type is not `Send`, so that the holder is this task.
pub(crate) struct SetAttr<'a> {
    /// The mapping of owners of the mount.
    idmap: *mut bindings::mnt_idmap,
    /// The dentry that the caller has named.
    dentry: *mut bindings::dentry,
    /// The attributes to change, with their values. [`SetAttr::check`] may adjust them.
    attr: *mut bindings::iattr,
    /// `'a` is the call of `setattr`.
    _call: PhantomData<&'a ()>,
}

impl SetAttr<'_> {
    /// Whether the change includes an attribute (`ATTR_*`).
    fn has(&self, bit: u32) -> bool {
        // SAFETY: By the type invariant `attr` is valid, and only this task uses it.
        unsafe { (*self.attr).ia_valid & bit != 0 }
    }

    /// Whether the permission bits change.
    pub(crate) fn mode(&self) -> bool {
        self.has(bindings::ATTR_MODE)
    }

    /// Whether the owner changes.
    pub(crate) fn uid(&self) -> bool {
        self.has(bindings::ATTR_UID)
    }

    /// Whether the group changes.
    pub(crate) fn gid(&self) -> bool {
        self.has(bindings::ATTR_GID)
    }

    /// Checks the permission of the caller: the owner and root have it. May sleep.
    ///
    /// # Errors
    ///
    /// `EPERM`: the caller lacks it. Otherwise the error of `setattr_prepare()`.
    pub(crate) fn check(&self) -> Result {
        // SAFETY: By the type invariant the pointers are valid, and the inode is locked.
        to_result(unsafe { bindings::setattr_prepare(self.idmap, self.dentry, self.attr) })
    }

    /// Changes the size of the inode, if the change includes it. May sleep.
    pub(crate) fn resize(&self) {
        if self.has(bindings::ATTR_SIZE) {
            // SAFETY: By the type invariant the pointers are valid, and the inode is locked.
            unsafe { bindings::truncate_setsize((*self.dentry).d_inode, (*self.attr).ia_size) };
        }
    }

    /// Changes the other attributes of the inode. Does not sleep.
    pub(crate) fn apply(&self) {
        // SAFETY: By the type invariant the pointers are valid, and the inode is locked.
        unsafe { bindings::setattr_copy(self.idmap, (*self.dentry).d_inode, self.attr) };
    }
}

/// C functions for the inodes of `T`.
struct VTable<T: FileSystem>(PhantomData<T>);

impl<T: FileSystem> VTable<T> {
    /// The `i_op` of a directory. The VFS refuses to create, to remove and to rename, for want of
    /// the operations.
    const DIRECTORY: bindings::inode_operations = bindings::inode_operations {
        lookup: Some(dentry::lookup::<T>),
        setattr: Some(Self::setattr),
        ..pin_init::zeroed()
    };

    /// The `i_op` of a regular file.
    const FILE: bindings::inode_operations = bindings::inode_operations {
        setattr: Some(Self::setattr),
        ..pin_init::zeroed()
    };

    /// Changes the attributes of an inode.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a dentry of `T` that has users and an inode, whose `i_rwsem` is held
    /// for writing.
    unsafe extern "C" fn setattr(
        idmap: *mut bindings::mnt_idmap,
        dentry: *mut bindings::dentry,
        attr: *mut bindings::iattr,
    ) -> c_int {
        // INVARIANT: The pointers are those of a call of the VFS, and the lock is held.
        let change = SetAttr {
            idmap,
            dentry,
            attr,
            _call: PhantomData,
        };
        // SAFETY: The dentry keeps its inode, which was published before the dentry got it.
        let inode = unsafe { Inode::<T>::from_raw((*dentry).d_inode) };
        from_result(|| T::set_attributes(inode, change).map(|()| 0))
    }
}
