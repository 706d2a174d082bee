// SPDX-License-Identifier: GPL-2.0

//! File systems, and their registration.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h) (`struct file_system_type`).

use super::{
    fs_context::{
        self,
        OptionSpec,
        Specs, //
    },
    inode::InodeCache,
    super_block::{
        self,
        New,
        SharedView, //
    },
    Inode,
    NewInode,
    SetAttr,
    SuperBlock,
    UnhashedDentry, //
};
use kernel::{
    bindings,
    error::to_result,
    module::{
        this_module,
        ModuleMetadata, //
    },
    prelude::*,
    seq_file::SeqFile,
    sync::Arc,
    types::{
        ForeignOwnable,
        Opaque, //
    },
};

/// Owners whose referent stays readable for an RCU grace period after the owner was dropped.
///
/// # Safety
///
/// After [`ForeignOwnable::from_foreign`] and the drop of the owner that it returns, the result of
/// [`Self::rcu_borrow`] must stay valid for RCU read-side critical sections that began before the
/// drop.
pub(crate) unsafe trait RcuForeign: ForeignOwnable + Send + Sync {
    /// The view of the referent that RCU readers get.
    type RcuBorrowed<'a>;

    /// Borrows the referent.
    ///
    /// # Safety
    ///
    /// `pointer` came from [`ForeignOwnable::into_foreign`]. For `'a`, either the owner is not
    /// dropped, or the caller is in an RCU read-side critical section that began before the drop.
    unsafe fn rcu_borrow<'a>(pointer: *mut c_void) -> Self::RcuBorrowed<'a>;
}

