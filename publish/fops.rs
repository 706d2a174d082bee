// SPDX-License-Identifier: GPL-2.0

//! File operations of modules' files.
//!
//! The inode of such a file has [`INODE`] as its `i_fop`, which can only open the file. Each open
//! file has operations of its own in `f_op`: one of the functions here for each operation that the
//! module has, and null for the others. The life of an open file is described in
//! [`proxy`](super::proxy).
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h) (`struct file_operations`).

#![allow(unsafe_code)]

use super::{
    clients::client_of,
    owner::ModuleRef,
    poll::Poll,
    proxy::{
        OpenFiles,
        Proxy, //
    },
};
use crate::{
    event_inode::{
        EventFs,
        EventInode,
        ForeignFile,
        Meta, //
    },
    nodes::{
        ActiveRef,
        Node, //
    },
    vfs::{
        check_lockdown,
        file::POLL_DEAD,
        FileVTable, //
    },
};
use kernel::{
    bindings,
    error::from_result,
    module::this_module,
    prelude::*,
    sync::Arc, //
};

/// The operations of inodes, which can only open the file.
const INODE: bindings::file_operations = bindings::file_operations {
    owner: this_module::<crate::LocalModule>().as_ptr(),
    open: Some(open),
    ..pin_init::zeroed()
};

/// The operations of inodes, as look-ups hand them out.
// SAFETY: This module owns the operations. `open()` is sound for each inode of eventfs: it fails
// for those that are not files of modules. It replaces the operations of the open file.
pub(super) const FOREIGN: FileVTable<EventFs> = unsafe { FileVTable::from_static(&INODE) };

/// The file of a module that an inode stands for.
fn foreign_file(inode: &EventInode) -> Option<&ForeignFile> {
    inode.private()?.foreign()
}

/// A call of an operation of a module.
///
/// # Invariants
///
/// `_active` is an active reference to the node of the file that has `proxy`, which is open for
/// `'a`.
struct Call<'a> {
    /// The proxy of the file.
    proxy: &'a Proxy,
    /// Removal of the node waits for this.
    _active: ActiveRef<'a, Meta>,
}

impl<'a> Call<'a> {
    /// Begins a call; `None` if the node of the file was removed.
    ///
    /// # Safety
    ///
    /// `file` was opened by [`open`], and is not closed for `'a`.
    unsafe fn begin(file: *mut bindings::file) -> Option<Self> {
        // SAFETY: The file is open for `'a` by the safety requirements. It keeps its inode, which
        // is a published one of eventfs, since `open()` was called for it.
        let inode = unsafe { EventInode::from_raw((*file).f_inode) };
        let node = foreign_file(inode)?.anchor();
        // INVARIANT: The node is the one that the file was opened for.
        Some(Self {
            _active: node.get_active()?,
            // SAFETY: `open()` gave the file a proxy, which it owns until it is closed.
            proxy: unsafe { Proxy::of(file) },
        })
    }

    /// The module's operations.
    fn foreign(&self) -> &bindings::file_operations {
        // SAFETY: The operations are valid until the proxy is released. The file is not closed for
        // `'a`, and its node is not drained while there is the active reference, by the type
        // invariant: so the proxy is not released as long as `self` is there.
        unsafe { &*self.proxy.foreign() }
    }
}

/// The type of `read_iter` and `write_iter`.
type IterFunction = unsafe extern "C" fn(*mut bindings::kiocb, *mut bindings::iov_iter) -> isize;

/// Types that C functions return errors in.
trait FromError {
    /// The value for an error.
    fn from_error(error: Error) -> Self;
}

impl FromError for c_int {
    fn from_error(error: Error) -> Self {
        error.to_errno()
    }
}

impl FromError for isize {
    fn from_error(error: Error) -> Self {
        // CAST: Error numbers are small.
        error.to_errno() as isize
    }
}

impl FromError for bindings::loff_t {
    fn from_error(error: Error) -> Self {
        Self::from(error.to_errno())
    }
}

