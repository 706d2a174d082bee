// SPDX-License-Identifier: GPL-2.0

//! Mounts by mount(2), and by fsopen(2) and its companions.

use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags, MountFlags, MoveMountFlags,
    UnmountFlags,
};

use super::Called;
use crate::machine::Machine;
use crate::value::done;
use crate::words::c_string;

/// Makes the call if it is one on mounts.
pub fn call(machine: &mut Machine, command: &str, args: &[&str]) -> Called {
    Ok(Some(match (command, args) {
        ("mount" | "mountro", [source, target, kind, data]) => {
            let data = c_string(data)?;
            let flags = match command {
                "mountro" => MountFlags::RDONLY,
                _ => MountFlags::empty(),
            };
            done(rustix::mount::mount(
                *source,
                *target,
                *kind,
                flags,
                data.as_c_str(),
            ))
        }
        ("remount", [target, data]) => done(rustix::mount::mount_remount(
            *target,
            MountFlags::empty(),
            *data,
        )),
        ("bind", [source, target]) => done(rustix::mount::mount_bind(*source, *target)),
        ("umount", [target]) => done(rustix::mount::unmount(*target, UnmountFlags::empty())),
        ("detach", [target]) => done(rustix::mount::unmount(*target, UnmountFlags::DETACH)),
        ("fsopen", [name, kind]) => {
            let opened = rustix::mount::fsopen(*kind, FsOpenFlags::FSOPEN_CLOEXEC);
            machine.keep(name, opened)
        }
        ("fspick", [name, path]) => {
            let opened = rustix::mount::fspick(CWD, *path, FsPickFlags::FSPICK_CLOEXEC);
            machine.keep(name, opened)
        }
        ("fsset", [name, key, value]) => done(rustix::mount::fsconfig_set_string(
            machine.fd(name)?,
            *key,
            *value,
        )),
        ("fsflag", [name, key]) => done(rustix::mount::fsconfig_set_flag(machine.fd(name)?, *key)),
        ("fscreate", [name]) => done(rustix::mount::fsconfig_create(machine.fd(name)?)),
        ("fsexcl", [name]) => done(rustix::mount::fsconfig_create_exclusive(machine.fd(name)?)),
        ("fsreconf", [name]) => done(rustix::mount::fsconfig_reconfigure(machine.fd(name)?)),
        ("fsmount", [name, context]) => {
            let mounted = rustix::mount::fsmount(
                machine.fd(context)?,
                FsMountFlags::FSMOUNT_CLOEXEC,
                MountAttrFlags::empty(),
            );
            machine.keep(name, mounted)
        }
        ("movemount", [name, path]) => done(rustix::mount::move_mount(
            machine.fd(name)?,
            "",
            CWD,
            *path,
            MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
        )),
        _ => return Ok(None),
    }))
}
