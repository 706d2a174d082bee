// SPDX-License-Identifier: GPL-2.0

//! Credentials: root, an unprivileged user, or root of a user namespace.

use std::fs;
use std::str::FromStr;

use rustix::process::DumpableBehavior;
use rustix::thread;

use crate::raw;

/// The credentials of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Root, in a mount namespace of its own.
    Root,
    /// The user 1000.
    User,
    /// The user 1000, as root of a user namespace of its own.
    Namespace,
}

impl FromStr for Credentials {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "root" => Ok(Self::Root),
            "user" => Ok(Self::User),
            "namespace" => Ok(Self::Namespace),
            _ => Err(()),
        }
    }
}

/// Changes the credentials of this process for good. It must have one thread only.
pub fn assume(credentials: Credentials) -> Result<(), String> {
    /// The unprivileged user.
    const USER: u32 = 1000;

    let context = |error: rustix::io::Errno| format!("become {credentials:?}: {error}");
    if credentials == Credentials::Root {
        return raw::unshare_fs(true).map_err(context);
    }
    let (user, group) = (
        rustix::fs::Uid::from_raw(USER),
        rustix::fs::Gid::from_raw(USER),
    );
    thread::set_thread_groups(&[]).map_err(context)?;
    thread::set_thread_res_gid(group, group, group).map_err(context)?;
    thread::set_thread_res_uid(user, user, user).map_err(context)?;
    // A process that is not dumpable does not own its files in /proc.
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable).map_err(context)?;
    if credentials == Credentials::Namespace {
        raw::unshare_user().map_err(context)?;
        for (file, text) in [
            ("setgroups", "deny".to_string()),
            ("uid_map", format!("0 {USER} 1")),
            ("gid_map", format!("0 {USER} 1")),
        ] {
            fs::write(format!("/proc/self/{file}"), text)
                .map_err(|error| format!("/proc/self/{file}: {error}"))?;
        }
    }
    Ok(())
}