/// The operations for an open file: a function for each one that the module has.
fn fops_for(foreign: &bindings::file_operations) -> bindings::file_operations {
    /// Fills in our function where the module has one.
    macro_rules! fops {
        ($($name:ident),*) => {
            bindings::file_operations {
                owner: this_module::<crate::LocalModule>().as_ptr(),
                release: Some(release),
                $($name: foreign.$name.and(Some($name)),)*
                ..pin_init::zeroed()
            }
        };
    }
    fops!(
        llseek,
        read,
        write,
        read_iter,
        write_iter,
        poll,
        unlocked_ioctl,
        compat_ioctl,
        flush,
        fsync,
        splice_read,
        splice_write
    )
}

/// Opens a file.
///
/// # Safety
///
/// Called by the VFS for an inode of eventfs that has [`INODE`], and for a file that is being
/// opened.
unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
    // SAFETY: An inode that is being opened is in use, and was published.
    let inode = unsafe { EventInode::from_raw(inode) };
    from_result(|| {
        check_lockdown()?;
        let theirs = foreign_file(inode).ok_or(ENODEV)?;
        let node = theirs.anchor();
        let _active = node.get_active().ok_or(ENODEV)?;
        let client = client_of(node).ok_or(ENODEV)?;
        let foreign = theirs.fops().as_ptr();
        // SAFETY: The operations are valid until their node is drained, by the invariants of
        // `ForeignFile`. There is an active reference to it during this call. Their module is in
        // memory as long as they are.
        let module = unsafe { ModuleRef::get_unless(client.owner(), (*foreign).owner) }?;
        // SAFETY: The inode is in use, and `theirs` is its file, so that each open writes the same
        // value. Operations of the module, which read it, run after an open.
        unsafe {
            (&raw mut (*inode.as_ptr()).i_private).write_volatile(theirs.data().as_ptr());
        }
        // SAFETY: The file is being opened for the inode. The operations are those of `node`, to
        // which there is an active reference.
        unsafe { open_as(inode, file, node, foreign, module, client.open_files()) }?;
        Ok(0)
    })
}

/// Opens a file with the operations of a module.
///
/// # Errors
///
/// Errors of the module's `open()`; `EINVAL` if that returns a positive number. `ENOMEM`.
///
/// # Safety
///
/// - `file` is being opened for `inode`, which has [`INODE`].
/// - `foreign` is valid until `node` is drained. The caller has an active reference to `node`, and
///   `list` is that of its client.
unsafe fn open_as(
    inode: &EventInode,
    file: *mut bindings::file,
    node: &Node<Meta>,
    foreign: *const bindings::file_operations,
    module: Option<ModuleRef>,
    list: &OpenFiles,
) -> Result {
    // SAFETY: The operations are valid: there is an active reference to the node.
    let fops = fops_for(unsafe { &*foreign });
    // SAFETY: The operations are valid until the node is drained. The provider of the node releases
    // the file then, as it is in the list. The file is valid until its last close has called
    // `release()`, which returns after the proxy was released.
    let proxy = unsafe { Proxy::new(fops, foreign, file, module) }?;
    let place = OpenFiles::reserve()?;
    let ours = proxy.fops();
    let _ = Arc::into_raw(proxy.clone());
    // SAFETY: Only the opener uses a file that is being opened. From here on the file owns a
    // reference to the proxy, which `f_op` leads to. Old and new operations have the same owner, so
    // that the VFS puts the right module at the last close.
    unsafe { (*file).f_op = ours };
    // SAFETY: The operation is valid: there is an active reference to the node. The call is as the
    // VFS has made it.
    let error = unsafe { (*foreign).open.map_or(0, |open| open(inode.as_ptr(), file)) };
    // SAFETY: Only the opener uses the file. A module that replaced the operations may have put
    // their owner, so that a reference is taken again: one too many only keeps this module loaded.
    unsafe {
        if (*file).f_op != ours {
            kernel::pr_warn_once!("a module's open() has replaced the operations of its file\n");
            bindings::__module_get((*ours).owner);
            (*file).f_op = ours;
        }
    }
    if error != 0 {
        // SAFETY: The file owns a proxy, and is still being opened.
        unsafe { disown(file) };
        // Only errors may be returned.
        return Err(if error < 0 {
            Error::from_errno(error)
        } else {
            EINVAL
        });
    }
    // SAFETY: The caller has an active reference to the node, which the file belongs to.
    unsafe { list.add(place, node, proxy) };
    Ok(())
}

