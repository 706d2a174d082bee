// SPDX-License-Identifier: GPL-2.0

//! The mounts of a thread.

use std::ffi::CString;
use std::fs::create_dir_all;
use std::path::{Path, PathBuf};

use rustix::fs::{self, Access};
use rustix::io::Errno;
use rustix::mount::{self, MountFlags, UnmountFlags};

use super::events::path_of;
use super::{Owner, Presence, Worker};

/// The number of mount points of a thread.
pub(super) const POINTS: usize = 3;

/// The mount on a mount point.
#[derive(Clone)]
pub(super) enum Mounted {
    /// The whole tree.
    Tree,
    /// The directory of an event, with its owner and its generation then.
    Directory(Owner, u32),
}

/// Creates the mount points of a thread.
pub(super) fn make_points(scratch: &Path) -> Result<(), String> {
    for point in 0..POINTS {
        let path = scratch.join(format!("m{point}"));
        create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

impl Worker<'_> {
    /// The path of a mount point.
    pub(super) fn point(&self, point: usize) -> PathBuf {
        self.scratch.join(format!("m{point}"))
    }

    /// Random options that no check depends on: no thread changes the group of a file,
    /// and the expected listings are the same with any `readdir` option.
    fn options(&mut self) -> CString {
        let options = self.rng.pick(&[
            "",
            "gid=0",
            "gid=1000",
            "mode=0700",
            "mode=755,gid=5",
            "readdir=metadata",
            "readdir=dentries",
            "readdir=metadata,gid=0",
            "mode=755,readdir=dentries",
        ]);
        CString::new(options).unwrap_or_default()
    }

    /// Mounts the tree or a directory on a mount point, or unmounts it.
    pub(super) fn mount(&mut self) {
        let point = self.rng.below(POINTS);
        let path = self.point(point);
        match self.mounted[point].clone() {
            Some(mounted) => {
                if let Mounted::Directory(Owner::Mine(slot), generation) = mounted {
                    let current = self.slots[slot].generation == generation;
                    let presence = if current {
                        Presence::Present
                    } else {
                        Presence::Absent
                    };
                    let file = path.join("format");
                    let result = fs::access(&file, Access::EXISTS);
                    self.check("access in bind mount", &file, presence, result);
                }
                let lazily = self.rng.chance(50);
                let flags = if lazily {
                    UnmountFlags::DETACH
                } else {
                    UnmountFlags::empty()
                };
                self.doing("umount", &path);
                let result = mount::unmount(&path, flags);
                // A held descriptor may be on it.
                let allowed: &[Errno] = if lazily { &[] } else { &[Errno::BUSY] };
                if self.allow("umount", &path, result, allowed).is_some() {
                    self.mounted[point] = None;
                }
            }
            None if self.rng.chance(50) => {
                let options = self.options();
                self.doing("mount", &path);
                let flags = MountFlags::empty();
                let result = mount::mount("nodev", &path, "eventfs", flags, options.as_c_str());
                if self.must("mount", &path, result).is_some() {
                    self.mounted[point] = Some(Mounted::Tree);
                }
            }
            None => {
                let subject = self.any_subject(&[""]);
                self.doing("bind", &subject.path);
                let result = mount::mount_bind(&subject.path, &path);
                if self
                    .check("bind", &subject.path, subject.presence, result)
                    .is_some()
                {
                    let generation = match subject.owner {
                        Owner::Mine(slot) => self.slots[slot].generation,
                        _ => 0,
                    };
                    self.mounted[point] = Some(Mounted::Directory(subject.owner, generation));
                }
            }
        }
    }

    /// Mounts a tmpfs on the directory of an event, and may remove the event then.
    pub(super) fn cover(&mut self) {
        let slot = self.rng.below(self.slots.len());
        let (event, _, presence) = self.own_event(slot);
        let path = self.shared.settings.root.join(event);
        let enable = path.join("enable");
        self.doing("cover", &path);
        let result = mount::mount("none", &path, "tmpfs", MountFlags::empty(), None);
        if self.check("mount", &path, presence, result).is_none() {
            return;
        }
        let result = fs::access(&enable, Access::EXISTS);
        self.must_fail("access covered", &enable, result, &[Errno::NOENT]);
        if !self.slots[slot].enabled && self.rng.chance(60) {
            self.remove(slot);
            // The removal has detached the mount.
            if self.rng.chance(50) {
                self.add(slot);
                let path = self.shared.settings.root.join(path_of(self.thread, slot));
                let result = mount::unmount(&path, UnmountFlags::empty());
                self.must_fail("umount", &path, result, &[Errno::INVAL]);
            }
        } else {
            let result = mount::unmount(&path, UnmountFlags::DETACH);
            self.must("umount", &path, result);
            let result = fs::access(&enable, Access::EXISTS);
            self.must("access uncovered", &enable, result);
        }
    }

    /// Changes the options of a mount.
    pub(super) fn remount(&mut self) {
        let options = self.options();
        let root = self.root();
        self.doing("remount", &root);
        let result = mount::mount_remount(&root, MountFlags::empty(), options.as_c_str());
        self.must("remount", &root, result);
    }

    /// Unmounts everything that this thread has mounted.
    pub(super) fn unmount_all(&mut self) {
        for point in 0..POINTS {
            if self.mounted[point].take().is_some() {
                let path = self.point(point);
                let result = mount::unmount(&path, UnmountFlags::DETACH);
                self.must("umount", &path, result);
            }
        }
    }
}
