// SPDX-License-Identifier: GPL-2.0

//! Registering a file system, and the mount options.
//!
//! C headers: [`include/linux/fs.h`](srctree/include/linux/fs.h) (`struct file_system_type`),
//! [`include/linux/fs_context.h`](srctree/include/linux/fs_context.h).

use super::{
    bindings as more_bindings,
    inode::InodeCache,
    AttrChange,
    Inode,
    NewInode,
    SuperBlock,
    SuperLink,
    UnhashedDentry, //
};
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    bindings,
    error::{
        from_result,
        to_result, //
    },
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

/// Owners whose referent stays readable for a while after they were dropped.
///
/// # Safety
///
/// After [`ForeignOwnable::from_foreign`] and the drop of what it gave, what [`Self::view`] gave
/// must stay valid for those who were in an RCU read-side critical section at that time.
pub(crate) unsafe trait RcuForeign: ForeignOwnable + Send + Sync {
    /// What can be seen of the referent without owning it.
    type View<'a>;

    /// Looks at the referent.
    ///
    /// # Safety
    ///
    /// `pointer` came from [`ForeignOwnable::into_foreign`], and for `'a` either the owner is not
    /// dropped, or the caller is in an RCU read-side critical section that began before.
    unsafe fn view<'a>(pointer: *mut c_void) -> Self::View<'a>;
}

