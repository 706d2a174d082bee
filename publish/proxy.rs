// SPDX-License-Identifier: GPL-2.0

//! Open files whose operations are another module's, which may go at any time.
//!
//! Each open file has operations of its own that pass calls on as long as what the file belongs to
//! was not removed; removal waits for calls that run. Then the files that are still open are
//! *shut*: the other module's `release` is called as by the last close. From then on nothing of the
//! other module is used.
//!
//! A file that is polled is not put on the wait queues of the other module: those who wait do so on
//! one of ours, which is told by theirs, and which we can leave alone when theirs goes.
//!
//! # Locks
//!
//! [`OpenFiles::open`] and `state` of a file are innermost. `poll` of a file is held while the
//! other module's `poll` is called.
//!
//! Corresponds to the full proxies in [`fs/debugfs/file.c`](srctree/fs/debugfs/file.c), and to
//! `kernfs_drain_open_files()` in [`fs/kernfs/file.c`](srctree/fs/kernfs/file.c).

#![allow(unsafe_code)]

use super::owner::Owner;
use crate::vfs::{
    bindings as more_bindings,
    file::{
        FileVTable,
        POLL_DEAD, //
    },
    foreign::ForeignFile,
    FileSystem,
    Inode, //
};
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    bindings,
    error::from_result,
    fs::File,
    module::this_module,
    new_condvar,
    new_mutex,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode, //
    },
    static_lock_class,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        poll::{
            PollCondVar,
            PollCondVarBox,
            PollTable, //
        },
        rcu,
        Arc,
        CondVar,
        Mutex, //
    },
    types::Opaque, //
};

/// Files of other modules, as a file system knows them.
pub(crate) trait ForeignFiles<T: FileSystem>: 'static {
    /// Keeps what the file belongs to from being removed. Must be able to be taken twice.
    type ActiveRef<'a>;

    /// Begins a call; `None` if what the file belongs to was removed.
    fn get_active(inode: &Inode<T>) -> Option<Self::ActiveRef<'_>>;

    /// What the file is.
    fn file(inode: &Inode<T>) -> Option<&ForeignFile>;

    /// Whom it belongs to, what tells it from others, and where its open files are listed.
    fn place(inode: &Inode<T>) -> Option<(Owner, usize, &OpenFiles)>;

    /// Whether files may be opened now at all.
    fn may_open() -> Result;
}

impl<T: FileSystem> FileVTable<T> {
    /// The operations for files of other modules.
    pub(crate) const fn foreign<F: ForeignFiles<T>>() -> Self {
        // What an inode has is only there to open the file.
        // SAFETY: The only function, `open`, is for any inode of `T`, and this module owns it.
        unsafe { Self::from_static(const { &VTable::<T, F>::INODE }) }
    }
}

/// The key of an open file in the list: what it belongs to, then the file.
type Key = (usize, usize);

/// The files of other modules that are open.
#[pin_data]
pub(crate) struct OpenFiles {
    /// Those that have not been closed, and whose `release` may not have been called yet.
    #[pin]
    open: Mutex<RBTree<Key, Arc<Proxy>>>,
    /// How many there are: where there are none, nobody need look.
    count: Atomic<usize>,
}

impl OpenFiles {
    /// None.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            open <- new_mutex!(RBTree::new(), "eventfs_open_files"),
            count: Atomic::new(0),
        })
    }

    /// The number of open files.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Shuts all open files of what was removed. May sleep.
    ///
    /// Nobody is inside any more, and nobody gets in: no file is opened meanwhile.
    pub(crate) fn shut(&self, belongs_to: usize) {
        // Who opened a file was inside when it was counted.
        // Acquire: who sees that a file was closed sees all that its `release` has done.
        while self.count.load(Acquire) != 0 {
            let found = {
                let open = self.open.lock();
                open.cursor_lower_bound(&(belongs_to, 0)).and_then(|at| {
                    let (key, proxy) = at.current();
                    (key.0 == belongs_to).then(|| (*key, proxy.clone()))
                })
            };
            let Some((key, proxy)) = found else {
                return;
            };
            // If the file is closed now, this waits until that has called `release`.
            proxy.shut();
            self.remove(&key);
        }
    }

    /// Takes a file off the list, if it is there.
    fn remove(&self, key: &Key) {
        let removed = self.open.lock().remove_node(key);
        if removed.is_some() {
            self.count.fetch_sub(1, Release);
        }
    }
}

