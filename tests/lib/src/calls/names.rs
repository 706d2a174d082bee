// SPDX-License-Identifier: GPL-2.0

//! Calls on paths and directories.

use std::path::Path;

use rustix::event::Timespec;
use rustix::fs::{self, Access, AtFlags, FileType, Mode, Stat, CWD};
use rustix::process::{Gid, Uid};

use super::Called;
use crate::dir;
use crate::files::kind_name;
use crate::machine::Machine;
use crate::value::{done, misuse, Misuse, Value};
use crate::words::{id, mode, number, size};

/// The values of the requested `fields` of `stat`.
fn stat_fields(stat: &Stat, fields: &[&str]) -> Result<Vec<String>, Misuse> {
    let mut words = Vec::new();
    for field in fields {
        words.push(match *field {
            "mode" => format!("{:o}", stat.st_mode & 0o7777),
            "type" => kind_name(FileType::from_raw_mode(stat.st_mode)).to_string(),
            "nlink" => stat.st_nlink.to_string(),
            "uid" => stat.st_uid.to_string(),
            "gid" => stat.st_gid.to_string(),
            "ino" => stat.st_ino.to_string(),
            "dev" => stat.st_dev.to_string(),
            "size" => stat.st_size.to_string(),
            "blksize" => stat.st_blksize.to_string(),
            "blocks" => stat.st_blocks.to_string(),
            "mtime" => stat.st_mtime.to_string(),
            _ => return misuse(format!("no such field: {field}")),
        });
    }
    Ok(words)
}

/// Makes the call if it is one on paths or directories.
pub fn call(machine: &mut Machine, command: &str, args: &[&str]) -> Called {
    Ok(Some(match (command, args) {
        ("ls", [path]) => dir::list(Path::new(path)).map(|all| Value::Words(dir::names(&all))),
        ("count", [path]) => dir::list(Path::new(path))
            .map(|all| Value::Number(i64::try_from(all.len()).unwrap_or(i64::MAX))),
        ("getdents", [name, length]) => dir::read_once(machine.fd(name)?, size(length)?)
            .map(|all| Value::Words(all.into_iter().map(|entry| entry.name).collect())),
        ("listrest", [name, length]) => dir::read_rest(machine.fd(name)?, size(length)?)
            .map(|all| Value::Words(dir::names(&all))),
        ("access", [path]) => done(fs::access(*path, Access::EXISTS)),
        ("access", [path, what]) => {
            let mut access = Access::empty();
            for letter in what.chars() {
                access |= match letter {
                    'r' => Access::READ_OK,
                    'w' => Access::WRITE_OK,
                    'x' => Access::EXEC_OK,
                    _ => return misuse(format!("no such access: {what}")),
                };
            }
            done(fs::access(*path, access))
        }
        ("stat", [path, fields @ ..]) => match fs::stat(*path) {
            Ok(stat) => Ok(Value::Words(stat_fields(&stat, fields)?)),
            Err(error) => Err(error),
        },
        ("fstat", [name, fields @ ..]) => match fs::fstat(machine.fd(name)?) {
            Ok(stat) => Ok(Value::Words(stat_fields(&stat, fields)?)),
            Err(error) => Err(error),
        },
        ("chmod", [path, bits]) => done(fs::chmod(*path, mode(bits)?)),
        ("fchmod", [name, bits]) => done(fs::fchmod(machine.fd(name)?, mode(bits)?)),
        ("chown", [path, uid, gid]) => done(fs::chown(
            *path,
            id(uid)?.map(Uid::from_raw),
            id(gid)?.map(Gid::from_raw),
        )),
        ("utimes", [path, seconds]) => {
            let when = Timespec {
                tv_sec: number(seconds)?,
                tv_nsec: 0,
            };
            let times = fs::Timestamps {
                last_access: when,
                last_modification: when,
            };
            done(fs::utimensat(CWD, *path, &times, AtFlags::empty()))
        }
        ("mkdir", [path]) => done(fs::mkdir(*path, Mode::from_raw_mode(0o755))),
        ("rmdir", [path]) => done(fs::rmdir(*path)),
        ("unlink", [path]) => done(fs::unlink(*path)),
        ("rename", [old, new]) => done(fs::rename(*old, *new)),
        ("link", [old, new]) => done(fs::link(*old, *new)),
        ("symlink", [target, path]) => done(fs::symlink(*target, *path)),
        ("readlink", [path]) => fs::readlink(*path, Vec::new())
            .map(|target| Value::Words(vec![target.to_string_lossy().into_owned()])),
        ("mkfifo", [path]) => done(fs::mknodat(
            CWD,
            *path,
            FileType::Fifo,
            Mode::from_raw_mode(0o644),
            0,
        )),
        ("mknod", [path]) => done(fs::mknodat(
            CWD,
            *path,
            FileType::CharacterDevice,
            Mode::from_raw_mode(0o644),
            fs::makedev(1, 3),
        )),
        ("setxattr", [path, name, value]) => done(fs::setxattr(
            *path,
            *name,
            value.as_bytes(),
            fs::XattrFlags::empty(),
        )),
        ("listxattr", [path]) => {
            let mut names = [0; 256];
            fs::listxattr(*path, names.as_mut_slice())
                .map(|length| Value::Number(i64::try_from(length).unwrap_or(i64::MAX)))
        }
        ("statfs", [path]) => {
            fs::statfs(*path).map(|stat| Value::Words(vec![format!("{:x}", stat.f_type)]))
        }
        ("namelen", [path]) => fs::statfs(*path).map(|stat| Value::Number(stat.f_namelen)),
        _ => return Ok(None),
    }))
}