/// A file system.
pub(crate) trait FileSystem: Sized + Send + Sync + 'static {
    /// The name that `mount -t` takes.
    const NAME: &'static CStr;
    /// The name of the cache that the inodes are allocated from.
    const INODE_CACHE: &'static CStr;
    /// What `statfs` gives as the type.
    const MAGIC: c_ulong;

    /// The module that the code is in.
    type OwnerModule: ModuleMetadata;
    /// What is mounted. One super block shows one of these; all mounts of it share it.
    type Instance: Send + Sync + 'static;
    /// What an inode owns, from its creation to its eviction.
    type Inode: Send + Sync;
    /// What a dentry owns, from the look-up that answers it to its release.
    type Dentry: RcuForeign;

    /// Makes the root directory of a new super block. May sleep.
    fn root(sb: &SuperBlock<Self>) -> Result<(NewInode<Self>, Self::Dentry)>;

    /// Applies mount options. May sleep; `s_umount` is held.
    ///
    /// `first` says that the super block is new: what is not given then has its default. Otherwise
    /// only what is given changes.
    fn configure(sb: &SuperBlock<Self>, options: &Options, first: bool);

    /// Writes the options that differ from the defaults, each with a comma before it.
    fn show_options(instance: &Self::Instance, m: &SeqFile);

    /// Answers a look-up. May sleep; the `i_rwsem` of the directory is held, at least for reading.
    ///
    /// `ESTALE` says that what was found has gone meanwhile, and that there may be something else
    /// of this name. Path walks begin once more then. If that happens again, the name was not there
    /// at times, and the answer for the user is `ENOENT`.
    fn lookup(dir: &Inode<Self>, dentry: UnhashedDentry<'_, Self>) -> Result;

    /// Whether a dentry must not be used any more. Must not sleep: it is called in RCU path walks.
    fn is_stale(dentry: <Self::Dentry as RcuForeign>::View<'_>) -> bool;

    /// Changes attributes. May sleep; the `i_rwsem` of the inode is held for writing.
    fn set_attributes(inode: &Inode<Self>, change: AttrChange<'_>) -> Result;
}

/// Mount options: those that were given.
#[derive(Default)]
pub(crate) struct Options {
    /// `uid=`: the owner, as the initial user name space numbers it.
    pub(crate) uid: Option<u32>,
    /// `gid=`: the group, likewise.
    pub(crate) gid: Option<u32>,
    /// `mode=`: the permissions of the root directory.
    pub(crate) mode: Option<u16>,
    /// `readdir=`: what directories are listed from.
    pub(crate) listing: Option<Listing>,
}

/// What directories are listed from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    /// `dentries`: all entries are brought into being, and pinned.
    Dentries,
    /// `metadata`: nothing is.
    Metadata,
}

// The numbers of the options, as `__fs_parse()` returns them.

/// `uid=`.
const OPT_UID: u8 = 0;
/// `gid=`.
const OPT_GID: u8 = 1;
/// `mode=`.
const OPT_MODE: u8 = 2;
/// `readdir=`.
const OPT_READDIR: u8 = 3;

/// The table of options, ended by an empty entry.
struct Specs([more_bindings::fs_parameter_spec; 5]);

// SAFETY: It is never written, and points to constants.
unsafe impl Sync for Specs {}

/// The values of an option, ended by an empty entry.
struct Values([more_bindings::constant_table; 3]);

// SAFETY: It is never written, and points to constants.
unsafe impl Sync for Values {}

/// A value of an option, and what `__fs_parse()` gives for it.
const fn value(name: &'static CStr, value: Listing) -> more_bindings::constant_table {
    more_bindings::constant_table {
        name: kernel::str::as_char_ptr_in_const_context(name),
        // CAST: There are two.
        value: value as c_int,
    }
}

/// The values of `readdir=`.
static LISTINGS: Values = Values([
    value(c"dentries", Listing::Dentries),
    value(c"metadata", Listing::Metadata),
    more_bindings::constant_table {
        name: ptr::null(),
        value: 0,
    },
]);

/// An entry of the table: `data` is the base of numbers, null for the usual prefixes (`0`, `0x`),
/// or the values.
const fn spec(
    name: &'static CStr,
    kind: more_bindings::fs_param_type,
    opt: u8,
    data: *const c_void,
) -> more_bindings::fs_parameter_spec {
    more_bindings::fs_parameter_spec {
        name: kernel::str::as_char_ptr_in_const_context(name),
        type_: kind,
        opt,
        flags: 0,
        data,
    }
}

/// The options that a mount takes: for `__fs_parse()`, and for the VFS to check at registration.
static SPECS: Specs = Specs([
    spec(
        c"gid",
        Some(more_bindings::fs_param_is_gid),
        OPT_GID,
        ptr::null(),
    ),
    spec(
        c"mode",
        Some(more_bindings::fs_param_is_u32),
        OPT_MODE,
        ptr::without_provenance(8),
    ),
    spec(
        c"readdir",
        Some(more_bindings::fs_param_is_enum),
        OPT_READDIR,
        (&raw const LISTINGS.0).cast(),
    ),
    spec(
        c"uid",
        Some(more_bindings::fs_param_is_uid),
        OPT_UID,
        ptr::null(),
    ),
    more_bindings::fs_parameter_spec {
        name: ptr::null(),
        type_: None,
        opt: 0,
        flags: 0,
        data: ptr::null(),
    },
]);

/// A registered file system. Dropping it unregisters; it must not be mounted any more then, which
/// the reference that each super block has to the module takes care of.
///
/// # Invariants
///
/// `fs` is registered, and embedded here, so that the instance can be found from it.
#[pin_data(PinnedDrop)]
pub(crate) struct Registration<T: FileSystem> {
    /// What the VFS knows of the file system; it leads back here.
    #[pin]
    fs: Opaque<bindings::file_system_type>,
    /// Where inodes come from. Dropped after the file system was unregistered.
    cache: InodeCache<T>,
    /// What each mount shows.
    instance: Arc<T::Instance>,
    /// The way to the super block that shows it.
    link: Arc<SuperLink<T>>,
}

// SAFETY: Registering and unregistering may happen on any thread.
unsafe impl<T: FileSystem> Send for Registration<T> {}
// SAFETY: There is nothing that can be changed through a shared reference.
unsafe impl<T: FileSystem> Sync for Registration<T> {}

impl<T: FileSystem> Registration<T> {
    /// Registers the file system; what its mounts show is `instance`, and `link` is to lead to
    /// their super block. May sleep.
    ///
    /// # Errors
    ///
    /// `EBUSY`: there is a file system of this name. `ENOMEM`.
    pub(crate) fn new(
        instance: Arc<T::Instance>,
        link: Arc<SuperLink<T>>,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            cache: InodeCache::new()
                .inspect_err(|error| pr_err!("cannot make the inode cache: {error:?}\n"))?,
            instance,
            link,
            fs <- Opaque::try_ffi_init(|slot: *mut bindings::file_system_type| {
                // SAFETY: `slot` is valid for writes. All-zero is a valid value.
                unsafe { slot.write(pin_init::zeroed()) };
                // SAFETY: As above.
                let fs = unsafe { &mut *slot };
                fs.name = T::NAME.as_char_ptr();
                fs.owner = this_module::<T::OwnerModule>().as_ptr();
                fs.init_fs_context = Some(context_init::<T>);
                fs.parameters = (&raw const SPECS.0).cast();
                fs.kill_sb = Some(super::super_block::kill::<T>);
                // SAFETY: The structure is complete, and stays where it is until it is
                // unregistered.
                to_result(unsafe { bindings::register_filesystem(slot) }).inspect_err(|error| {
                    pr_err!("cannot register the file system: {error:?}\n");
                })
            }),
        })
    }

    /// The registration that a `struct file_system_type` is part of.
    ///
    /// # Safety
    ///
    /// `fs` must be that of a registration of `T`, which stays for `'a`.
    pub(super) unsafe fn from_fs<'a>(fs: *mut bindings::file_system_type) -> &'a Self {
        let field = Opaque::cast_from(fs);
        // SAFETY: By the safety requirements.
        unsafe { &*kernel::container_of!(field, Self, fs) }
    }

    /// The way to the super block that shows it.
    pub(super) fn link(&self) -> &SuperLink<T> {
        &self.link
    }

    /// What the mounts show.
    pub(super) fn instance(&self) -> &T::Instance {
        &self.instance
    }

    /// The cache for inodes of `T`.
    pub(super) fn cache(&self) -> &InodeCache<T> {
        &self.cache
    }
}