/// Takes the proxy from a file.
///
/// # Safety
///
/// The file owns a proxy, and is being opened or released by the caller.
unsafe fn disown(file: *mut bindings::file) {
    // SAFETY: By the safety requirements `f_op` points to the first field of a proxy, and the
    // reference of it that the file owns is given up here. The operations of the inode, which take
    // its place, have the same owner.
    unsafe {
        let proxy = (*file).f_op.cast_mut();
        (*file).f_op = &INODE;
        drop(Arc::from_raw(proxy.cast::<Proxy>()));
    }
}

/// Ends the last use of a file.
///
/// # Safety
///
/// Called by the VFS for a file that [`open`] has opened, after its last close.
unsafe extern "C" fn release(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
    // SAFETY: `open()` gave the file a proxy, which it owns until the end of this function.
    let proxy = unsafe { Proxy::of(file) };
    // SAFETY: The VFS calls no operation of the file at the same time or later.
    unsafe { proxy.release() };
    // SAFETY: The file has kept its inode, which is a published one of eventfs.
    let inode = unsafe { EventInode::from_raw(inode) };
    if let Some(node) = foreign_file(inode).map(ForeignFile::anchor) {
        if let Some(client) = client_of(node) {
            client.open_files().remove_released(node, proxy);
        }
    }
    // SAFETY: The file owns the proxy, and is being released. The proxy is not used below.
    unsafe { disown(file) };
    0
}

