// SPDX-License-Identifier: GPL-2.0

//! A directory with a file that readers wait in, and a handle that can be forgotten.
//!
//! ```text
//! waiting/
//!     wait      reads wait until `open` is set, or the module goes
//!     open      whether they still have to
//!     readers   how many of them wait
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
    description: "Has readers wait in eventfs",
    license: "GPL",
    params: {
        forget: bool {
            default: false,
            description: "leave the directory, and who waits, when unloaded",
        },
    },
}

/// What readers wait for.
struct State {
    /// They may go on.
    open: bool,
    /// They have to go away.
    over: bool,
    /// How many wait.
    readers: u64,
}

/// What readers wait at: the data of the directory.
#[pin_data]
struct Door {
    /// What they wait for.
    #[pin]
    state: Mutex<State>,
    /// Tells them that it has changed.
    #[pin]
    changed: CondVar,
    /// Tells that it was dropped.
    farewell: Farewell,
}

/// Tells that what it is a part of was dropped.
struct Farewell;

impl Drop for Farewell {
    fn drop(&mut self) {
        pr_info!("dropped\n");
    }
}

impl Door {
    /// A closed one.
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

    /// Waits, and tells what for.
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

    /// Changes what readers wait for.
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
            // Dropping the directory waits for who reads: first let them go.
            self.door.set(|state| state.over = true);
        }
    }
}
