// SPDX-License-Identifier: GPL-2.0

//! Polling files of modules.
//!
//! Pollers of such a file wait on our own queue. A [`Hook`] on each queue of the module forwards
//! wake-ups to it. Pollers cannot be taken off a queue when its module goes; hooks can, and are
//! taken off before the module's `release()` is called.

#![allow(unsafe_code)]

use crate::vfs::{
    bindings as more_bindings,
    file::POLL_DEAD, //
};
use core::ptr;
use kernel::{
    bindings,
    fs::File,
    prelude::*,
    static_lock_class,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        poll::{
            PollCondVar,
            PollCondVarBox,
            PollTable, //
        },
        rcu, //
    },
    types::Opaque, //
};

/// The type of the operation `poll`.
pub(super) type PollFunction =
    unsafe extern "C" fn(*mut bindings::file, *mut bindings::poll_table_struct) -> u32;

/// An entry on a wait queue of another module, which forwards wake-ups to a queue of ours.
///
/// # Invariants
///
/// - `entry` is on the queue `head` until the drop, or until [`Hook::wake`] takes it off, because
///   the queue says that it goes (`POLLFREE`). After that `head` is null.
/// - The queue is valid until it has said so, and its memory for an RCU grace period longer.
/// - `private` of `entry` points to a [`PollCondVar`] that outlives the hook.
#[pin_data(PinnedDrop)]
struct Hook {
    /// The entry on the queue.
    #[pin]
    entry: Opaque<bindings::wait_queue_entry>,
    /// The queue, null once it has gone.
    head: Atomic<*mut bindings::wait_queue_head>,
}

impl Hook {
    /// Puts a hook on a queue. May sleep.
    ///
    /// # Safety
    ///
    /// `head` is a wait queue that is valid until the hook is dropped, or until the queue says that
    /// it goes. `wait` is valid until the hook was dropped.
    unsafe fn new(
        head: *mut bindings::wait_queue_head,
        wait: *const PollCondVar,
    ) -> Result<Pin<KBox<Self>>> {
        let entry = Opaque::ffi_init(|slot: *mut bindings::wait_queue_entry| {
            // SAFETY: `slot` is valid for writes. This is `init_waitqueue_func_entry()`.
            unsafe {
                slot.write(bindings::wait_queue_entry {
                    private: wait.cast_mut().cast(),
                    func: Some(Self::wake),
                    ..pin_init::zeroed()
                });
            }
        });
        let head = Atomic::new(head);
        // INVARIANT: The entry is put on the queue below, before the hook is returned. Queue and
        // condition variable are valid by the safety requirements.
        let hook = KBox::pin_init(pin_init!(Self { entry <- entry, head }), GFP_KERNEL)?;
        // SAFETY: The queue is valid by the safety requirements. The entry is complete and pinned,
        // and taken off the queue by the drop at the latest.
        unsafe { bindings::add_wait_queue(hook.head.load(Acquire), hook.entry.get()) };
        Ok(hook)
    }

    /// Whether the hook is on this queue.
    fn is_on(&self, head: *mut bindings::wait_queue_head) -> bool {
        self.head.load(Acquire) == head
    }

    /// Forwards a wake-up of the module's queue.
    ///
    /// # Safety
    ///
    /// Called for the entry of a hook that is on a queue, with the lock of the queue held.
    unsafe extern "C" fn wake(
        entry: *mut bindings::wait_queue_entry,
        _mode: c_uint,
        _flags: c_int,
        key: *mut c_void,
    ) -> c_int {
        // SAFETY: By the type invariant `private` points to a condition variable that outlives the
        // hook, which is not dropped before it is off the queue.
        let wait = unsafe { &*(*entry).private.cast::<PollCondVar>() };
        wait.notify_all();
        // CAST: The key is a mask of events.
        if key.addr() as u32 & more_bindings::EVENTFS_POLLFREE != 0 {
            let field = Opaque::cast_from(entry);
            // SAFETY: The entry is the field of a hook by the safety requirements. The drop of that
            // waits for the lock of the queue as long as `head` is not null.
            let hook = unsafe { &*kernel::container_of!(field, Self, entry) };
            // SAFETY: The entry is on a queue whose lock is held, so that its neighbours are valid
            // and do not change. This is `list_del_init()`.
            unsafe {
                let list = &raw mut (*entry).entry;
                let (next, prev) = ((*list).next, (*list).prev);
                (*next).prev = prev;
                (*prev).next = next;
                (*list).next = list;
                (*list).prev = list;
            }
            // INVARIANT: The entry is off the queue. This comes last: from here on the drop does
            // not wait for the lock.
            hook.head.store(ptr::null_mut(), Release);
        }
        1
    }
}

#[pinned_drop]
impl PinnedDrop for Hook {
    fn drop(self: Pin<&mut Self>) {
        let _rcu = rcu::read_lock();
        let head = self.head.load(Acquire);
        if !head.is_null() {
            // If the queue goes right now, this finds an entry that is on no queue.
            // SAFETY: The queue had not said before the RCU read-side critical section that it
            // goes, so by the type invariants its memory is valid until the section ends.
            unsafe { bindings::remove_wait_queue(head, self.entry.get()) };
        }
    }
}

