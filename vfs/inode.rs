// SPDX-License-Identifier: GPL-2.0

//! Inodes.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h) (`struct inode`,
//! `struct inode_operations`).

use super::{
    bindings as more_bindings,
    dentry,
    dir,
    foreign::ForeignData,
    from_err_ptr,
    lower::{
        LowerDentry,
        LowerRef, //
    },
    DirOperations,
    FileSystem,
    FileVTable,
    SuperBlock,
    PERMISSIONS, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
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
        Release, //
    },
    types::Opaque, //
};

/// What is allocated for each inode.
///
/// # Invariants
///
/// - `published` is true from the end of [`NewInode::new`] on, when `private` holds a value, until
///   the inode is evicted.
/// - `lower` is null or a dentry that the inode owns a reference of until it is evicted. The
///   pointer is not changed then: RCU path walks may still use it (dentries are freed by RCU).
#[repr(C)]
pub(super) struct InodeCell<T: FileSystem> {
    /// What the VFS knows of the inode. It is constructed once for all uses of the memory.
    vfs: Opaque<bindings::inode>,
    /// The dentry of another file system that the inode stands for, null if there is none.
    lower: Atomic<*mut LowerDentry>,
    /// Whether the inode is whole: what is found in the list of inodes need not be.
    published: Atomic<bool>,
    /// What the file system stores with the inode. Written before it is published and when it is
    /// evicted, while nobody else looks; read in between.
    private: UnsafeCell<Option<T::Inode>>,
}

impl<T: FileSystem> InodeCell<T> {
    /// The cell that a C inode is part of.
    ///
    /// # Safety
    ///
    /// `inode` must be one of `T`, in memory for `'a`.
    unsafe fn from_vfs<'a>(inode: *mut bindings::inode) -> &'a Self {
        let field = Opaque::cast_from(inode);
        // SAFETY: Inodes of `T` are allocated in cells.
        unsafe { &*kernel::container_of!(field, Self, vfs) }
    }
}

/// The cache that inodes are allocated from.
///
/// # Invariants
///
/// The pointer is that of a valid cache, whose objects are `InodeCell<T>`s.
pub(super) struct InodeCache<T: FileSystem> {
    /// The slab cache, ours until it is destroyed.
    cache: NonNull<bindings::kmem_cache>,
    /// The file system whose inodes come from it.
    _fs: PhantomData<T>,
}

// SAFETY: A cache may be used on any thread.
unsafe impl<T: FileSystem> Send for InodeCache<T> {}
// SAFETY: A cache has its own locks.
unsafe impl<T: FileSystem> Sync for InodeCache<T> {}

impl<T: FileSystem> InodeCache<T> {
    /// Creates the cache. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new() -> Result<Self> {
        let mut args = bindings::kmem_cache_args {
            align: align_of::<InodeCell<T>>() as c_uint,
            ctor: Some(Self::construct),
            ..pin_init::zeroed()
        };
        // SAFETY: The name lives as long as the module does, and `args` during the call.
        let cache = unsafe {
            bindings::__kmem_cache_create_args(
                T::INODE_CACHE.as_char_ptr(),
                size_of::<InodeCell<T>>() as c_uint,
                &raw mut args,
                more_bindings::EVENTFS_SLAB_FLAGS,
            )
        };
        // INVARIANT: The cache was created just now, for these objects.
        Ok(Self {
            cache: NonNull::new(cache).ok_or(ENOMEM)?,
            _fs: PhantomData,
        })
    }

    /// Initialises what stays initialised while an object goes from one use to the next.
    ///
    /// # Safety
    ///
    /// `object` is the memory of a cell.
    unsafe extern "C" fn construct(object: *mut c_void) {
        // SAFETY: By the safety requirements. The other fields are set by `alloc`, each time (L12).
        unsafe {
            bindings::inode_init_once(Opaque::cast_into(
                &raw const (*object.cast::<InodeCell<T>>()).vfs,
            ))
        };
    }
}

impl<T: FileSystem> Drop for InodeCache<T> {
    fn drop(&mut self) {
        // SAFETY: No requirements. Inodes are freed by RCU callbacks: the last of them must have
        // run (L13).
        unsafe { bindings::rcu_barrier() };
        // SAFETY: By the type invariant. There are no objects left: there is no super block left.
        unsafe { bindings::kmem_cache_destroy(self.cache.as_ptr()) };
    }
}