#[pinned_drop]
impl<T: FileSystem> PinnedDrop for Registration<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariant it is registered. The only error is that it is not.
        unsafe { bindings::unregister_filesystem(self.fs.get()) };
    }
}

// What a mount in the making (`struct fs_context`) owns: `fs_private` is a `KBox<Options>`, and
// `s_fs_info`, while it is not null, an `Arc<T::Instance>`.

/// The operations of a `struct fs_context`.
struct ContextVTable<T: FileSystem>(PhantomData<T>);

impl<T: FileSystem> ContextVTable<T> {
    /// What a context of `T` has as its `ops`.
    const OPS: more_bindings::fs_context_operations = more_bindings::fs_context_operations {
        free: Some(Self::free),
        dup: None,
        parse_param: Some(Self::parse_param),
        parse_monolithic: None,
        get_tree: Some(Self::get_tree),
        reconfigure: Some(Self::reconfigure),
    };

    /// The options that were given so far.
    ///
    /// # Safety
    ///
    /// `fc` is a context that [`context_init`] has set up.
    unsafe fn options<'a>(fc: *mut more_bindings::fs_context) -> &'a mut Options {
        // SAFETY: `fs_private` points to the options, and calls for one context are serialised.
        unsafe { &mut *(*fc).fs_private.cast() }
    }

    /// Drops what a context owns.
    ///
    /// # Safety
    ///
    /// As for [`Self::options`].
    unsafe extern "C" fn free(fc: *mut more_bindings::fs_context) {
        // SAFETY: `fs_private` and `s_fs_info` own what they point to, as said above.
        unsafe {
            drop(KBox::<Options>::from_foreign((*fc).fs_private));
            if !(*fc).s_fs_info.is_null() {
                drop(Arc::<T::Instance>::from_foreign((*fc).s_fs_info));
            }
        }
    }

