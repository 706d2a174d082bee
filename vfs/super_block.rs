// SPDX-License-Identifier: GPL-2.0

//! Super blocks.
//!
//! C header: [`include/linux/fs/super_types.h`](srctree/include/linux/fs/super_types.h).

use super::{
    bindings as more_bindings,
    dentry,
    from_err_ptr,
    inode,
    registration::context_options,
    Dentry,
    DentryRef,
    FileSystem,
    Inode,
    Registration, //
};
use core::{
    marker::PhantomData,
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    error::from_result,
    new_spinlock,
    prelude::*,
    seq_file::SeqFile,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        SpinLock, //
    },
    types::{
        ForeignOwnable,
        Opaque, //
    },
};

/// A super block of a file system.
///
/// # Invariants
///
/// `s_type` is part of a `Registration<T>`, which outlives the super block. `s_fs_info` owns a
/// reference to its instance: it is what one super block is told from another by.
#[repr(transparent)]
pub(crate) struct SuperBlock<T: FileSystem>(Opaque<bindings::super_block>, PhantomData<T>);

// SAFETY: What can be reached through a shared reference is synchronised by C code, or constant.
unsafe impl<T: FileSystem> Sync for SuperBlock<T> {}

impl<T: FileSystem> SuperBlock<T> {
    /// The wrapper of a C super block.
    ///
    /// # Safety
    ///
    /// `sb` is a super block of `T` that stays valid for `'a`.
    pub(super) unsafe fn from_raw<'a>(sb: *mut bindings::super_block) -> &'a Self {
        // SAFETY: By the safety requirements; the type is a transparent wrapper.
        unsafe { &*sb.cast() }
    }

    /// The super block as C takes it.
    pub(super) fn as_ptr(&self) -> *mut bindings::super_block {
        self.0.get()
    }

    /// What the super block shows.
    pub(crate) fn instance(&self) -> &T::Instance {
        self.registration().instance()
    }

    /// The registration of its file system.
    pub(super) fn registration(&self) -> &Registration<T> {
        // SAFETY: By the type invariant.
        unsafe { Registration::from_fs((*self.as_ptr()).s_type) }
    }

    /// Calls `visit` for each inode that is in memory and was published. Must not sleep.
    ///
    /// Inodes that are created meanwhile may be missed.
    pub(crate) fn for_each_inode(&self, mut visit: impl FnMut(&Inode<T>)) {
        let sb = self.as_ptr();
        // SAFETY: The super block is valid. The lock protects the list, and an inode leaves the
        // list before it is evicted: what is found here is whole until the lock is released.
        unsafe {
            let head = &raw mut (*sb).s_inodes;
            bindings::spin_lock(&raw mut (*sb).s_inode_list_lock);
            let mut at = (*head).next;
            while at != head {
                let raw: *mut bindings::inode =
                    kernel::container_of!(at, bindings::inode, i_sb_list);
                if let Some(inode) = Inode::<T>::published(raw) {
                    visit(inode);
                }
                at = (*at).next;
            }
            bindings::spin_unlock(&raw mut (*sb).s_inode_list_lock);
        }
    }

    /// What each super block of `T` has as its `s_op`.
    const OPS: bindings::super_operations = bindings::super_operations {
        alloc_inode: Some(inode::alloc::<T>),
        free_inode: Some(inode::free::<T>),
        evict_inode: Some(inode::evict::<T>),
        statfs: Some(bindings::simple_statfs),
        show_options: Some(Self::show_options),
        ..pin_init::zeroed()
    };

    /// Writes the options for `/proc/mounts`.
    ///
    /// # Safety
    ///
    /// Called by the VFS for a dentry of this file system.
    unsafe extern "C" fn show_options(
        m: *mut bindings::seq_file,
        root: *mut bindings::dentry,
    ) -> c_int {
        // SAFETY: By the safety requirements; the mount keeps the super block.
        let sb = unsafe { Self::from_raw((*root).d_sb) };
        // SAFETY: The seq file is valid, and ours for the call.
        T::show_options(sb.instance(), unsafe { SeqFile::from_raw(m) });
        0
    }
}

/// Fills in a new super block.
///
/// # Safety
///
/// Called by the VFS, with `s_umount` held, for a new super block of a [`Registration`] of `T`,
/// which has taken over `s_fs_info` from its context.
pub(super) unsafe extern "C" fn fill<T: FileSystem>(
    sb: *mut bindings::super_block,
    fc: *mut more_bindings::fs_context,
) -> c_int {
    from_result(|| {
        // SAFETY: The super block is valid, and not visible yet.
        unsafe {
            (*sb).s_magic = T::MAGIC;
            (*sb).s_blocksize = bindings::PAGE_SIZE as c_ulong;
            // CAST: It is 12 to 16.
            (*sb).s_blocksize_bits = more_bindings::EVENTFS_PAGE_SHIFT as u8;
            (*sb).s_time_gran = 1;
            (*sb).s_op = const { &SuperBlock::<T>::OPS };
            bindings::set_default_d_op(sb, const { &dentry::VTable::<T>::OPS });
        }
        // SAFETY: By the safety requirements the invariants of the type hold.
        let this = unsafe { SuperBlock::<T>::from_raw(sb) };
        let (inode, data) = T::root(this)?;
        // SAFETY: `d_make_root()` takes over the inode, also when it fails.
        let root = unsafe { bindings::d_make_root(inode.into_raw()) };
        let root = NonNull::new(root).ok_or(ENOMEM)?;
        // SAFETY: The dentry is new; it owns `data` from here on.
        unsafe { (*root.as_ptr()).d_fsdata = data.into_foreign() };
        // SAFETY: As above.
        unsafe { (*sb).s_root = root.as_ptr() };
        this.registration().link().set(this);
        // SAFETY: The context is the one that `s_fs_info` came from.
        T::configure(this, unsafe { context_options::<T>(fc) }, true);
        Ok(0)
    })
}

