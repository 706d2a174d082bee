// SPDX-License-Identifier: GPL-2.0

//! Mount contexts, and tables of mount options.
//!
//! A file system lists its options as [`OptionSpec`]s: a name, a type, and a function that stores
//! the parsed value. The C table for `__fs_parse()` is built from that list at compile time, and
//! `__fs_parse()` checks each value and logs why it refuses one.
//!
//! A `struct fs_context` owns two things: `fs_private` is a `KBox<T::Options>`, and `s_fs_info`,
//! while it is not null, is an `Arc<SharedView<T>>`.
//!
//! C headers: [`include/linux/fs_context.h`](srctree/include/linux/fs_context.h),
//! [`include/linux/fs_parser.h`](srctree/include/linux/fs_parser.h).

use super::{
    bindings as more_bindings,
    super_block,
    FileSystem,
    Registration,
    SharedView,
    SuperBlock, //
};
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    bindings,
    error::from_result,
    prelude::*,
    sync::Arc,
    types::ForeignOwnable, //
};

/// The greatest number of options that a file system can have.
pub(crate) const MAX_OPTIONS: usize = 16;

/// The greatest number of words that an option of type [`OptionValue::Enum`] can have.
const MAX_WORDS: usize = 8;

/// A mount option, stored in an `O`.
pub(crate) struct OptionSpec<O> {
    /// The name, without `=`.
    pub(crate) name: &'static CStr,
    /// The type of the value, with the function that stores it.
    pub(crate) value: OptionValue<O>,
}

/// The type of the value of a mount option.
pub(crate) enum OptionValue<O> {
    /// A user, as the user namespace of the caller numbers it. Stored as the initial user namespace
    /// numbers it.
    Uid(fn(&mut O, u32)),
    /// A group, likewise.
    Gid(fn(&mut O, u32)),
    /// An octal number.
    Octal(fn(&mut O, u32)),
    /// One of several words. Stored as the number of the word.
    Enum(&'static Words, fn(&mut O, i32)),
}

/// The words of an option, each with its number, ended by an empty entry.
pub(crate) struct Words([more_bindings::constant_table; MAX_WORDS + 1]);

// SAFETY: The table is never written, and its pointers lead to constants.
unsafe impl Sync for Words {}

impl Words {
    /// Makes the table. Fails to compile if there are more than [`MAX_WORDS`] words.
    pub(crate) const fn new(words: &'static [(&'static CStr, i32)]) -> Self {
        const END: more_bindings::constant_table = more_bindings::constant_table {
            name: ptr::null(),
            value: 0,
        };

        assert!(words.len() <= MAX_WORDS);
        let mut table = [END; MAX_WORDS + 1];
        let mut at = 0;
        while at < words.len() {
            let (name, value) = words[at];
            table[at].name = kernel::str::as_char_ptr_in_const_context(name);
            table[at].value = value;
            at += 1;
        }
        Self(table)
    }
}

/// The table of options for `__fs_parse()`, ended by an empty entry. The number of an option there
/// (`opt`) is its index in [`FileSystem::OPTIONS`].
pub(super) struct Specs([more_bindings::fs_parameter_spec; MAX_OPTIONS + 1]);

impl Specs {
    /// The table of a file system, in memory that is never freed.
    pub(super) const fn of<T: FileSystem>() -> *const bindings::fs_parameter_spec {
        // CAST: `kernel::bindings` knows the type by its name only.
        (const { &raw const Table::<T>::SPECS.0 }).cast()
    }

    /// Makes the table. Fails to compile if there are more than [`MAX_OPTIONS`] options.
    const fn new<O>(options: &'static [OptionSpec<O>]) -> Self {
        const END: more_bindings::fs_parameter_spec = more_bindings::fs_parameter_spec {
            name: ptr::null(),
            type_: None,
            opt: 0,
            flags: 0,
            data: ptr::null(),
        };

        assert!(options.len() <= MAX_OPTIONS);
        let mut specs = [END; MAX_OPTIONS + 1];
        let mut at = 0;
        while at < options.len() {
            specs[at].name = kernel::str::as_char_ptr_in_const_context(options[at].name);
            // CAST: There are at most `MAX_OPTIONS`.
            specs[at].opt = at as u8;
            match &options[at].value {
                OptionValue::Uid(_) => specs[at].type_ = Some(more_bindings::fs_param_is_uid),
                OptionValue::Gid(_) => specs[at].type_ = Some(more_bindings::fs_param_is_gid),
                OptionValue::Octal(_) => {
                    specs[at].type_ = Some(more_bindings::fs_param_is_u32);
                    // The base of the number.
                    specs[at].data = ptr::without_provenance(8);
                }
                OptionValue::Enum(words, _) => {
                    specs[at].type_ = Some(more_bindings::fs_param_is_enum);
                    specs[at].data = (&raw const words.0).cast();
                }
            }
            at += 1;
        }
        Self(specs)
    }
}

/// The table of options of `T`.
struct Table<T: FileSystem>(PhantomData<T>);

impl<T: FileSystem> Table<T> {
    /// The table.
    const SPECS: &'static Specs = &Specs::new(T::OPTIONS);
}

/// C functions for the contexts of `T`.
struct VTable<T: FileSystem>(PhantomData<T>);

impl<T: FileSystem> VTable<T> {
    /// The `ops` of each context of `T`.
    const OPS: more_bindings::fs_context_operations = more_bindings::fs_context_operations {
        free: Some(Self::free),
        dup: None,
        parse_param: Some(Self::parse_param),
        parse_monolithic: None,
        get_tree: Some(Self::get_tree),
        reconfigure: Some(Self::reconfigure),
    };