/// How far an open file of another module is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is open.
    Open,
    /// Somebody is shutting it: calls the other module's `release`.
    Shutting,
    /// It is shut.
    Shut,
}

/// An open file of another module.
///
/// # Invariants
///
/// - `foreign` is valid until `state` is [`State::Shut`].
/// - `file` is the open file that has `operations` as its `f_op`, and is not freed before `state`
///   is [`State::Shut`]: its own release waits for that.
#[pin_data]
#[repr(C)]
struct Proxy {
    /// What the open file has as its `f_op`. First, so that a pointer to it is one to the whole.
    operations: bindings::file_operations,
    /// The other module's operations.
    foreign: *const bindings::file_operations,
    /// The file.
    file: *mut bindings::file,
    /// A module that is kept loaded while the file is not shut, null if there is none.
    keeps: *mut bindings::module,
    /// How far it is.
    #[pin]
    state: Mutex<State>,
    /// Tells that it is shut.
    #[pin]
    is_shut: CondVar,
    /// What polling needs, once the file was polled.
    #[pin]
    poll: Mutex<Option<Poll>>,
}

// SAFETY: What the pointers lead to may be used on any thread.
unsafe impl Send for Proxy {}
// SAFETY: As above; what changes is under locks.
unsafe impl Sync for Proxy {}

impl Proxy {
    /// The proxy of an open file.
    ///
    /// # Safety
    ///
    /// `file` was opened by [`VTable::open`], and is not freed for `'a`.
    unsafe fn of<'a>(file: *mut bindings::file) -> &'a Self {
        // SAFETY: By the type invariant `f_op` is part of the proxy, which the file owns a
        // reference of.
        unsafe { &*(*file).f_op.cast() }
    }

    /// The other module's operations.
    ///
    /// # Safety
    ///
    /// The caller is inside for `'a`, which keeps the file from being shut.
    unsafe fn foreign<'a>(&self) -> &'a bindings::file_operations {
        // SAFETY: By the type invariant.
        unsafe { &*self.foreign }
    }

    /// Ends the use of the other module's operations, as the last close does. May sleep.
    ///
    /// Nobody must be inside who uses this file. If somebody else is at it, this waits.
    fn shut(&self) {
        {
            let mut state = self.state.lock();
            while *state == State::Shutting {
                self.is_shut.wait(&mut state);
            }
            if *state == State::Shut {
                return;
            }
            *state = State::Shutting;
        }
        if let Some(poll) = &mut *self.poll.lock() {
            poll.leave();
        }
        // No lock is held: `release` may remove other things, whose files are shut then.
        // SAFETY: By the type invariants both are still valid: the file is not shut.
        unsafe {
            if let Some(release) = (*self.foreign).release {
                release((*self.file).f_inode, self.file);
            }
            // This does nothing if there is none.
            bindings::module_put(self.keeps);
        }
        *self.state.lock() = State::Shut;
        self.is_shut.notify_all();
    }
}

/// A place on a wait queue of another module, which passes on what it is told.
///
/// # Invariants
///
/// `entry` is on the queue `head` until it is taken off: by [`Poll::leave`], or by [`Hook::told`]
/// when the queue says that it goes (`POLLFREE`), after which `head` is null. The memory of a queue
/// that has said so stays for an RCU grace period.
#[pin_data]
struct Hook {
    /// What is on the queue. Its `private` is the [`PollCondVar`] that is told.
    #[pin]
    entry: Opaque<bindings::wait_queue_entry>,
    /// The queue, null once it has gone.
    head: Atomic<*mut bindings::wait_queue_head>,
}

/// What polling a file needs.
struct Poll {
    /// Where those who poll the file wait.
    wait: PollCondVarBox,
    /// Where the other module tells us; each queue once.
    hooks: KVec<Pin<KBox<Hook>>>,
}

// Nothing of it is pinned but by a box of its own.
impl Unpin for Poll {}

impl Poll {
    /// Nobody waits yet.
    fn new() -> Result<Self> {
        Ok(Self {
            wait: PollCondVarBox::new(c"eventfs_poll", static_lock_class!())?,
            hooks: KVec::new(),
        })
    }