/// The state of a file that was polled.
///
/// # Invariants
///
/// The hooks forward to `wait`, which is in a box and declared after them: it is dropped last.
pub(super) struct Poll {
    /// One hook on each queue that the module has named.
    hooks: KVec<Pin<KBox<Hook>>>,
    /// The queue that pollers wait on.
    wait: PollCondVarBox,
}

// The fields are pinned in boxes of their own.
impl Unpin for Poll {}

impl Poll {
    /// No pollers and no hooks.
    fn new() -> Result<Self> {
        Ok(Self {
            hooks: KVec::new(),
            wait: PollCondVarBox::new(c"eventfs_poll", static_lock_class!())?,
        })
    }

    /// Makes sure that there is a hook on a queue. May sleep.
    ///
    /// # Safety
    ///
    /// `head` is a wait queue that is valid until [`Self::leave`] or the drop, or until it says
    /// that it goes.
    unsafe fn hook(&mut self, head: *mut bindings::wait_queue_head) -> Result {
        if self.hooks.iter().any(|hook| hook.is_on(head)) {
            return Ok(());
        }
        self.hooks.retain(|hook| !hook.is_on(ptr::null_mut()));
        self.hooks.reserve(1, GFP_KERNEL)?;
        let wait = ptr::from_ref::<PollCondVar>(&self.wait);
        // INVARIANT: The hook forwards to `wait`.
        // SAFETY: The queue is valid by the safety requirements until the hook is dropped. `wait`
        // is dropped after the hooks by the type invariant.
        let hook = unsafe { Hook::new(head, wait) }?;
        self.hooks.push(hook, GFP_KERNEL)?;
        Ok(())
    }

    /// Takes the hooks off the queues of the module, and wakes the pollers.
    pub(super) fn leave(&mut self) {
        self.hooks.clear();
        self.wait.notify_all();
    }

    /// Asks a module for the events that a file is ready for, and puts the caller on our queue.
    /// `state` is made if there is none yet. May sleep.
    ///
    /// # Safety
    ///
    /// - `file` and `table` are those of a call of `poll` by the VFS, which lasts during this call.
    /// - `poll` is the operation that the module has for the file.
    /// - `state` is left or dropped before a wait queue that `poll` names is freed, unless the
    ///   queue says that it goes, and is dropped with the file or later.
    pub(super) unsafe fn ask(
        state: &mut Option<Self>,
        poll: PollFunction,
        file: *mut bindings::file,
        table: *mut bindings::poll_table_struct,
    ) -> bindings::__poll_t {
        let state = match state {
            Some(state) => state,
            none => match Self::new() {
                Ok(new) => none.insert(new),
                // A poller that cannot be woken must not wait.
                Err(_) => return POLL_DEAD,
            },
        };
        // Before the module is asked, so that no wake-up in between is missed.
        // SAFETY: The file is valid during the call, and the table is null or valid during the
        // call. The queue of `state` is valid as long as the file.
        unsafe { PollTable::from_raw(table).register_wait(File::from_raw_file(file), &state.wait) };
        let mut collector = Collector {
            table: bindings::poll_table {
                _qproc: Some(Collector::collect),
                // SAFETY: The table is null or valid during the call.
                _key: unsafe { table.as_ref() }.map_or(!0, |table| table._key),
            },
            poll: state,
            failed: false,
        };
        // SAFETY: The call is as the VFS has made it, but for the table. That is the first field of
        // a collector, as `collect()` requires, and is valid during the call.
        let ready = unsafe { poll(file, (&raw mut collector).cast()) };
        if collector.failed {
            return POLL_DEAD;
        }
        ready
    }
}

/// The table that the module's `poll` is called with: it puts hooks on the queues that are named.
#[repr(C)]
struct Collector<'a> {
    /// The table. First, so that a pointer to it is one to the collector.
    table: bindings::poll_table,
    /// The state that gets the hooks.
    poll: &'a mut Poll,
    /// Whether a queue has got no hook, for want of memory.
    failed: bool,
}

impl Collector<'_> {
    /// Puts a hook on a queue.
    ///
    /// # Safety
    ///
    /// Called by `poll_wait()` with the table of a collector that is not used otherwise during the
    /// call. `head` is valid as [`Poll::hook`] requires.
    unsafe extern "C" fn collect(
        _file: *mut bindings::file,
        head: *mut bindings::wait_queue_head,
        table: *mut bindings::poll_table,
    ) {
        // SAFETY: The table is the first field of a collector that is not used otherwise during the
        // call, by the safety requirements.
        let this = unsafe { &mut *table.cast::<Self>() };
        // SAFETY: The queue is valid for as long as is required, by the safety requirements.
        if unsafe { this.poll.hook(head) }.is_err() {
            this.failed = true;
        }
    }
}