/// Defines operations that only call the module's, unless the node of the file was removed.
macro_rules! pass_on {
    ($($(#[$doc:meta])* fn $name:ident($first:ident: $type:ty $(, $arg:ident: $argtype:ty)*)
        -> $result:ty = $file:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            ///
            /// Called by the VFS for a file that [`open`] has opened.
            unsafe extern "C" fn $name($first: $type $(, $arg: $argtype)*) -> $result {
                let file: *mut bindings::file = $file;
                // SAFETY: `open()` has opened the file, and the VFS does not close it during a
                // call.
                let Some(call) = (unsafe { Call::begin(file) }) else {
                    return <$result>::from_error(ENODEV);
                };
                match call.foreign().$name {
                    // SAFETY: The arguments are those of the VFS. The operation is valid as long as
                    // `call` is there.
                    Some(function) => unsafe { function($first $(, $arg)*) },
                    None => <$result>::from_error(EINVAL),
                }
            }
        )*
    };
}

pass_on! {
    /// Moves the position.
    fn llseek(
        file: *mut bindings::file,
        offset: bindings::loff_t,
        whence: c_int
    ) -> bindings::loff_t = file;

    /// Reads.
    fn read(
        file: *mut bindings::file,
        buffer: *mut c_char,
        len: usize,
        pos: *mut bindings::loff_t
    ) -> isize = file;

    /// Writes.
    fn write(
        file: *mut bindings::file,
        buffer: *const c_char,
        len: usize,
        pos: *mut bindings::loff_t
    ) -> isize = file;

    /// Executes a command.
    fn unlocked_ioctl(
        file: *mut bindings::file,
        command: c_uint,
        argument: c_ulong
    ) -> c_long = file;

    /// Executes a command of a 32-bit caller.
    fn compat_ioctl(
        file: *mut bindings::file,
        command: c_uint,
        argument: c_ulong
    ) -> c_long = file;

    /// Writes back what is dirty.
    fn fsync(
        file: *mut bindings::file,
        start: bindings::loff_t,
        end: bindings::loff_t,
        datasync: c_int
    ) -> c_int = file;

    /// Moves data into a pipe.
    fn splice_read(
        file: *mut bindings::file,
        pos: *mut bindings::loff_t,
        pipe: *mut bindings::pipe_inode_info,
        len: usize,
        flags: c_uint
    ) -> isize = file;

    /// Moves data out of a pipe.
    fn splice_write(
        pipe: *mut bindings::pipe_inode_info,
        file: *mut bindings::file,
        pos: *mut bindings::loff_t,
        len: usize,
        flags: c_uint
    ) -> isize = file;
}

/// Reads or writes segments synchronously: removal could not wait for a later completion.
///
/// # Safety
///
/// `kiocb` and `iter` are those of a call of the VFS for a file that [`open`] has opened.
/// `function` returns the operation for this call.
unsafe fn iter(
    kiocb: *mut bindings::kiocb,
    iter: *mut bindings::iov_iter,
    function: fn(&bindings::file_operations) -> Option<IterFunction>,
) -> isize {
    // SAFETY: The structure is valid during the call.
    let file = unsafe { (*kiocb).ki_filp };
    // SAFETY: `open()` has opened the file, and the VFS does not close it during a call.
    let Some(call) = (unsafe { Call::begin(file) }) else {
        return isize::from_error(ENODEV);
    };
    let Some(function) = function(call.foreign()) else {
        return isize::from_error(EINVAL);
    };
    // SAFETY: The arguments are those of the VFS, but for a copy of the structure that says that
    // the call is not completed later (`is_sync_kiocb()`). The operation is valid as long as `call`
    // is there.
    unsafe {
        let mut synchronous = *kiocb;
        synchronous.ki_complete = None;
        // The copy is not the structure that fs/aio.c has made.
        synchronous.ki_flags &= !(bindings::IOCB_AIO_RW as c_int);
        let done = function(&raw mut synchronous, iter);
        (*kiocb).ki_pos = synchronous.ki_pos;
        done
    }
}

/// Reads into segments.
///
/// # Safety
///
/// Called by the VFS for a file that [`open`] has opened.
unsafe extern "C" fn read_iter(kiocb: *mut bindings::kiocb, to: *mut bindings::iov_iter) -> isize {
    // SAFETY: The VFS makes the call, for a file that `open()` has opened and for `read_iter`.
    unsafe { iter(kiocb, to, |foreign| foreign.read_iter) }
}

/// Writes segments.
///
/// # Safety
///
/// Called by the VFS for a file that [`open`] has opened.
unsafe extern "C" fn write_iter(
    kiocb: *mut bindings::kiocb,
    from: *mut bindings::iov_iter,
) -> isize {
    // SAFETY: The VFS makes the call, for a file that `open()` has opened and for `write_iter`.
    unsafe { iter(kiocb, from, |foreign| foreign.write_iter) }
}

/// Closes a descriptor. That a dead file has nothing to write back is no error.
///
/// # Safety
///
/// Called by the VFS for a file that [`open`] has opened.
unsafe extern "C" fn flush(file: *mut bindings::file, id: bindings::fl_owner_t) -> c_int {
    // SAFETY: `open()` has opened the file, and the VFS does not close it during a call.
    let Some(call) = (unsafe { Call::begin(file) }) else {
        return 0;
    };
    match call.foreign().flush {
        // SAFETY: The arguments are those of the VFS. The operation is valid as long as `call` is
        // there.
        Some(flush) => unsafe { flush(file, id) },
        None => 0,
    }
}

/// Returns the events that the file is ready for, and has the caller woken at changes.
///
/// # Safety
///
/// Called by the VFS for a file that [`open`] has opened.
unsafe extern "C" fn poll(
    file: *mut bindings::file,
    table: *mut bindings::poll_table_struct,
) -> bindings::__poll_t {
    // SAFETY: `open()` has opened the file, and the VFS does not close it during a call.
    let Some(call) = (unsafe { Call::begin(file) }) else {
        return POLL_DEAD;
    };
    let Some(poll) = call.foreign().poll else {
        return POLL_DEAD;
    };
    let mut state = call.proxy.poll.lock();
    // SAFETY: The VFS makes the call, and the operation is valid as long as `call` is there. The
    // state is left before the module's `release()` is called, until which a module keeps the
    // queues that its `poll()` names. It is dropped with the proxy, which the file owns.
    unsafe { Poll::ask(&mut state, poll, file, table) }
}
