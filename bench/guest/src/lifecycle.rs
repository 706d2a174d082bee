// SPDX-License-Identifier: GPL-2.0

//! Loading, mounting, unmounting and unloading the module.

use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::path::Path;

use rustix::mount::{mount, mount_remount, unmount, MountFlags, UnmountFlags};
use rustix::system::{delete_module, finit_module};

use crate::caches::wait_grace_periods;
use crate::clock::timed;
use crate::peer::{lookup_client, Listing, MOUNT};
use crate::plan::Plan;
use crate::sample::{progress, sample};
use crate::Outcome;

/// The module.
const MODULE: &str = "/eventfs/rust_eventfs.ko";
/// The client module that creates synthetic trees.
const SYNTHETIC: &str = "/eventfs/modules/eventfs_synthetic.ko";

/// Loads a module.
fn insmod(path: &str) -> Outcome {
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    finit_module(&file, c"", 0).map_err(|error| format!("insmod {path}: {error}"))?;
    Ok(())
}

/// Unloads a module.
fn rmmod(name: &CStr) -> Outcome {
    delete_module(name, 0).map_err(|error| format!("rmmod {name:?}: {error}"))?;
    Ok(())
}

/// Mounts eventfs.
fn mount_eventfs() -> Outcome {
    mount("nodev", MOUNT, "eventfs", MountFlags::empty(), None)?;
    Ok(())
}

/// Remounts with `readdir=listing`.
fn list_from(listing: &str) -> Outcome {
    let options = CString::new(format!("readdir={listing}"))?;
    Ok(mount_remount(MOUNT, MountFlags::empty(), options)
        .map_err(|error| format!("readdir={listing}: {error}"))?)
}

/// Measures the time of each step.
pub fn measure(plan: &Plan) -> Outcome {
    progress("insmod, mount, umount, rmmod");
    for rep in 0..plan.repeats {
        wait_grace_periods()?;
        let step = |row: &str, work: &dyn Fn() -> Outcome| -> Outcome {
            let (ns, ()) = timed(work)?;
            sample(row, "ours", 0, rep, ns as f64 / 1e6);
            Ok(())
        };
        step("insmod", &|| insmod(MODULE))?;
        step("mount", &mount_eventfs)?;
        // The first access builds the tree.
        step("first-look", &|| {
            Ok(fs::metadata(Path::new(MOUNT).join("events/sched")).map(drop)?)
        })?;
        step("umount", &|| Ok(unmount(MOUNT, UnmountFlags::empty())?))?;
        step("rmmod", &|| rmmod(c"rust_eventfs"))?;
    }
    Ok(())
}

/// The module, loaded and mounted, for the other measurements.
pub struct Loaded(());

impl Loaded {
    /// Loads and mounts the module, and loads the client module.
    pub fn new() -> Outcome<Self> {
        if !Path::new("/sys/module/rust_eventfs").exists() {
            insmod(MODULE)?;
            mount_eventfs()?;
        }
        insmod(SYNTHETIC)?;
        lookup_client()?;
        Ok(Self(()))
    }

    /// Runs `work` with this way of listing directories. It holds for all
    /// mounts, because they share one tree.
    pub fn listing(&self, listing: Listing, work: impl FnOnce() -> Outcome) -> Outcome {
        if !listing.metadata {
            return work();
        }
        list_from("metadata")?;
        work()?;
        list_from("dentries")
    }

    /// Unmounts, and unloads both modules.
    pub fn unload(self) -> Outcome {
        unmount(MOUNT, UnmountFlags::empty())?;
        rmmod(c"eventfs_synthetic")?;
        rmmod(c"rust_eventfs")
    }
}