    /// Makes sure that we are told by a queue. May sleep.
    fn hook(&mut self, head: *mut bindings::wait_queue_head) -> Result {
        if self
            .hooks
            .iter()
            .any(|hook| hook.head.load(Acquire) == head)
        {
            return Ok(());
        }
        self.hooks.retain(|hook| !hook.head.load(Acquire).is_null());
        let wait = ptr::from_ref::<PollCondVar>(&self.wait).cast_mut();
        self.hooks.reserve(1, GFP_KERNEL)?;
        let hook = KBox::pin_init(
            pin_init!(Hook {
                entry <- Opaque::ffi_init(|slot: *mut bindings::wait_queue_entry| {
                    // SAFETY: `slot` is valid for writes. This is `init_waitqueue_func_entry()`.
                    unsafe {
                        slot.write(bindings::wait_queue_entry {
                            private: wait.cast(),
                            func: Some(Hook::told),
                            ..pin_init::zeroed()
                        });
                    }
                }),
                head: Atomic::new(head),
            }),
            GFP_KERNEL,
        )?;
        let entry = hook.entry.get();
        self.hooks.push(hook, GFP_KERNEL)?;
        // INVARIANT: It is on the queue from here on. The push has not moved it.
        // SAFETY: The queue is valid: the other module has just given it. The entry is pinned.
        unsafe { bindings::add_wait_queue(head, entry) };
        Ok(())
    }

    /// Leaves all queues of the other module, and tells those who wait that the file is dead.
    fn leave(&mut self) {
        for hook in &self.hooks {
            let _rcu = rcu::read_lock();
            let head = hook.head.load(Acquire);
            if !head.is_null() {
                // If the queue goes right now, this finds an entry that is on no queue.
                // SAFETY: By the invariant of `Hook`; the memory of the queue stays until the RCU
                // read-side critical section ends.
                unsafe { bindings::remove_wait_queue(head, hook.entry.get()) };
            }
        }
        self.hooks.clear();
        self.wait.notify_all();
    }
}

impl Hook {
    /// The queue of the other module is woken up.
    ///
    /// # Safety
    ///
    /// Called for the entry of a hook, with the lock of the queue held.
    unsafe extern "C" fn told(
        entry: *mut bindings::wait_queue_entry,
        _mode: c_uint,
        _flags: c_int,
        key: *mut c_void,
    ) -> c_int {
        // SAFETY: `private` is the condition variable, which outlives the hook.
        let wait = unsafe { &*(*entry).private.cast::<PollCondVar>() };
        wait.notify_all();
        // CAST: The key is a mask of events.
        if key.addr() as u32 & more_bindings::EVENTFS_POLLFREE != 0 {
            let field = Opaque::cast_from(entry);
            // SAFETY: By the safety requirements.
            let hook = unsafe { &*kernel::container_of!(field, Self, entry) };
            // SAFETY: The lock of the queue is held, which its list is under. This is
            // `list_del_init()`.
            unsafe {
                let list = &raw mut (*entry).entry;
                let (next, prev) = ((*list).next, (*list).prev);
                (*next).prev = prev;
                (*prev).next = next;
                (*list).next = list;
                (*list).prev = list;
            }
            // The last thing: from here on who leaves does not take the lock.
            hook.head.store(ptr::null_mut(), Release);
        }
        1
    }
}

/// What the other module's `poll` is given: it collects the queues.
#[repr(C)]
struct Collector<'a> {
    /// First, so that a pointer to it is one to the whole.
    table: bindings::poll_table,
    /// Where they go.
    poll: &'a mut Poll,
    /// Whether one was lost, for want of memory.
    lost: bool,
}

impl Collector<'_> {
    /// Takes a queue.
    ///
    /// # Safety
    ///
    /// Called by `poll_wait()` with the table of a collector.
    unsafe extern "C" fn collect(
        _file: *mut bindings::file,
        head: *mut bindings::wait_queue_head,
        table: *mut bindings::poll_table,
    ) {
        // SAFETY: By the safety requirements; it is on the stack of who calls `poll`.
        let this = unsafe { &mut *table.cast::<Self>() };
        if this.poll.hook(head).is_err() {
            this.lost = true;
        }
    }
}

/// `read_iter` or `write_iter`.
type IterFunction = unsafe extern "C" fn(*mut bindings::kiocb, *mut bindings::iov_iter) -> isize;

/// C functions for files of other modules.
struct VTable<T: FileSystem, F: ForeignFiles<T>>(PhantomData<(T, F)>);

/// What C functions return for errors.
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

