// SPDX-License-Identifier: GPL-2.0

//! A directory with a file whose reads block, and with a handle that can be forgotten.
//!
//! ```text
//! waiting/
//!     wait      reads block until `open` is 1, or the module is unloaded
//!     open      0 or 1
//!     readers   the number of blocked reads
//! ```

#![deny(unsafe_code)]

use kernel::{
    fs::file::Offset,
    new_condvar,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        CondVar,
        Mutex, //
    },
    uaccess::UserSliceWriter, //
};

#[path = "../../include/rust_eventfs.rs"]
mod eventfs;

use eventfs::{
    Dir,
    File,
    Files,
    Parent, //
};

module! {
    type: WaitingModule,
    name: "eventfs_waiting",
    authors: ["The rust_eventfs authors"],
    description: "Test: block readers in eventfs",
    license: "GPL",
    params: {
        forget: bool {
            default: false,
            description: "leave the directory and its readers when unloaded",
        },
    },
}

/// The state of a [`Door`].
struct State {
    /// Reads succeed.
    open: bool,
    /// Reads fail: the module is being unloaded.
    over: bool,
    /// The number of reads that block.
    readers: u64,
}

/// The data of the directory.
#[pin_data]
struct Door {
    /// The state that readers wait for.
    #[pin]
    state: Mutex<State>,
    /// Notified when `state` changes.
    #[pin]
    changed: CondVar,
    /// Logs that the data is dropped.
    farewell: Farewell,
}

/// Logs when it is dropped.
struct Farewell;

impl Drop for Farewell {
    fn drop(&mut self) {
        pr_info!("dropped\n");
    }
}

impl Door {
    /// A closed door.
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_mutex!(State {
                open: false,
                over: false,
                readers: 0,
            }),
            changed <- new_condvar!(),
            farewell: Farewell,
        })
    }

    /// Blocks until the door is open, then returns a line.
    fn wait(&self, user: &mut UserSliceWriter, pos: &mut Offset) -> Result<usize> {
        {
            let mut state = self.state.lock();
            state.readers += 1;
            let mut interrupted = false;
            while !state.open && !state.over && !interrupted {
                interrupted = self.changed.wait_interruptible(&mut state);
            }
            state.readers -= 1;
            if state.over {
                return Err(ENODEV);
            }
            if interrupted {
                return Err(ERESTARTSYS);
            }
        }
        user.write_slice_file(b"open\n", pos)
    }

    /// Changes the state, and wakes up readers.
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
        self.changed.notify_all();
    }
}

impl Files for Door {
    const FILES: &'static [File<Self>] = &[
        File::raw(c"wait", Door::wait),
        File::flag_rw(
            c"open",
            |door| door.state.lock().open,
            |door, open| {
                door.set(|state| state.open = open);
                Ok(())
            },
        ),
        File::number(c"readers", |door| door.state.lock().readers),
    ];
}

/// The module.
struct WaitingModule {
    /// The directory; `None` once it is forgotten.
    dir: Option<Dir>,
    /// Its data.
    door: Arc<Door>,
}

impl kernel::Module for WaitingModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let door = Arc::pin_init(Door::new(), GFP_KERNEL)?;
        Ok(Self {
            dir: Some(Dir::new(c"waiting", Parent::Root, door.clone())?),
            door,
        })
    }
}

impl Drop for WaitingModule {
    fn drop(&mut self) {
        if module_parameters::forget.value() {
            core::mem::forget(self.dir.take());
        } else {
            // Dropping the directory waits for readers, so wake them up first.
            self.door.set(|state| state.over = true);
        }
    }
}
