// SPDX-License-Identifier: GPL-2.0

//! Warm measurements: `stat` of a path, and reading the files of an event.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io;

use crate::clock::timed;
use crate::lookup::open_path;
use crate::peer::{rotated, Peer};
use crate::plan::Plan;
use crate::sample::{per_item, progress, sample};
use crate::Outcome;

/// Calls per sample.
const TIMES: usize = 500;

/// Opens a file, reads it to its end, and closes it.
fn read(dir: &OwnedFd, name: &CStr, buffer: &mut [u8]) -> Outcome {
    let file = fs::openat(dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    while io::read(&file, &mut *buffer)? > 0 {}
    Ok(())
}

/// Measures on the events of the running kernel.
pub fn measure(plan: &Plan) -> Outcome {
    progress("a warm path, and the files of an event");
    let mut buffer = vec![0; 16 * 1024];
    for rep in 0..plan.repeats {
        for peer in rotated(&[Peer::Mirror, Peer::Kernel], rep) {
            // Held above `events`, so that the path has four components.
            let above = open_path(&peer.tree(".."))?;
            let path = CString::new("events/sched/sched_switch/format")?;
            let stat = || -> Outcome {
                fs::statat(&above, path.as_c_str(), AtFlags::SYMLINK_NOFOLLOW)?;
                Ok(())
            };
            stat()?;
            let (ns, ()) = timed(|| (0..TIMES).try_for_each(|_| stat()))?;
            sample("stat-warm", peer.name(), 0, rep, per_item(ns, TIMES));
            let dir = open_path(&peer.tree("sched/sched_switch"))?;
            for name in ["format", "id", "enable"] {
                let file = CString::new(name)?;
                let mut once = || read(&dir, &file, &mut buffer);
                once()?;
                let (ns, ()) = timed(|| (0..TIMES).try_for_each(|_| once()))?;
                sample(
                    &format!("read-{name}"),
                    peer.name(),
                    0,
                    rep,
                    per_item(ns, TIMES),
                );
            }
        }
    }
    Ok(())
}
