// SPDX-License-Identifier: GPL-2.0

//! Operations on the whole system: memory and modules.

use std::ffi::CStr;
use std::path::{Path, PathBuf};

use rustix::fs::{self, Access, Mode, OFlags};
use rustix::io::{self, Errno};
use rustix::system;

use super::events::put;
use super::{Presence, Worker};

/// The thread that loads and unloads the kernel's sample module.
const LOADER: usize = 0;

/// The kernel's sample module: its file, its name, and a file of its event.
const SAMPLE: (&str, &CStr, &str) = (
    "trace-events-sample.ko",
    c"trace_events_sample",
    "events/sample-trace/foo_bar/format",
);

/// `delete_module` fails at once if the module is in use.
const AT_ONCE: i32 = libc::O_NONBLOCK;

/// Loads a module.
pub(super) fn load(path: &Path) -> io::Result<()> {
    let fd = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    system::finit_module(fd, c"", 0)
}

/// Unloads a module.
pub(super) fn unload(name: &CStr) -> io::Result<()> {
    system::delete_module(name, AT_ONCE)
}

/// The value of the line that begins with `name`, in a file like /proc/meminfo.
fn figure(path: &str, name: &str) -> Option<usize> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The number of times that the kernel has reclaimed memory.
pub fn reclaims() -> u64 {
    let all = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let counts = all.lines().filter_map(|line| {
        let (name, count) = line.split_once(' ')?;
        let reclaims = name == "pageoutrun" || name.starts_with("allocstall_");
        reclaims.then(|| count.parse::<u64>().ok())?
    });
    counts.sum()
}

impl Worker<'_> {
    /// Evicts unused pages, or dentries and inodes, or both.
    pub(super) fn drop_caches(&mut self) {
        let path = Path::new("/proc/sys/vm/drop_caches");
        let what: &[u8] = self.rng.pick(&[b"1", b"2", b"2", b"3"]);
        self.doing("drop", path);
        let result = put(path, OFlags::empty(), what);
        self.must("write", path, result);
    }

    /// Makes the kernel reclaim memory for a moment. It does so when less than 5/4 of
    /// min_free_kbytes is free, so raising that value suffices and no memory has to be
    /// used up.
    ///
    /// This happens once in a run: kswapd gives up after 16 attempts that find nothing,
    /// and without a disk there is little to find.
    pub(super) fn pressure(&mut self) {
        /// A ratio of 1 reserves the lower zones: one that is all free does not keep
        /// kswapd asleep.
        const ZONES: &str = "/proc/sys/vm/lowmem_reserve_ratio";

        let shared = self.shared;
        let Ok(mut done) = shared.pressure.try_lock() else {
            return;
        };
        let free = figure("/proc/meminfo", "MemFree:");
        let (Some(free), false) = (free, std::mem::replace(&mut *done, true)) else {
            return;
        };
        let path = Path::new("/proc/sys/vm/min_free_kbytes");
        let was = std::fs::read(path).unwrap_or_default();
        let zones = std::fs::read(ZONES).unwrap_or_default();
        self.doing("pressure", path);
        let wanted = (free * 82 / 100).to_string();
        let _ = std::fs::write(ZONES, "1 1 1 1");
        let result = put(path, OFlags::empty(), wanted.as_bytes());
        self.must("write", path, result);
        // Only an allocation starts the reclaim.
        let before = reclaims();
        let mut room = Vec::new();
        while room.len() < 32 && reclaims() == before {
            let mut some = vec![0_u8; 1 << 20];
            for page in some.chunks_mut(4096) {
                page[0] = 1;
            }
            room.push(some);
        }
        let result = put(path, OFlags::empty(), was.trim_ascii_end());
        self.must("write", path, result);
        let _ = std::fs::write(ZONES, zones);
    }

    /// The path of the sample module's file.
    fn sample_file(&mut self) -> PathBuf {
        self.root().join(SAMPLE.2)
    }

    /// Loads the kernel's sample module or unloads it. Every thread but the loader
    /// reads the module's file instead.
    pub(super) fn sample_module(&mut self) {
        let module = self.shared.settings.modules.join(SAMPLE.0);
        let path = self.sample_file();
        if self.thread != LOADER || !module.exists() {
            let result = self.content(&path);
            self.check("read", &path, Presence::Unknown, result);
        } else if Path::new("/sys/module/trace_events_sample").exists() {
            self.unload_sample();
        } else {
            self.doing("load", &module);
            let result = load(&module);
            if self.must("load", &module, result).is_some() {
                let result = fs::access(&path, Access::EXISTS);
                self.must("access after load", &path, result);
            }
        }
    }

    /// Unloads the kernel's sample module, if this thread is the loader.
    pub(super) fn unload_sample(&mut self) {
        if self.thread != LOADER || !Path::new("/sys/module/trace_events_sample").exists() {
            return;
        }
        let path = self.sample_file();
        self.doing("unload", Path::new(SAMPLE.0));
        let result = unload(SAMPLE.1);
        if self.must("unload", Path::new(SAMPLE.0), result).is_some() {
            let result = fs::access(&path, Access::EXISTS);
            self.must_fail("access after unload", &path, result, &[Errno::NOENT]);
        }
    }

    /// Tries to unload the module under test, which is mounted.
    pub(super) fn unload(&mut self) {
        let path = Path::new("rust_eventfs");
        self.doing("unload", path);
        let result = unload(c"rust_eventfs");
        self.must_fail("unload", path, result, &[Errno::AGAIN, Errno::BUSY]);
    }
}