/// Takes a super block down.
///
/// # Safety
///
/// Called by the VFS, with `s_umount` held, for a super block of a [`Registration`] of `T` that is
/// not in use any more. It may be one that [`fill`] has failed for.
pub(super) unsafe extern "C" fn kill<T: FileSystem>(sb: *mut bindings::super_block) {
    // SAFETY: The super block is valid. It owns the instance, as `sget_fc()` has set `s_fs_info`
    // before any way leads here.
    let instance = unsafe { (*sb).s_fs_info };
    // SAFETY: As above.
    let this = unsafe { SuperBlock::<T>::from_raw(sb) };
    this.registration().link().clear(this);
    // SAFETY: By the safety requirements. This evicts all inodes and dentries.
    unsafe { bindings::kill_anon_super(sb) };
    // SAFETY: Nobody gets at the super block any more; what it owned is dropped here, once.
    drop(unsafe { Arc::<T::Instance>::from_foreign(instance) });
}

/// A super block that cannot be shut down while this exists.
///
/// # Invariants
///
/// It owns a reference of `s_active`.
pub(crate) struct ActiveSuper<T: FileSystem> {
    /// The super block, whole while it is active.
    sb: NonNull<bindings::super_block>,
    /// The file system that it is of.
    _fs: PhantomData<T>,
}

impl<T: FileSystem> ActiveSuper<T> {
    /// The super block.
    pub(crate) fn super_block(&self) -> &SuperBlock<T> {
        // SAFETY: By the type invariant.
        unsafe { SuperBlock::from_raw(self.sb.as_ptr()) }
    }

    /// Its root.
    pub(crate) fn root(&self) -> Result<Held<'_>> {
        // SAFETY: `s_root` is there while the super block is active.
        let root = from_err_ptr(unsafe { (*self.sb.as_ptr()).s_root })?;
        // SAFETY: As above. The cast is to a transparent wrapper.
        let root = ARef::from(unsafe { root.cast::<Dentry>().as_ref() });
        Ok(Held {
            dentry: root,
            _active: PhantomData,
        })
    }
}

/// A dentry of a super block that is kept from being shut down: it must be put before that may
/// happen.
pub(crate) struct Held<'a> {
    /// The dentry, of which this owns a reference.
    dentry: DentryRef,
    /// `'a` ends before the `ActiveSuper` does.
    _active: PhantomData<&'a ()>,
}

impl Held<'_> {
    /// The child with this name, if there is a dentry of it in the cache. Does not sleep.
    pub(crate) fn cached_child(&self, name: &[u8]) -> Option<Self> {
        Some(Self {
            dentry: self.dentry.cached_child(name)?,
            _active: PhantomData,
        })
    }

    /// Another reference to the same dentry.
    pub(crate) fn again(&self) -> Self {
        Self {
            dentry: self.dentry.clone(),
            _active: PhantomData,
        }
    }
}

impl Deref for Held<'_> {
    type Target = Dentry;

    fn deref(&self) -> &Dentry {
        &self.dentry
    }
}

impl<T: FileSystem> Drop for ActiveSuper<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; this may sleep, and be the last reference.
        unsafe { bindings::deactivate_super(self.sb.as_ptr()) };
    }
}

/// Where to find the super block that shows an instance, if there is one: not a reference.
///
/// # Invariants
///
/// The pointer is that of a super block whose [`kill`] has not cleared it here yet: it is set by
/// [`fill`], for the link of the registration that both find.
#[pin_data]
pub(crate) struct SuperLink<T: FileSystem> {
    /// The super block. The lock is innermost, and held while a reference is taken.
    #[pin]
    sb: SpinLock<Option<NonNull<bindings::super_block>>>,
    /// The file system that it is of.
    _fs: PhantomData<T>,
}

// SAFETY: The pointer is used under the lock only, to take a reference.
unsafe impl<T: FileSystem> Send for SuperLink<T> {}
// SAFETY: As above.
unsafe impl<T: FileSystem> Sync for SuperLink<T> {}

impl<T: FileSystem> SuperLink<T> {
    /// A link that leads nowhere.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            sb <- new_spinlock!(None, "eventfs_super_link"),
            _fs: PhantomData,
        })
    }

    /// Leads to this super block from now on.
    fn set(&self, sb: &SuperBlock<T>) {
        *self.sb.lock() = NonNull::new(sb.as_ptr());
    }

    /// Leads nowhere any more, if it led to this one.
    fn clear(&self, sb: &SuperBlock<T>) {
        let mut link = self.sb.lock();
        if *link == NonNull::new(sb.as_ptr()) {
            *link = None;
        }
    }

    /// The super block, if there is one that is in use. Does not sleep.
    pub(crate) fn get(&self) -> Option<ActiveSuper<T>> {
        let link = self.sb.lock();
        let sb = (*link)?;
        // SAFETY: By the type invariant the super block is valid while the lock is held. `s_active`
        // is an `atomic_t`, that is, an `int` which is only accessed atomically.
        let active: &Atomic<i32> =
            unsafe { Atomic::from_ptr((&raw mut (*sb.as_ptr()).s_active).cast()) };
        let mut count = active.load(Relaxed);
        // `atomic_inc_not_zero()`.
        while count != 0 {
            match active.cmpxchg(count, count + 1, kernel::sync::atomic::Full) {
                // INVARIANT: The reference was taken just now.
                Ok(_) => {
                    return Some(ActiveSuper {
                        sb,
                        _fs: PhantomData,
                    })
                }
                Err(now) => count = now,
            }
        }
        None
    }
}