/// Allocates an inode for a super block.
///
/// # Safety
///
/// Called by the VFS for a super block of `T`.
pub(super) unsafe extern "C" fn alloc<T: FileSystem>(
    sb: *mut bindings::super_block,
) -> *mut bindings::inode {
    // SAFETY: By the safety requirements.
    let cache = unsafe { SuperBlock::<T>::from_raw(sb) }
        .registration()
        .cache();
    // SAFETY: The cache and the LRU list are valid.
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
    // SAFETY: The memory is that of a cell, and nobody else's. What a former use left is not read
    // (L12): the fields are written, not assigned.
    unsafe {
        (&raw mut (*cell).lower).write(Atomic::new(ptr::null_mut()));
        (&raw mut (*cell).published).write(Atomic::new(false));
        (&raw mut (*cell).private).write(UnsafeCell::new(None));
        Opaque::cast_into(&raw const (*cell).vfs)
    }
}

/// Ends the use of an inode: gives back all that it owns.
///
/// # Safety
///
/// Called by the VFS for an inode of `T` that has no users.
pub(super) unsafe extern "C" fn evict<T: FileSystem>(inode: *mut bindings::inode) {
    // SAFETY: By the safety requirements.
    unsafe {
        bindings::truncate_inode_pages_final(&raw mut (*inode).i_data);
        bindings::clear_inode(inode);
    }
    // SAFETY: By the safety requirements.
    let cell = unsafe { InodeCell::<T>::from_vfs(inode) };
    cell.published.store(false, Release);
    // SAFETY: The inode has no users any more, and RCU path walks do not look at `private`.
    drop(unsafe { (*cell.private.get()).take() });
    if let Some(lower) = NonNull::new(cell.lower.load(Acquire)) {
        // SAFETY: By the type invariant the inode owns this reference, and gives it up here.
        drop(unsafe { LowerRef::from_raw(lower) });
    }
}

/// Frees the memory of an inode.
///
/// # Safety
///
/// Called by the VFS, an RCU grace period after [`evict`] or for an inode that was never used.
pub(super) unsafe extern "C" fn free<T: FileSystem>(inode: *mut bindings::inode) {
    // SAFETY: By the safety requirements.
    let cell = ptr::from_ref(unsafe { InodeCell::<T>::from_vfs(inode) });
    // The cache cannot be asked for: the super block that leads to it may be gone already.
    // `kfree()` finds it from the memory.
    // SAFETY: The memory came from the cache. All that the cell owned was dropped by `evict`.
    unsafe { bindings::kfree(cell.cast()) };
}

/// The pointer to the lower dentry of an inode, null if there is none.
///
/// # Safety
///
/// `inode` is a published inode of `T`, or was one when the RCU read-side critical section of the
/// caller began.
pub(super) unsafe fn lower_under_rcu<T: FileSystem>(
    inode: *mut bindings::inode,
) -> *mut bindings::dentry {
    // SAFETY: Inodes are freed by RCU: it is in memory.
    unsafe { InodeCell::<T>::from_vfs(inode) }
        .lower
        .load(Acquire)
        .cast()
}

/// An inode that was published.
///
/// # Invariants
///
/// It is part of an [`InodeCell`] that is `published`, and in use while the reference lives.
#[repr(transparent)]
pub(crate) struct Inode<T: FileSystem>(Opaque<bindings::inode>, PhantomData<T>);

// SAFETY: Fields that change are written atomically, or under locks of the VFS.
unsafe impl<T: FileSystem> Sync for Inode<T> {}

impl<T: FileSystem> Inode<T> {
    /// The wrapper of a C inode.
    ///
    /// # Safety
    ///
    /// `inode` is a published inode of `T` that is in use for `'a`.
    pub(crate) unsafe fn from_raw<'a>(inode: *mut bindings::inode) -> &'a Self {
        // SAFETY: By the safety requirements; the type is a transparent wrapper.
        unsafe { &*inode.cast() }
    }

    /// The inode, if it is published yet and still.
    ///
    /// # Safety
    ///
    /// `inode` is one of `T`, and cannot be evicted during `'a`.
    pub(super) unsafe fn published<'a>(inode: *mut bindings::inode) -> Option<&'a Self> {
        // SAFETY: By the safety requirements.
        let cell = unsafe { InodeCell::<T>::from_vfs(inode) };
        // SAFETY: If it is published, all requirements are met.
        cell.published
            .load(Acquire)
            .then(|| unsafe { Self::from_raw(inode) })
    }

    /// The inode as C takes it.
    pub(crate) fn as_ptr(&self) -> *mut bindings::inode {
        self.0.get()
    }

    /// The cell that the inode is part of.
    fn cell(&self) -> &InodeCell<T> {
        // SAFETY: By the type invariant.
        unsafe { InodeCell::from_vfs(self.as_ptr()) }
    }

    /// The super block.
    pub(crate) fn super_block(&self) -> &SuperBlock<T> {
        // SAFETY: `i_sb` never changes, and the super block outlives its inodes.
        unsafe { SuperBlock::from_raw((*self.as_ptr()).i_sb) }
    }

