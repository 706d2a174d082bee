// SPDX-License-Identifier: GPL-2.0

//! Credentials asks: root, somebody without rights, or the root of a user name space.

use std::fs;
use std::str::FromStr;

use rustix::process::DumpableBehavior;
use rustix::thread;

use crate::raw;

/// Credentials the process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Root, in a mount name space of its own.
    Root,
    /// The user 1000.
    User,
    /// The user 1000, as root of a user name space of its own.
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

/// Makes this process, which has one thread, somebody, for good.
pub fn assume(credentials: Credentials) -> Result<(), String> {
    /// The user without rights.
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
    // Else the files of this process in /proc would not be its own.
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