/// Defines operations that are nothing but the other module's, while the file is not dead.
macro_rules! pass_on {
    ($($(#[$doc:meta])* fn $name:ident($first:ident: $type:ty $(, $arg:ident: $argtype:ty)*)
        -> $result:ty = $file:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            ///
            /// Called by the VFS for a file that [`Self::open`] has opened.
            unsafe extern "C" fn $name($first: $type $(, $arg: $argtype)*) -> $result {
                let file: *mut bindings::file = $file;
                // SAFETY: An open file has an inode of `T` in use.
                let inode = unsafe { Inode::<T>::from_raw((*file).f_inode) };
                let Some(_inside) = F::get_active(inode) else {
                    return <$result>::from_error(ENODEV);
                };
                // SAFETY: By the safety requirements, and we are inside.
                match unsafe { Proxy::of(file).foreign() }.$name {
                    // SAFETY: The call is as the VFS has made it, and we are inside.
                    Some(function) => unsafe { function($first $(, $arg)*) },
                    None => <$result>::from_error(EINVAL),
                }
            }
        )*
    };
}

impl<T: FileSystem, F: ForeignFiles<T>> VTable<T, F> {
    /// What the inode of such a file has as its `i_fop`.
    const INODE: bindings::file_operations = bindings::file_operations {
        owner: this_module::<T::OwnerModule>().as_ptr(),
        open: Some(Self::open),
        ..pin_init::zeroed()
    };

    /// The operations for an open file: those that the other module has.
    fn operations_for(foreign: &bindings::file_operations) -> bindings::file_operations {
        /// `Some` of our function where they have one.
        macro_rules! those {
            ($($name:ident),*) => {
                bindings::file_operations {
                    owner: this_module::<T::OwnerModule>().as_ptr(),
                    release: Some(Self::release),
                    $($name: foreign.$name.and(Some(Self::$name)),)*
                    ..pin_init::zeroed()
                }
            };
        }
        those!(
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
    /// Called by the VFS for an inode of `T` that has [`Self::INODE`].
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: An inode that is opened is in use, and was published.
        let inode = unsafe { Inode::<T>::from_raw(inode) };
        from_result(|| {
            F::may_open()?;
            let _inside = F::get_active(inode).ok_or(ENODEV)?;
            let theirs = F::file(inode).ok_or(ENODEV)?;
            let (owner, belongs_to, list) = F::place(inode).ok_or(ENODEV)?;
            let foreign = theirs.operations.as_ptr();
            // SAFETY: We are inside: they are valid.
            let keeps = unsafe { Self::keep_other(owner, (*foreign).owner) }?;
            // SAFETY: The caller opens the file, and we are inside.
            unsafe { Self::open_as(inode, file, foreign, keeps, belongs_to, list) }.inspect_err(
                // SAFETY: The reference was taken above, and is not needed. There may be none.
                |_| unsafe { bindings::module_put(keeps) },
            )?;
            Ok(0)
        })
    }

    /// Takes a reference to the module of operations, if that is not who the file belongs to and
    /// will remove it in time.
    ///
    /// # Safety
    ///
    /// `module` is null or that of operations that are valid.
    unsafe fn keep_other(
        owner: Owner,
        module: *mut bindings::module,
    ) -> Result<*mut bindings::module> {
        if module.is_null() || owner.is(module) {
            return Ok(ptr::null_mut());
        }
        // SAFETY: By the safety requirements.
        if unsafe { bindings::try_module_get(module) } {
            Ok(module)
        } else {
            Err(ENODEV)
        }
    }

    /// Opens a file with operations of another module.
    ///
    /// # Safety
    ///
    /// `file` is being opened for `inode`, and the caller is inside. `keeps` is null or a module
    /// reference that the file takes over if this succeeds.
    unsafe fn open_as(
        inode: &Inode<T>,
        file: *mut bindings::file,
        foreign: *const bindings::file_operations,
        keeps: *mut bindings::module,
        belongs_to: usize,
        list: &OpenFiles,
    ) -> Result {
        // SAFETY: The caller is inside.
        let operations = Self::operations_for(unsafe { &*foreign });
        // INVARIANT: The file is shut by its release at the latest.
        let proxy = Arc::pin_init(
            pin_init!(Proxy {
                operations,
                foreign,
                file,
                keeps,
                state <- new_mutex!(State::Open, "eventfs_proxy_state"),
                is_shut <- new_condvar!("eventfs_proxy_is_shut"),
                poll <- new_mutex!(None, "eventfs_proxy_poll"),
            }),
            GFP_KERNEL,
        )?;
        let key = (belongs_to, file.addr());
        let node = RBTreeNode::new(key, proxy.clone(), GFP_KERNEL)?;
        // CAST: The operations are the first field.
        let ours: *const bindings::file_operations = Arc::into_raw(proxy).cast();

        // SAFETY: A file that is being opened is the caller's, and owns the proxy from here on: it
        // is found by its `f_op`. Both have the same owner, so its count stays right.
        unsafe { (*file).f_op = ours };
        // SAFETY: The call is as the VFS has made it, and we are inside.
        let error = unsafe { (*foreign).open.map_or(0, |open| open(inode.as_ptr(), file)) };
        // SAFETY: As above. Who replaces operations puts their owner, which then is taken again:
        // better once too often.
        unsafe {
            if (*file).f_op != ours {
                kernel::pr_warn_once!(
                    "a module's open() has replaced the operations of its file\n"
                );
                bindings::__module_get((*ours).owner);
                (*file).f_op = ours;
            }
        }
        if error != 0 {
            // SAFETY: As above; the file gives the proxy back.
            unsafe { Self::disown(file) };
            // Only errors may be returned.
            return Err(if error < 0 {
                Error::from_errno(error)
            } else {
                EINVAL
            });
        }
        list.open.lock().insert(node);
        list.count.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Takes the proxy from a file.
    ///
    /// # Safety
    ///
    /// The file owns one, and is being opened or released by the caller.
    unsafe fn disown(file: *mut bindings::file) {
        // SAFETY: By the safety requirements. The operations of the inode have the same owner.
        unsafe {
            let proxy = (*file).f_op.cast_mut();
            (*file).f_op = &Self::INODE;
            drop(Arc::from_raw(proxy.cast::<Proxy>()));
        }
    }

    /// The last user of a file has gone.
    ///
    /// # Safety
    ///
    /// Called by the VFS for a file that [`Self::open`] has opened.
    unsafe extern "C" fn release(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: By the safety requirements.
        unsafe { Proxy::of(file) }.shut();
        // SAFETY: An open file has an inode of `T` in use.
        if let Some((_, belongs_to, list)) = F::place(unsafe { Inode::from_raw(inode) }) {
            list.remove(&(belongs_to, file.addr()));
        }
        // SAFETY: As above; the operations are not used any more.
        unsafe { Self::disown(file) };
        0
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
            position: *mut bindings::loff_t
        ) -> isize = file;

        /// Writes.
        fn write(
            file: *mut bindings::file,
            buffer: *const c_char,
            len: usize,
            position: *mut bindings::loff_t
        ) -> isize = file;

        /// Does what the number says.
        fn unlocked_ioctl(
            file: *mut bindings::file,
            command: c_uint,
            argument: c_ulong
        ) -> c_long = file;

        /// Does what the number says, for a 32-bit caller.
        fn compat_ioctl(
            file: *mut bindings::file,
            command: c_uint,
            argument: c_ulong
        ) -> c_long = file;

        /// Writes out what is not written out yet.
        fn fsync(
            file: *mut bindings::file,
            start: bindings::loff_t,
            end: bindings::loff_t,
            datasync: c_int
        ) -> c_int = file;

        /// Moves data into a pipe.
        fn splice_read(
            file: *mut bindings::file,
            position: *mut bindings::loff_t,
            pipe: *mut bindings::pipe_inode_info,
            len: usize,
            flags: c_uint
        ) -> isize = file;

        /// Moves data out of a pipe.
        fn splice_write(
            pipe: *mut bindings::pipe_inode_info,
            file: *mut bindings::file,
            position: *mut bindings::loff_t,
            len: usize,
            flags: c_uint
        ) -> isize = file;
    }

    /// Reads or writes segments, and is done when it returns: what completes later cannot be waited
    /// for.
    ///
    /// # Safety
    ///
    /// The call is one of the VFS for a file that [`Self::open`] has opened; `function` gives the
    /// operation for it.
    unsafe fn iter(
        kiocb: *mut bindings::kiocb,
        iter: *mut bindings::iov_iter,
        function: fn(&bindings::file_operations) -> Option<IterFunction>,
    ) -> isize {
        // SAFETY: By the safety requirements.
        let file = unsafe { (*kiocb).ki_filp };
        // SAFETY: An open file has an inode of `T` in use.
        let inode = unsafe { Inode::<T>::from_raw((*file).f_inode) };
        let Some(_inside) = F::get_active(inode) else {
            return isize::from_error(ENODEV);
        };
        // SAFETY: By the safety requirements, and we are inside.
        let Some(function) = function(unsafe { Proxy::of(file).foreign() }) else {
            return isize::from_error(EINVAL);
        };
        // SAFETY: The call is as the VFS has made it, but for that it cannot be completed later
        // (`is_sync_kiocb()`), and we are inside.
        unsafe {
            let mut at_once = *kiocb;
            at_once.ki_complete = None;
            // It is not the one that fs/aio.c has made.
            at_once.ki_flags &= !(bindings::IOCB_AIO_RW as c_int);
            let done = function(&raw mut at_once, iter);
            (*kiocb).ki_pos = at_once.ki_pos;
            done
        }
    }

    /// Reads into segments.
    ///
    /// # Safety
    ///
    /// Called by the VFS for a file that [`Self::open`] has opened.
    unsafe extern "C" fn read_iter(
        kiocb: *mut bindings::kiocb,
        to: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: As for this function.
        unsafe { Self::iter(kiocb, to, |foreign| foreign.read_iter) }
    }

    /// Writes segments.
    ///
    /// # Safety
    ///
    /// Called by the VFS for a file that [`Self::open`] has opened.
    unsafe extern "C" fn write_iter(
        kiocb: *mut bindings::kiocb,
        from: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: As for this function.
        unsafe { Self::iter(kiocb, from, |foreign| foreign.write_iter) }
    }

    /// A descriptor of the file is closed: that a dead file has nothing to write out is no error.
    ///
    /// # Safety
    ///
    /// Called by the VFS for a file that [`Self::open`] has opened.
    unsafe extern "C" fn flush(file: *mut bindings::file, id: bindings::fl_owner_t) -> c_int {
        // SAFETY: An open file has an inode of `T` in use.
        let inode = unsafe { Inode::<T>::from_raw((*file).f_inode) };
        let Some(_inside) = F::get_active(inode) else {
            return 0;
        };
        // SAFETY: By the safety requirements, and we are inside.
        match unsafe { Proxy::of(file).foreign() }.flush {
            // SAFETY: The call is as the VFS has made it, and we are inside.
            Some(flush) => unsafe { flush(file, id) },
            None => 0,
        }
    }

    /// Asks what the file is ready for, and has whoever waits be told.
    ///
    /// # Safety
    ///
    /// Called by the VFS for a file that [`Self::open`] has opened.
    unsafe extern "C" fn poll(
        file: *mut bindings::file,
        table: *mut bindings::poll_table_struct,
    ) -> bindings::__poll_t {
        // SAFETY: An open file has an inode of `T` in use.
        let inode = unsafe { Inode::<T>::from_raw((*file).f_inode) };
        let Some(_inside) = F::get_active(inode) else {
            return POLL_DEAD;
        };
        // SAFETY: By the safety requirements.
        let proxy = unsafe { Proxy::of(file) };
        // SAFETY: We are inside.
        let Some(poll) = (unsafe { proxy.foreign() }).poll else {
            return POLL_DEAD;
        };
        let mut state = proxy.poll.lock();
        if state.is_none() {
            match Poll::new() {
                Ok(new) => *state = Some(new),
                // Who cannot be told must not wait.
                Err(_) => return POLL_DEAD,
            }
        }
        let Some(state) = &mut *state else {
            return POLL_DEAD;
        };
        // Before the question, so that nothing is missed in between.
        // SAFETY: Both are valid during the call, and the file keeps the state until it is freed.
        unsafe { PollTable::from_raw(table).register_wait(File::from_raw_file(file), &state.wait) };
        let mut collector = Collector {
            table: bindings::poll_table {
                _qproc: Some(Collector::collect),
                // SAFETY: The table is null or valid during the call.
                _key: unsafe { table.as_ref() }.map_or(!0, |table| table._key),
            },
            poll: state,
            lost: false,
        };
        // SAFETY: We are inside. The table is part of a collector.
        let ready = unsafe { poll(file, (&raw mut collector).cast()) };
        if collector.lost {
            return POLL_DEAD;
        }
        ready
    }
}
