// SPDX-License-Identifier: GPL-2.0

//! Super blocks.
//!
//! A super block owns its view (`s_fs_info`, an `Arc<SharedView<T>>`). The view leads back to the
//! super block by a [`WeakSuper`], which does not keep it: a user of that link makes an
//! [`ActiveSuper`], and shutting the super block down waits until the last of them is dropped. An
//! [`ActiveSuper`] does not count in `s_active`, so that a super block ends with its last mount,
//! whatever else uses it at that time.
//!
//! C header: [`include/linux/fs/super_types.h`](srctree/include/linux/fs/super_types.h).

use super::{
    bindings as more_bindings,
    dentry,
    from_err_ptr,
    fs_context,
    inode,
    ActiveDentry,
    Dentry,
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
    new_condvar, new_spinlock,
    prelude::*,
    seq_file::SeqFile,
    sync::{
        Arc,
        ArcBorrow,
        CondVar,
        SpinLock, //
    },
    types::{
        ForeignOwnable,
        Opaque, //
    },
};

/// The state of a super block that is being filled in: no mount shows it.
pub(crate) enum New {}

/// The state of a super block that mounts may show.
pub(crate) enum Ready {}

/// A super block of a file system.
///
/// # Invariants
///
/// While there is a reference, the super block is not shut down. `s_type` is embedded in a
/// `Registration<T>`, which outlives the super block. `s_fs_info` owns a reference to the view,
/// from which nothing takes it before the super block was shut down.
#[repr(transparent)]
pub(crate) struct SuperBlock<T: FileSystem, S = Ready>(
    Opaque<bindings::super_block>,
    PhantomData<(fn(S), T)>,
);

// SAFETY: The methods read constant fields, or fields that C code reads without a lock too, or take
// the locks that C code takes; the view is `Sync`.
unsafe impl<T: FileSystem, S> Sync for SuperBlock<T, S> {}

impl<T: FileSystem, S> SuperBlock<T, S> {
    /// The wrapper of a C super block.
    ///
    /// # Safety
    ///
    /// `sb` must be a super block of `T` in the state `S`, which meets the type invariants for
    /// `'a`.
    pub(super) unsafe fn from_raw<'a>(sb: *mut bindings::super_block) -> &'a Self {
        // SAFETY: The caller guarantees that the super block is valid for `'a`, and the type is a
        // transparent wrapper.
        unsafe { &*sb.cast() }
    }

    /// The C super block.
    pub(super) fn as_ptr(&self) -> *mut bindings::super_block {
        self.0.get()
    }

    /// The view that the super block shows.
    pub(crate) fn view(&self) -> &T::View {
        let view = core::ptr::from_ref::<SharedView<T>>(&self.shared_view());
        // SAFETY: By the type invariant the view lives as long as the super block does.
        unsafe { &*view }
    }

    /// The view, with the link to this super block.
    pub(crate) fn shared_view(&self) -> ArcBorrow<'_, SharedView<T>> {
        // SAFETY: By the type invariant `s_fs_info` is the foreign pointer of an `Arc` that the
        // super block owns and keeps.
        unsafe { <Arc<SharedView<T>> as ForeignOwnable>::borrow((*self.as_ptr()).s_fs_info) }
    }

    /// The registration of the file system.
    pub(super) fn registration(&self) -> &Registration<T> {
        // SAFETY: By the type invariant.
        unsafe { Registration::from_fs((*self.as_ptr()).s_type) }
    }

    /// Calls `visit` for each published inode that is in memory. Holds a spinlock: neither this nor
    /// `visit` sleeps.
    ///
    /// The walk may miss inodes that are created meanwhile.
    pub(crate) fn for_each_inode(&self, mut visit: impl FnMut(&Inode<T>)) {
        let sb = self.as_ptr();
        // SAFETY: The super block is valid. The lock protects the list, and an inode leaves the
        // list before it is evicted, so that each inode found here is whole until the lock is
        // released.
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
}

impl<T: FileSystem> SuperBlock<T> {
    /// The `s_op` of each super block of `T`.
    const OPS: bindings::super_operations = bindings::super_operations {
        alloc_inode: Some(inode::alloc::<T>),
        free_inode: Some(inode::free::<T>),
        evict_inode: Some(inode::evict::<T>),
        statfs: Some(bindings::simple_statfs),
        show_options: Some(Self::show_options),
        ..pin_init::zeroed()
    };

    /// Prints the options for `/proc/mounts`.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a dentry of a mounted super block of `T`.
    unsafe extern "C" fn show_options(
        m: *mut bindings::seq_file,
        root: *mut bindings::dentry,
    ) -> c_int {
        // SAFETY: The mount that `root` belongs to keeps the super block for the call.
        let sb = unsafe { Self::from_raw((*root).d_sb) };
        // SAFETY: The seq file is valid for the call, and nothing else prints to it meanwhile.
        T::show_options(sb.view(), unsafe { SeqFile::from_raw(m) });
        0
    }
}