    /// What the file system has stored with the inode.
    pub(crate) fn private(&self) -> Option<&T::Inode> {
        // SAFETY: By the type invariant the value was written before, and is taken out by the
        // eviction only, which cannot happen while the inode is in use.
        unsafe { (*self.cell().private.get()).as_ref() }
    }

    /// The dentry of another file system that this inode stands for.
    pub(crate) fn lower(&self) -> Option<&LowerDentry> {
        // SAFETY: By the type invariant of the cell, as the inode is in use.
        unsafe { self.cell().lower.load(Acquire).as_ref() }
    }

    /// Whether there is a dentry of it.
    pub(crate) fn has_dentry(&self) -> bool {
        // SAFETY: The inode is valid. That there is one now says nothing of the next moment.
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
        // SAFETY: The inode is valid. As in C, the field is read without a lock.
        unsafe { (&raw const (*self.as_ptr()).i_mode).read_volatile() }
    }

    /// The owner and the group, as the initial user name space numbers them.
    pub(crate) fn owner(&self) -> (u32, u32) {
        // SAFETY: As for `mode()`.
        unsafe {
            (
                (&raw const (*self.as_ptr()).i_uid).read_volatile().val,
                (&raw const (*self.as_ptr()).i_gid).read_volatile().val,
            )
        }
    }

    /// Sets the permission bits, the owner and the group.
    ///
    /// The caller orders this with other changes. Path walks read the fields at any time.
    pub(crate) fn set_mode_and_owner(&self, mode: u16, uid: u32, gid: u32) {
        let mode = self.mode() & !PERMISSIONS | mode & PERMISSIONS;
        // SAFETY: The inode is valid, and the fields are meant to be written while they are read.
        unsafe {
            (&raw mut (*self.as_ptr()).i_mode).write_volatile(mode);
            (&raw mut (*self.as_ptr()).i_uid).write_volatile(bindings::kuid_t { val: uid });
            (&raw mut (*self.as_ptr()).i_gid).write_volatile(bindings::kgid_t { val: gid });
        }
    }
}

/// What an inode is.
pub(crate) enum InodeKind<T: FileSystem> {
    /// A directory, which is read through these operations.
    Directory(DirVTable<T>),
    /// A regular file with these operations.
    Regular(FileVTable<T>),
}

/// The operations of an open directory.
pub(crate) struct DirVTable<T: FileSystem>(&'static bindings::file_operations, PhantomData<T>);

impl<T: FileSystem> DirVTable<T> {
    /// The operations that a trait implementation makes.
    pub(crate) const fn new<O: DirOperations<T>>() -> Self {
        Self(dir::VTable::<T, O>::build(), PhantomData)
    }
}

/// What a new inode begins with.
pub(crate) struct InodeInit<T: FileSystem> {
    /// What it is.
    pub(crate) kind: InodeKind<T>,
    /// The inode number.
    pub(crate) ino: u64,
    /// The permissions.
    pub(crate) mode: u16,
    /// The owner and the group.
    pub(crate) owner: (u32, u32),
    /// The dentry of another file system that it stands for.
    pub(crate) lower: Option<LowerRef>,
    /// What the operations of a file of another module find in `i_private`.
    pub(crate) data: Option<ForeignData>,
    /// What the file system stores with it.
    pub(crate) private: T::Inode,
}

/// An inode that no dentry leads to yet.
///
/// # Invariants
///
/// It owns a reference to a published inode.
pub(crate) struct NewInode<T: FileSystem> {
    /// The inode, with the reference that `new_inode()` gave.
    inode: NonNull<bindings::inode>,
    /// The file system that the inode is of.
    _fs: PhantomData<T>,
}

impl<T: FileSystem> NewInode<T> {
    /// Makes an inode. Link count 1, now as all times. May sleep.
    pub(crate) fn new<S>(sb: &SuperBlock<T, S>, init: InodeInit<T>) -> Result<Self> {
        // SAFETY: The super block is valid.
        let inode =
            from_err_ptr(unsafe { bindings::new_inode(sb.as_ptr()) }).map_err(|_| ENOMEM)?;
        let raw = inode.as_ptr();
        // SAFETY: The inode is new: but for the list of inodes, where it is not looked at before
        // it is published, nobody has it.
        unsafe {
            bindings::simple_inode_init_ts(raw);
            (*raw).i_ino = init.ino;
            let kind = match init.kind {
                InodeKind::Directory(operations) => {
                    (*raw).i_op = const { &VTable::<T>::DIRECTORY };
                    (*raw).__bindgen_anon_3.i_fop = operations.0;
                    bindings::S_IFDIR
                }
                InodeKind::Regular(operations) => {
                    (*raw).i_op = const { &VTable::<T>::FILE };
                    (*raw).__bindgen_anon_3.i_fop = operations.as_ptr();
                    bindings::S_IFREG
                }
            };
            // CAST: File types fit into a mode.
            (*raw).i_mode = kind as u16 | init.mode & PERMISSIONS;
            (*raw).i_private = init.data.map_or(ptr::null_mut(), ForeignData::as_ptr);
            (*raw).i_uid.val = init.owner.0;
            (*raw).i_gid.val = init.owner.1;
            bindings::set_nlink(raw, 1);
        }
        // SAFETY: The inode is one of `T`.
        let cell = unsafe { InodeCell::<T>::from_vfs(raw) };
        if let Some(lower) = init.lower {
            cell.lower.store(lower.into_raw().as_ptr(), Release);
        }
        // SAFETY: Nobody looks at it before it is published.
        unsafe { *cell.private.get() = Some(init.private) };
        // INVARIANT: The value was written.
        cell.published.store(true, Release);
        Ok(Self {
            inode,
            _fs: PhantomData,
        })
    }

    /// The inode.
    pub(crate) fn inode(&self) -> &Inode<T> {
        // SAFETY: By the type invariant.
        unsafe { Inode::from_raw(self.inode.as_ptr()) }
    }

    /// Hands over the reference.
    pub(super) fn into_raw(self) -> *mut bindings::inode {
        core::mem::ManuallyDrop::new(self).inode.as_ptr()
    }
}

impl<T: FileSystem> Drop for NewInode<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; with the last reference it is evicted.
        unsafe { bindings::iput(self.inode.as_ptr()) };
    }
}