/// A file system.
pub(crate) trait FileSystem: Sized + Send + Sync + 'static {
    /// The name for `mount -t`.
    const NAME: &'static CStr;
    /// The name of the slab cache of inodes.
    const INODE_CACHE: &'static CStr;
    /// The magic number that `statfs` reports.
    const MAGIC: c_ulong;
    /// The mount options, at most [`fs_context::MAX_OPTIONS`].
    const OPTIONS: &'static [OptionSpec<Self::Options>];

    /// The module that contains the code.
    type OwnerModule: ModuleMetadata;
    /// The options that one mount or remount was given.
    type Options: Default + Send;
    /// The object that is registered, and that mounts make views of.
    type Instance: Send + Sync + 'static;
    /// The content of one super block, see [`SharedView`]. Mounts of one view share the super
    /// block.
    type View: Send + Sync + 'static;
    /// The data of an inode, owned by it from its creation to its eviction.
    type Inode: Send + Sync;
    /// The data of a dentry (`d_fsdata`), owned by it from the look-up to its release.
    type Dentry: RcuForeign;

    /// Returns the view that a mount with these options shows: a new one, or one that other mounts
    /// show already. May sleep; no locks are held.
    ///
    /// # Errors
    ///
    /// The error becomes that of the mount.
    fn view(
        instance: &Arc<Self::Instance>,
        options: &Self::Options,
    ) -> Result<Arc<SharedView<Self>>>;

    /// Makes the root directory of a new super block. May sleep; `s_umount` is held.
    fn root(sb: &SuperBlock<Self, New>) -> Result<(NewInode<'_, Self>, Self::Dentry)>;

    /// Applies the options of the first mount: options that are not given get their defaults. May
    /// sleep; `s_umount` is held. From this call on the view can be asked for its super block.
    ///
    /// # Errors
    ///
    /// The error becomes that of the mount.
    fn configure(sb: &SuperBlock<Self, New>, options: &Self::Options) -> Result;

    /// Applies the options of a remount, or of another mount of the same view: options that are not
    /// given stay as they are. May sleep; `s_umount` is held.
    fn reconfigure(sb: &SuperBlock<Self>, options: &Self::Options);

    /// Prints the options that differ from their defaults, each with a comma before it. May sleep.
    fn show_options(view: &Self::View, m: &SeqFile);

    /// The super block of a view is about to be shut down: nothing finds it through the view any
    /// longer. May sleep; `s_umount` is held. Called once for each call of [`Self::configure`].
    fn shut_down(view: &SharedView<Self>);

    /// Answers a look-up. May sleep; the `i_rwsem` of the directory is held, at least for reading.
    ///
    /// # Errors
    ///
    /// `ESTALE` reports that the name changed its meaning during the look-up. The path walk then
    /// starts once more. If the second walk ends in `ESTALE` as well, user space gets `ENOENT`,
    /// since the name did not exist at some moments.
    fn lookup(dir: &Inode<Self>, dentry: UnhashedDentry<'_, Self>) -> Result;

    /// Whether a cached dentry is out of date. Must not sleep: RCU path walks call it.
    fn is_stale(dentry: <Self::Dentry as RcuForeign>::RcuBorrowed<'_>) -> bool;

    /// Changes attributes. May sleep; the `i_rwsem` of the inode is held for writing.
    fn set_attributes(inode: &Inode<Self>, change: SetAttr<'_>) -> Result;
}

/// A registered file system. Dropping it unregisters the file system, which must not be mounted
/// then: each super block holds a reference to the module.
///
/// # Invariants
///
/// `fs` is registered and embedded here, so that [`Self::from_fs`] finds the registration.
#[pin_data(PinnedDrop)]
pub(crate) struct Registration<T: FileSystem> {
    /// The file system type of the VFS.
    #[pin]
    fs: Opaque<bindings::file_system_type>,
    /// The slab cache of inodes. Dropped after the file system was unregistered.
    cache: InodeCache<T>,
    /// The object that mounts make views of.
    instance: Arc<T::Instance>,
}

// SAFETY: `register_filesystem()` and `unregister_filesystem()` may be called on any thread, and
// the instance, which is dropped with the registration, is `Send` and `Sync`.
unsafe impl<T: FileSystem> Send for Registration<T> {}
// SAFETY: A shared reference gives shared access to the cache and to the instance, which are
// `Sync`. Nothing writes `fs` through it but the VFS, under its own lock.
unsafe impl<T: FileSystem> Sync for Registration<T> {}

impl<T: FileSystem> Registration<T> {
    /// Registers the file system. May sleep.
    ///
    /// # Errors
    ///
    /// `EBUSY`: a file system of this name exists. `ENOMEM`.
    pub(crate) fn new(instance: Arc<T::Instance>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // SAFETY: The cache is dropped with the registration. By then there is no super block:
            // each holds a reference to the module, which drops the registration when it goes.
            cache: unsafe { InodeCache::new() }
                .inspect_err(|error| pr_err!("cannot make the inode cache: {error:?}\n"))?,
            instance,
            fs <- Opaque::try_ffi_init(|slot: *mut bindings::file_system_type| {
                // SAFETY: `slot` is valid for writes, and all-zero is a valid value of the type.
                unsafe { slot.write(pin_init::zeroed()) };
                // SAFETY: `slot` was initialised just now, and nothing else refers to it.
                let fs = unsafe { &mut *slot };
                fs.name = T::NAME.as_char_ptr();
                fs.owner = this_module::<T::OwnerModule>().as_ptr();
                fs.init_fs_context = Some(fs_context::init::<T>);
                fs.parameters = Specs::of::<T>();
                fs.kill_sb = Some(super_block::kill::<T>);
                // SAFETY: The structure is complete. It stays in place until the drop of the
                // registration, which unregisters it.
                to_result(unsafe { bindings::register_filesystem(slot) }).inspect_err(|error| {
                    pr_err!("cannot register the file system: {error:?}\n");
                })
            }),
        })
    }

    /// The registration that a `struct file_system_type` is embedded in.
    ///
    /// # Safety
    ///
    /// `fs` must be embedded in a registration of `T` that lives for `'a`.
    pub(super) unsafe fn from_fs<'a>(fs: *mut bindings::file_system_type) -> &'a Self {
        let field = Opaque::cast_from(fs);
        // SAFETY: The caller guarantees that `fs` is the field of a registration that lives for
        // `'a`.
        unsafe { &*kernel::container_of!(field, Self, fs) }
    }

    /// The object that mounts make views of.
    pub(super) fn instance(&self) -> &Arc<T::Instance> {
        &self.instance
    }

    /// The slab cache of inodes.
    pub(super) fn cache(&self) -> &InodeCache<T> {
        &self.cache
    }
}

#[pinned_drop]
impl<T: FileSystem> PinnedDrop for Registration<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariant the file system is registered, so that the call cannot
        // fail.
        unsafe { bindings::unregister_filesystem(self.fs.get()) };
    }
}