/// Fills in a new super block.
///
/// # Safety
///
/// The VFS calls this with `s_umount` held, for a new super block of a [`Registration`] of `T` that
/// has taken over `s_fs_info` from `fc`, a context of [`fs_context::init()`].
pub(super) unsafe extern "C" fn fill<T: FileSystem>(
    sb: *mut bindings::super_block,
    fc: *mut more_bindings::fs_context,
) -> c_int {
    from_result(|| {
        // SAFETY: The super block is valid, and nothing else uses it before it is filled in.
        unsafe {
            (*sb).s_magic = T::MAGIC;
            (*sb).s_blocksize = bindings::PAGE_SIZE as c_ulong;
            // CAST: It is 12 to 16.
            (*sb).s_blocksize_bits = more_bindings::EVENTFS_PAGE_SHIFT as u8;
            (*sb).s_time_gran = 1;
            (*sb).s_op = const { &SuperBlock::<T>::OPS };
            bindings::set_default_d_op(sb, const { &dentry::VTable::<T>::OPS });
        }
        // SAFETY: By the safety requirements of this function the super block has the type and the
        // view that the type invariants demand, and it stays for the call.
        let this = unsafe { SuperBlock::<T, New>::from_raw(sb) };
        let (inode, data) = T::root(this)?;
        if inode.inode().super_block().as_ptr() != sb {
            return Err(EXDEV);
        }
        // SAFETY: `d_make_root()` takes over the inode, also when it fails.
        let root = unsafe { bindings::d_make_root(inode.into_raw()) };
        let root = NonNull::new(root).ok_or(ENOMEM)?;
        // SAFETY: The dentry is new, and owns `data` from here on. Nothing else uses the super
        // block before it is filled in.
        unsafe {
            (*root.as_ptr()).d_fsdata = data.into_foreign();
            (*sb).s_root = root.as_ptr();
        }
        // SAFETY: The super block owns the view, and was filled in. `kill` clears the link.
        unsafe { this.shared_view().weak.set(sb) };
        // SAFETY: `fc` is a context of `init`, and the VFS makes one call for it at a time.
        T::configure(this, unsafe { fs_context::options::<T>(fc) })?;
        Ok(0)
    })
}

/// Shuts a super block down.
///
/// # Safety
///
/// The VFS calls this with `s_umount` held, for a super block of a [`Registration`] of `T` that has
/// no users left. [`fill`] may have failed for it.
pub(super) unsafe extern "C" fn kill<T: FileSystem>(sb: *mut bindings::super_block) {
    // SAFETY: The super block is valid. It owns the view, since `sget_fc()` sets `s_fs_info` before
    // any way leads here.
    let view = unsafe { Arc::<SharedView<T>>::from_foreign((*sb).s_fs_info) };
    // Users of the link may use dentries and inodes until it is cleared. A new super block of the
    // view can be filled in as soon as this one was killed, so this one leaves the view before.
    if view.weak.clear(sb) {
        T::shut_down(&view);
    }
    // SAFETY: The super block has no users left. This evicts all of its inodes and dentries, which
    // may look at the view: it is dropped behind them.
    unsafe { bindings::kill_anon_super(sb) };
    drop(view);
}

/// A view with the link to its super block.
#[pin_data]
pub(crate) struct SharedView<T: FileSystem> {
    /// The link. [`fill`] sets it and [`kill`] clears it, for the super block that owns the view.
    #[pin]
    weak: WeakSuper<T>,
    /// The view.
    view: T::View,
}

impl<T: FileSystem> SharedView<T> {
    /// A view that no super block shows yet.
    pub(crate) fn new(view: T::View) -> impl PinInit<Self> {
        pin_init!(Self {
            weak <- WeakSuper::new(),
            view,
        })
    }

    /// The super block that shows the view, if there is one that is not being shut down. Does not
    /// sleep.
    pub(crate) fn get_active(self: &Arc<Self>) -> Option<ActiveSuper<T>> {
        let mut link = self.weak.link.lock();
        let sb = link.sb?;
        link.users += 1;
        // INVARIANT: The user was counted under the lock, while the link led to the super block.
        Some(ActiveSuper {
            sb,
            view: self.clone(),
        })
    }
}

impl<T: FileSystem> Deref for SharedView<T> {
    type Target = T::View;

    fn deref(&self) -> &T::View {
        &self.view
    }
}

/// The state of a [`WeakSuper`].
struct Link {
    /// The super block.
    sb: Option<NonNull<bindings::super_block>>,
    /// The number of [`ActiveSuper`]s.
    users: usize,
}

/// A link from a view to its super block that does not keep the super block.
///
/// # Invariants
///
/// `sb` is `None`, or a super block of `T` that [`fill`] has filled in and that [`kill`] has not
/// begun to shut down. While `users` is not 0, a super block that `sb` has led to stays filled in:
/// `kill` waits in [`Self::clear`].
#[pin_data]
struct WeakSuper<T: FileSystem> {
    /// The super block and its users. Innermost lock.
    #[pin]
    link: SpinLock<Link>,
    /// Signals that `users` is 0.
    #[pin]
    unused: CondVar,
    /// The file system that the super block belongs to.
    _fs: PhantomData<fn(T)>,
}