/// A change of attributes that was asked for: `chmod`, `chown`, `truncate`, `utimes`.
///
/// C header: [`include/linux/fs.h`](srctree/include/linux/fs.h) (`struct iattr`).
pub(crate) struct SetAttr<'a> {
    /// How the mount maps owners; passed on.
    idmap: *mut bindings::mnt_idmap,
    /// The dentry through which the change was asked for; it has an inode, which is locked.
    dentry: *mut bindings::dentry,
    /// What is to change, and to what. [`SetAttr::check`] may adjust it.
    attributes: *mut bindings::iattr,
    /// `'a` is the call of `setattr`, for which all the pointers are valid.
    _call: PhantomData<&'a ()>,
}

impl SetAttr<'_> {
    /// Whether the change is also one of this kind (`ATTR_*`).
    fn has(&self, bit: u32) -> bool {
        // SAFETY: The pointer is valid during the call that `'a` stands for.
        unsafe { (*self.attributes).ia_valid & bit != 0 }
    }

    /// Whether the permissions change.
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

    /// Whether the caller may do it: owner and root may. May sleep.
    pub(crate) fn check(&self) -> Result {
        // SAFETY: The pointers are valid during the call, and the inode is locked.
        to_result(unsafe { bindings::setattr_prepare(self.idmap, self.dentry, self.attributes) })
    }

    /// Changes the size of the inode, if that was asked for. May sleep.
    pub(crate) fn resize(&self) {
        if self.has(bindings::ATTR_SIZE) {
            // SAFETY: As above.
            unsafe {
                bindings::truncate_setsize((*self.dentry).d_inode, (*self.attributes).ia_size)
            };
        }
    }

    /// Changes the inode. Does not sleep.
    pub(crate) fn apply(&self) {
        // SAFETY: As above.
        unsafe { bindings::setattr_copy(self.idmap, (*self.dentry).d_inode, self.attributes) };
    }
}

/// The operations of inodes.
struct VTable<T: FileSystem>(PhantomData<T>);

impl<T: FileSystem> VTable<T> {
    /// What directories can do. To create, remove or rename is not among it: the VFS refuses that.
    const DIRECTORY: bindings::inode_operations = bindings::inode_operations {
        lookup: Some(dentry::lookup::<T>),
        setattr: Some(Self::setattr),
        ..pin_init::zeroed()
    };

    /// What regular files can do.
    const FILE: bindings::inode_operations = bindings::inode_operations {
        setattr: Some(Self::setattr),
        ..pin_init::zeroed()
    };

    /// Changes attributes of an inode.
    ///
    /// # Safety
    ///
    /// Called by the VFS for a dentry of `T` with an inode, whose `i_rwsem` is held for writing.
    unsafe extern "C" fn setattr(
        idmap: *mut bindings::mnt_idmap,
        dentry: *mut bindings::dentry,
        attributes: *mut bindings::iattr,
    ) -> c_int {
        let change = SetAttr {
            idmap,
            dentry,
            attributes,
            _call: PhantomData,
        };
        // SAFETY: By the safety requirements; the dentry keeps the inode.
        let inode = unsafe { Inode::<T>::from_raw((*dentry).d_inode) };
        from_result(|| T::set_attributes(inode, change).map(|()| 0))
    }
}