    /// Drops everything that a context owns.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a context that [`init()`] has set up, as the last call.
    unsafe extern "C" fn free(fc: *mut more_bindings::fs_context) {
        // SAFETY: `fs_private` owns the options since `init`, and `s_fs_info` owns a view if
        // `get_tree` has put one there and no super block has taken it over. Nothing uses the
        // context after this call.
        unsafe {
            drop(KBox::<T::Options>::from_foreign((*fc).fs_private));
            if !(*fc).s_fs_info.is_null() {
                drop(Arc::<SharedView<T>>::from_foreign((*fc).s_fs_info));
            }
        }
    }

    /// Parses one option. Returns the error of `__fs_parse()` for unknown options and bad values.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a context that [`init()`] has set up, with a valid `param`. It
    /// serialises the calls for one context.
    unsafe extern "C" fn parse_param(
        fc: *mut more_bindings::fs_context,
        param: *mut more_bindings::fs_parameter,
    ) -> c_int {
        // SAFETY: All-zero is a valid value of the type.
        let mut result: more_bindings::fs_parse_result = unsafe { core::mem::zeroed() };
        // SAFETY: All pointers are valid for the call, and an empty entry ends the table.
        let opt = unsafe {
            more_bindings::__fs_parse(
                &raw mut (*fc).log,
                &raw const Table::<T>::SPECS.0[0],
                param,
                &raw mut result,
            )
        };
        let Some(option) = usize::try_from(opt)
            .ok()
            .and_then(|opt| T::OPTIONS.get(opt))
        else {
            return opt;
        };
        // SAFETY: `fs_private` points to the options that `init` has put there, and no other call
        // for this context runs.
        let options = unsafe { &mut *(*fc).fs_private.cast::<T::Options>() };
        let value = &result.__bindgen_anon_1;
        // SAFETY: `__fs_parse()` fills in the field of the union that belongs to the type of the
        // option, and the types in the table follow from `option.value`.
        unsafe {
            match &option.value {
                OptionValue::Uid(store) => store(options, value.uid.val),
                OptionValue::Gid(store) => store(options, value.gid.val),
                OptionValue::Octal(store) => store(options, *value.uint_32),
                OptionValue::Enum(_, store) => store(options, *value.int_32),
            }
        }
        0
    }

    /// Finds or makes the super block of a mount, and applies the options.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a context that [`init()`] has set up. It serialises the calls for one
    /// context.
    unsafe extern "C" fn get_tree(fc: *mut more_bindings::fs_context) -> c_int {
        let view = {
            // SAFETY: `fs_type` is embedded in a registration of `T`, which lives at least as long
            // as the module, of which the context holds a reference.
            let registration = unsafe { Registration::<T>::from_fs((*fc).fs_type) };
            // SAFETY: `fs_private` points to the options that `init` has put there, and no other
            // call for this context runs.
            let options = unsafe { &*(*fc).fs_private.cast::<T::Options>() };
            match T::view(registration.instance(), options) {
                Ok(view) => view.into_foreign(),
                Err(error) => return error.to_errno(),
            }
        };
        // SAFETY: The context is valid. It takes over `view` in `s_fs_info`. A new super block
        // takes it from there; otherwise `free` drops it.
        let error =
            unsafe { more_bindings::get_tree_keyed(fc, Some(super_block::fill::<T>), view) };
        if error != 0 {
            return error;
        }
        // As on tracefs, the options of another mount of the same super block apply to all of its
        // mounts. For the first mount this repeats what `fill` has done.
        // SAFETY: `get_tree_keyed()` has set `root`, and holds `s_umount` for writing.
        unsafe { Self::reconfigure(fc) }
    }

    /// Applies the options to an existing super block.
    ///
    /// # Safety
    ///
    /// The VFS calls this for a context that [`init()`] has set up and whose `root` is that of a
    /// super block of `T`, with `s_umount` held for writing.
    unsafe extern "C" fn reconfigure(fc: *mut more_bindings::fs_context) -> c_int {
        // SAFETY: `root` keeps its super block, which is one of `T` and was filled in.
        let sb = unsafe { SuperBlock::<T>::from_raw((*(*fc).root).d_sb) };
        // SAFETY: The context is one of `init`, and no other call for it runs.
        T::reconfigure(sb, unsafe { options::<T>(fc) });
        0
    }
}

/// Sets up a context for a mount or a remount.
///
/// # Safety
///
/// The VFS calls this for a new context whose file system type is embedded in a [`Registration`] of
/// `T`.
pub(super) unsafe extern "C" fn init<T: FileSystem>(fc: *mut bindings::fs_context) -> c_int {
    // CAST: `kernel::bindings` knows the type by its name only.
    let fc: *mut more_bindings::fs_context = fc.cast();
    from_result(|| {
        let options = KBox::new(T::Options::default(), GFP_KERNEL)?;
        // SAFETY: The context is valid and nothing else uses it yet.
        unsafe {
            (*fc).fs_private = options.into_foreign();
            (*fc).ops = const { &VTable::<T>::OPS };
        }
        Ok(0)
    })
}

/// The options that a context of `T` was given.
///
/// # Safety
///
/// [`init()`] has set up the context, and no other call for it runs during `'a`.
pub(super) unsafe fn options<'a, T: FileSystem>(
    fc: *mut more_bindings::fs_context,
) -> &'a T::Options {
    // SAFETY: `fs_private` points to the options that `init` has put there. Only `parse_param`
    // writes them, which does not run during `'a`.
    unsafe { &*(*fc).fs_private.cast() }
}