// SAFETY: The pointer is only used under the lock, or by `ActiveSuper`, which the type invariant
// covers on any thread.
unsafe impl<T: FileSystem> Send for WeakSuper<T> {}
// SAFETY: The spinlock serialises all changes, and the type invariant covers users on any thread.
unsafe impl<T: FileSystem> Sync for WeakSuper<T> {}

impl<T: FileSystem> WeakSuper<T> {
    /// A link that leads nowhere.
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            link <- new_spinlock!(
                Link {
                    sb: None,
                    users: 0,
                },
                "eventfs_weak_super"
            ),
            unused <- new_condvar!("eventfs_weak_super_unused"),
            _fs: PhantomData,
        })
    }

    /// Makes the link lead to a super block.
    ///
    /// # Safety
    ///
    /// `sb` must be a super block of `T` that was filled in, and [`kill`] must call [`Self::clear`]
    /// with it.
    unsafe fn set(&self, sb: *mut bindings::super_block) {
        // INVARIANT: The caller guarantees that the super block was filled in, and that the link is
        // cleared before it is shut down.
        self.link.lock().sb = NonNull::new(sb);
    }

    /// Makes the link lead nowhere if it leads to `sb`, and waits for its users. Returns whether it
    /// led there. Sleeps.
    ///
    /// A user takes no `s_umount`, so that the wait ends.
    fn clear(&self, sb: *mut bindings::super_block) -> bool {
        let mut link = self.link.lock();
        // A super block that could not be filled in is not linked.
        if link.sb != NonNull::new(sb) {
            return false;
        }
        link.sb = None;
        while link.users != 0 {
            self.unused.wait(&mut link);
        }
        true
    }
}

/// A user of a super block that was found through its view. An unmount waits for the drop of this:
/// a user must not wait for an unmount, nor take `s_umount`.
///
/// # Invariants
///
/// The link of `view` counts this user, so that `sb` stays filled in.
pub(crate) struct ActiveSuper<T: FileSystem> {
    /// The super block.
    sb: NonNull<bindings::super_block>,
    /// The view whose link counts the user.
    view: Arc<SharedView<T>>,
}

// SAFETY: A super block may be used on any thread, and the count is under a lock.
unsafe impl<T: FileSystem> Send for ActiveSuper<T> {}
// SAFETY: The methods give shared references to the super block, which is `Sync`, and counted
// references to dentries.
unsafe impl<T: FileSystem> Sync for ActiveSuper<T> {}

impl<T: FileSystem> ActiveSuper<T> {
    /// The super block.
    pub(crate) fn super_block(&self) -> &SuperBlock<T> {
        // SAFETY: By the type invariant the super block stays filled in while `self` exists.
        unsafe { SuperBlock::from_raw(self.sb.as_ptr()) }
    }

    /// The dentry of the root.
    pub(crate) fn root(&self) -> Result<ActiveDentry<'_>> {
        // SAFETY: By the type invariant the super block stays filled in while `self` exists.
        let root = from_err_ptr(unsafe { (*self.sb.as_ptr()).s_root })?;
        // SAFETY: A filled-in super block keeps its root. It is one of `T`, and is not shut down
        // while `self` is borrowed.
        Ok(unsafe { Dentry::from_raw(root.as_ptr()) }.into())
    }
}

impl<T: FileSystem> Drop for ActiveSuper<T> {
    fn drop(&mut self) {
        let weak = &self.view.weak;
        let mut link = weak.link.lock();
        link.users -= 1;
        // Only `WeakSuper::clear` waits, after it has cleared the link.
        if link.users == 0 && link.sb.is_none() {
            weak.unused.notify_all();
        }
    }
}

/// A dentry that was collected under a lock, to be invalidated and put after it.
///
/// Dropping it may sleep.
pub(crate) struct CollectedDentry<T: FileSystem> {
    /// The dentry, whose lifetime stands for that of `active`. Dropped before `active`.
    dentry: ActiveDentry<'static>,
    /// Keeps the super block of the dentry.
    active: ActiveSuper<T>,
}

impl<T: FileSystem> CollectedDentry<T> {
    /// Collects the dentry that `find` returns for the root of a super block, or else the last
    /// dentry on the way there, so that no dentry is put before the caller drops the result. `None`
    /// if the super block is being shut down. Does not sleep if `find` does not.
    pub(crate) fn collect(
        view: &Arc<SharedView<T>>,
        find: impl FnOnce(ActiveDentry<'_>) -> ActiveDentry<'_>,
    ) -> Option<Self> {
        let active = view.get_active()?;
        let dentry = find(active.root().ok()?).into_raw();
        Some(Self {
            // SAFETY: The counted reference was given up just now. `active` keeps the super block
            // from being shut down for longer than this field exists, whose lifetime no function
            // hands out.
            dentry: unsafe { ActiveDentry::from_raw(dentry) },
            active,
        })
    }

    /// The super block.
    pub(crate) fn super_block(&self) -> &SuperBlock<T> {
        self.active.super_block()
    }

    /// The dentry.
    pub(crate) fn dentry(&self) -> ActiveDentry<'_> {
        self.dentry.clone()
    }
}