    /// Takes an option. Returns what `__fs_parse()` does for those that are not known or are bad.
    ///
    /// # Safety
    ///
    /// As for [`Self::options`]; `param` is valid.
    unsafe extern "C" fn parse_param(
        fc: *mut more_bindings::fs_context,
        param: *mut more_bindings::fs_parameter,
    ) -> c_int {
        // SAFETY: All-zero is a valid value.
        let mut result: more_bindings::fs_parse_result = unsafe { core::mem::zeroed() };
        // SAFETY: All pointers are valid for the call, and the table is ended by an empty entry.
        let opt = unsafe {
            more_bindings::__fs_parse(
                &raw mut (*fc).log,
                (&raw const SPECS.0).cast(),
                param,
                &raw mut result,
            )
        };
        // SAFETY: By the safety requirements.
        let options = unsafe { Self::options(fc) };
        // SAFETY: `__fs_parse()` says which of the union's fields it has filled in.
        unsafe {
            match u8::try_from(opt) {
                Ok(OPT_UID) => options.uid = Some(result.__bindgen_anon_1.uid.val),
                Ok(OPT_GID) => options.gid = Some(result.__bindgen_anon_1.gid.val),
                Ok(OPT_MODE) => {
                    let mode = *result.__bindgen_anon_1.uint_32 & u32::from(super::PERMISSIONS);
                    // CAST: The mask leaves 12 bits.
                    options.mode = Some(mode as u16);
                }
                Ok(OPT_READDIR) => {
                    let metadata = *result.__bindgen_anon_1.uint_32 == Listing::Metadata as u32;
                    options.listing = Some(if metadata {
                        Listing::Metadata
                    } else {
                        Listing::Dentries
                    });
                }
                _ => return opt,
            }
        }
        0
    }

    /// Finds, or makes, the super block of a mount, and applies the options.
    ///
    /// # Safety
    ///
    /// As for [`Self::options`].
    unsafe extern "C" fn get_tree(fc: *mut more_bindings::fs_context) -> c_int {
        // SAFETY: `fs_type` is that of the registration, which the module reference that the
        // context holds keeps.
        let registration = unsafe { Registration::<T>::from_fs((*fc).fs_type) };
        let key = registration.instance.clone().into_foreign();
        // SAFETY: The context is valid. It takes over `key` in `s_fs_info`: a new super block has
        // it from there, and what is left there is dropped with the context.
        let error =
            unsafe { more_bindings::get_tree_keyed(fc, Some(super::super_block::fill::<T>), key) };
        if error != 0 {
            return error;
        }
        // As for tracefs: what is given with another mount of the same super block applies. For a
        // first mount this says again what `fill` was told.
        // SAFETY: As for this function; `root` was set, and `s_umount` is held for writing.
        unsafe { Self::reconfigure(fc) }
    }

    /// Applies the options to a super block that is there.
    ///
    /// # Safety
    ///
    /// As for [`Self::options`]; `root` is that of a super block of `T`.
    unsafe extern "C" fn reconfigure(fc: *mut more_bindings::fs_context) -> c_int {
        // SAFETY: By the safety requirements.
        let sb = unsafe { SuperBlock::<T>::from_raw((*(*fc).root).d_sb) };
        // SAFETY: As above.
        T::configure(sb, unsafe { Self::options(fc) }, false);
        0
    }
}

/// Sets up a context for a mount or a remount.
///
/// # Safety
///
/// `fc` is a new context of a file system type that is part of a [`Registration`] of `T`.
unsafe extern "C" fn context_init<T: FileSystem>(fc: *mut bindings::fs_context) -> c_int {
    // CAST: `kernel::bindings` knows the type by its name only.
    let fc: *mut more_bindings::fs_context = fc.cast();
    from_result(|| {
        let options = KBox::new(Options::default(), GFP_KERNEL)?;
        // SAFETY: The context is valid and nobody else's yet.
        unsafe {
            (*fc).fs_private = options.into_foreign();
            (*fc).ops = const { &ContextVTable::<T>::OPS };
        }
        Ok(0)
    })
}

/// The options that a context of `T` has been given.
///
/// # Safety
///
/// `fc` is a context that [`context_init`] has set up.
pub(super) unsafe fn context_options<'a, T: FileSystem>(
    fc: *mut more_bindings::fs_context,
) -> &'a Options {
    // SAFETY: By the safety requirements.
    unsafe { ContextVTable::<T>::options(fc) }
}
