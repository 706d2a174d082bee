// SPDX-License-Identifier: GPL-2.0

//! The system calls that a script can make, by name.

use std::collections::HashMap;
use std::ffi::CString;
use std::fmt::Write as _;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{self, Access, AtFlags, FileType, Mode, OFlags, SeekFrom, Stat, CWD};
use rustix::io::{self, Errno};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags, MountFlags, MoveMountFlags,
    UnmountFlags,
};
use rustix::process::{Gid, Uid};

use crate::dir;
use crate::errno;
use crate::raw;

/// What a call gives when it succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing but success.
    Done,
    /// A number.
    Number(i64),
    /// Bytes that were read.
    Text(Vec<u8>),
    /// End of file.
    End,
    /// A list of names or figures.
    Words(Vec<String>),
    /// The time was up.
    Timeout,
}

/// What a call gives.
pub type Outcome = Result<Value, Errno>;

/// Why a line of a script makes no sense.
pub struct Misuse(pub String);

/// A line's words are wrong: this is a defect of the script.
fn misuse<T>(what: impl Into<String>) -> Result<T, Misuse> {
    Err(Misuse(what.into()))
}

/// `text` with everything that is not printable ASCII escaped.
fn escape(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for byte in text {
        let _ = match byte {
            b'\n' => write!(out, "\\n"),
            b'\t' => write!(out, "\\t"),
            b'"' | b'\\' => write!(out, "\\{}", *byte as char),
            0x20..=0x7e => write!(out, "{}", *byte as char),
            _ => write!(out, "\\x{byte:02x}"),
        };
    }
    out.push('"');
    out
}

/// An outcome as scripts and reports spell it.
pub fn render(outcome: &Outcome) -> String {
    match outcome {
        Ok(Value::Done) => "ok".to_string(),
        Ok(Value::Number(number)) => number.to_string(),
        Ok(Value::Text(text)) => escape(text),
        Ok(Value::End) => "EOF".to_string(),
        Ok(Value::Words(words)) if words.is_empty() => "-".to_string(),
        Ok(Value::Words(words)) => words.join(" "),
        Ok(Value::Timeout) => "timeout".to_string(),
        Err(error) => errno::name(*error),
    }
}

/// A call that runs in a thread of its own.
type Running = Arc<Mutex<Receiver<Outcome>>>;

/// The state of one process that makes calls: what it has open, and what it
/// has started.
#[derive(Clone, Default)]
pub struct Machine {
    handles: HashMap<String, Arc<OwnedFd>>,
    running: HashMap<String, Running>,
}

/// The number that `word` spells: decimal, `0x...` or `0...` (octal).
fn number(word: &str) -> Result<i64, Misuse> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, word),
    };
    let parsed = if let Some(hex) = digits.strip_prefix("0x") {
        i64::from_str_radix(hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8)
    } else {
        digits.parse()
    };
    match parsed {
        Ok(value) => Ok(sign * value),
        Err(_) => misuse(format!("not a number: {word}")),
    }
}

/// The size or count that `word` spells.
fn size(word: &str) -> Result<usize, Misuse> {
    usize::try_from(number(word)?).or_else(|_| misuse(format!("not a size: {word}")))
}

/// The identity that `word` spells; `-` means "leave it".
fn id(word: &str) -> Result<Option<u32>, Misuse> {
    if word == "-" {
        return Ok(None);
    }
    match u32::try_from(number(word)?) {
        Ok(id) => Ok(Some(id)),
        Err(_) => misuse(format!("not an identity: {word}")),
    }
}

/// The permission bits that `word` spells, in octal.
fn mode(word: &str) -> Result<Mode, Misuse> {
    u32::from_str_radix(word, 8)
        .map(Mode::from_raw_mode)
        .or_else(|_| misuse(format!("not a mode: {word}")))
}

/// The flags of `open` that `word` spells, joined by commas.
fn open_flags(word: &str) -> Result<OFlags, Misuse> {
    let mut flags = OFlags::CLOEXEC;
    for part in word.split(',') {
        flags |= match part {
            "r" => OFlags::RDONLY,
            "w" => OFlags::WRONLY,
            "rw" => OFlags::RDWR,
            "append" => OFlags::APPEND,
            "trunc" => OFlags::TRUNC,
            "creat" => OFlags::CREATE,
            "excl" => OFlags::EXCL,
            "nonblock" => OFlags::NONBLOCK,
            "dir" => OFlags::DIRECTORY,
            "path" => OFlags::PATH,
            "nofollow" => OFlags::NOFOLLOW,
            "noatime" => OFlags::NOATIME,
            "direct" => OFlags::DIRECT,
            "tmpfile" => OFlags::TMPFILE,
            _ => return misuse(format!("no such flag: {part}")),
        };
    }
    Ok(flags)
}

/// The events of `poll` and their names.
const POLL: &[(PollFlags, &str)] = &[
    (PollFlags::IN, "in"),
    (PollFlags::PRI, "pri"),
    (PollFlags::OUT, "out"),
    (PollFlags::ERR, "err"),
    (PollFlags::HUP, "hup"),
    (PollFlags::NVAL, "nval"),
    (PollFlags::RDNORM, "rdnorm"),
    (PollFlags::WRNORM, "wrnorm"),
];

/// The name of a file's type.
pub fn kind_name(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "file",
        FileType::Directory => "dir",
        FileType::Symlink => "symlink",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
        FileType::CharacterDevice => "char",
        FileType::BlockDevice => "block",
        FileType::Unknown => "unknown",
    }
}

/// The fields of `stat` that the script asks for.
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

/// What was read, or the end of the file.
fn text(bytes: Vec<u8>) -> Value {
    if bytes.is_empty() {
        Value::End
    } else {
        Value::Text(bytes)
    }
}

/// One read of at most `count` bytes, at `offset` if there is one.
fn read(fd: BorrowedFd<'_>, count: usize, offset: Option<u64>) -> Outcome {
    let mut buffer = vec![0; count];
    let got = match offset {
        Some(offset) => io::pread(fd, buffer.as_mut_slice(), offset)?,
        None => io::read(fd, buffer.as_mut_slice())?,
    };
    buffer.truncate(got);
    Ok(text(buffer))
}

/// All that can be read from here on.
pub fn read_to_end(fd: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut buffer = [0; 8 * 1024];
    loop {
        match io::read(fd, buffer.as_mut_slice())? {
            0 => return Ok(all),
            got => all.extend_from_slice(&buffer[..got]),
        }
    }
}

/// Opens `path`, writes `bytes` at once and closes it.
pub fn put(path: impl AsRef<Path>, flags: OFlags, bytes: &[u8]) -> Outcome {
    let fd = fs::open(
        path.as_ref(),
        OFlags::WRONLY | OFlags::CLOEXEC | flags,
        Mode::empty(),
    )?;
    written(io::write(&fd, bytes))
}

/// Lets go of all dentries and inodes that nobody uses.
pub fn drop_caches() -> Outcome {
    // Those that were used since the last time are spared once.
    let path = "/proc/sys/vm/drop_caches";
    put(path, OFlags::empty(), b"2").and_then(|_| put(path, OFlags::empty(), b"2"))
}

/// The number of bytes written.
fn written(result: io::Result<usize>) -> Outcome {
    result.map(|count| Value::Number(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// Success or failure, and nothing more.
fn done(result: io::Result<()>) -> Outcome {
    result.map(|()| Value::Done)
}

/// The data of a classic mount as the system call wants it.
fn mount_data(word: &str) -> Result<CString, Misuse> {
    CString::new(word).or_else(|_| misuse("NUL in mount data"))
}

impl Machine {
    /// The descriptor that the script calls `name`.
    fn fd(&self, name: &str) -> Result<BorrowedFd<'_>, Misuse> {
        match self.handles.get(name) {
            Some(fd) => Ok(fd.as_fd()),
            None => misuse(format!("nothing is open as {name}")),
        }
    }

    /// Remembers a new descriptor as `name`.
    fn keep(&mut self, name: &str, opened: io::Result<OwnedFd>) -> Outcome {
        self.handles.insert(name.to_string(), Arc::new(opened?));
        Ok(Value::Done)
    }

    /// Makes the call that `words` describe.
    pub fn call(&mut self, words: &[&str]) -> Result<Outcome, Misuse> {
        let Some((command, args)) = words.split_first() else {
            return misuse("empty line");
        };
        Ok(match (*command, args) {
            // Descriptors.
            ("open", [name, path, flags]) => {
                let opened = fs::open(*path, open_flags(flags)?, Mode::from_raw_mode(0o644));
                self.keep(name, opened)
            }
            ("openat", [name, at, path, flags]) => {
                let flags = open_flags(flags)?;
                let opened = fs::openat(self.fd(at)?, *path, flags, Mode::from_raw_mode(0o644));
                self.keep(name, opened)
            }
            // The same file by way of /proc, as for a descriptor of O_PATH.
            ("reopen", [name, other, flags]) => {
                let path = format!("/proc/self/fd/{}", self.fd(other)?.as_raw_fd());
                let opened = fs::open(path, open_flags(flags)?, Mode::empty());
                self.keep(name, opened)
            }
            ("pathof", [name]) => {
                let path = format!("/proc/self/fd/{}", self.fd(name)?.as_raw_fd());
                fs::readlink(path, Vec::new()).map(|target| Value::Text(target.into_bytes()))
            }
            ("pipe", [out, into]) => match rustix::pipe::pipe() {
                Ok((reader, writer)) => {
                    let _ = self.keep(out, Ok(reader));
                    self.keep(into, Ok(writer))
                }
                Err(error) => Err(error),
            },
            ("close", [name]) => match self.handles.remove(*name) {
                Some(_) => Ok(Value::Done),
                None => return misuse(format!("nothing is open as {name}")),
            },
            ("read", [name, count]) => read(self.fd(name)?, size(count)?, None),
            ("pread", [name, count, offset]) => {
                let offset = size(offset)? as u64;
                read(self.fd(name)?, size(count)?, Some(offset))
            }
            ("readv", [name, count]) => {
                let mut halves = [vec![0; size(count)?], vec![0; size(count)?]];
                let [first, second] = &mut halves;
                let mut parts = [io::IoSliceMut::new(first), io::IoSliceMut::new(second)];
                io::readv(self.fd(name)?, &mut parts).map(|got| {
                    let mut bytes = halves.concat();
                    bytes.truncate(got);
                    text(bytes)
                })
            }
            ("readall", [name]) => read_to_end(self.fd(name)?).map(text),
            ("write", [name, bytes]) => written(io::write(self.fd(name)?, bytes.as_bytes())),
            ("pwrite", [name, bytes, offset]) => {
                let offset = size(offset)? as u64;
                written(io::pwrite(self.fd(name)?, bytes.as_bytes(), offset))
            }
            ("writev", [name, first, second]) => {
                let parts = [
                    io::IoSlice::new(first.as_bytes()),
                    io::IoSlice::new(second.as_bytes()),
                ];
                written(io::writev(self.fd(name)?, &parts))
            }
            // Bytes that are no text: each word is one byte in hex.
            ("writehex", [name, bytes @ ..]) => {
                let mut raw = Vec::new();
                for byte in bytes {
                    match u8::from_str_radix(byte, 16) {
                        Ok(byte) => raw.push(byte),
                        Err(_) => return misuse(format!("not a byte: {byte}")),
                    }
                }
                written(io::write(self.fd(name)?, &raw))
            }
            // The same byte over and over.
            ("writemany", [name, byte, count]) => written(io::write(
                self.fd(name)?,
                byte.repeat(size(count)?).as_bytes(),
            )),
            ("seek", [name, offset, whence]) => {
                let offset = number(offset)?;
                let from = match *whence {
                    // A negative offset from the start is worth trying.
                    "set" => SeekFrom::Start(offset as u64),
                    "cur" => SeekFrom::Current(offset),
                    "end" => SeekFrom::End(offset),
                    "data" => SeekFrom::Data(offset as u64),
                    "hole" => SeekFrom::Hole(offset as u64),
                    _ => return misuse(format!("no such whence: {whence}")),
                };
                fs::seek(self.fd(name)?, from).map(|at| Value::Number(at as i64))
            }
            ("poll", [name, events, timeout]) => self.poll(name, events, timeout)?,
            ("ftruncate", [name, length]) => {
                done(fs::ftruncate(self.fd(name)?, size(length)? as u64))
            }
            // As fcntl(F_SETFL) does it, after the file was opened.
            ("setflags", [name, flags]) => {
                let flags = open_flags(flags)?;
                done(fs::fcntl_setfl(self.fd(name)?, flags))
            }
            ("getflags", [name, flag]) => {
                let flag = open_flags(flag)? - OFlags::CLOEXEC;
                fs::fcntl_getfl(self.fd(name)?)
                    .map(|flags| Value::Number(flags.contains(flag).into()))
            }
            ("dup", [name, other]) => {
                let copy = io::dup(self.fd(other)?);
                self.keep(name, copy)
            }
            ("fsync", [name]) => done(fs::fsync(self.fd(name)?)),
            ("fallocate", [name, length]) => done(fs::fallocate(
                self.fd(name)?,
                fs::FallocateFlags::empty(),
                0,
                size(length)? as u64,
            )),
            ("sendfile", [into, from, count]) => written(fs::sendfile(
                self.fd(into)?,
                self.fd(from)?,
                None,
                size(count)?,
            )),
            ("splice", [from, into, count]) => written(rustix::pipe::splice(
                self.fd(from)?,
                None,
                self.fd(into)?,
                None,
                size(count)?,
                rustix::pipe::SpliceFlags::empty(),
            )),
            ("mmap", [name, length]) => done(raw::map(self.fd(name)?, size(length)?)),
            ("user_reg", [name, command]) => {
                raw::user_reg(self.fd(name)?, command).map(|at| Value::Number(at.into()))
            }
            ("ioctl", [name, request]) => {
                let request = u32::try_from(number(request)?)
                    .or_else(|_| misuse(format!("no request: {request}")))?;
                done(raw::ioctl(self.fd(name)?, request))
            }

            // Whole files.
            ("cat", [path]) => match fs::open(*path, OFlags::CLOEXEC, Mode::empty()) {
                Ok(fd) => read_to_end(fd.as_fd()).map(text),
                Err(error) => Err(error),
            },
            ("put", [path, bytes]) => put(path, OFlags::empty(), bytes.as_bytes()),
            ("append", [path, bytes]) => put(path, OFlags::APPEND, bytes.as_bytes()),
            // What a shell's `>` does.
            ("store", [path, bytes]) => put(path, OFlags::TRUNC | OFlags::CREATE, bytes.as_bytes()),
            ("truncate", [path]) => fs::open(
                *path,
                OFlags::WRONLY | OFlags::TRUNC | OFlags::CLOEXEC,
                Mode::empty(),
            )
            .map(|_| Value::Done),

            // Directories.
            ("ls", [path]) => dir::list(Path::new(path)).map(|all| Value::Words(dir::names(&all))),
            ("count", [path]) => dir::list(Path::new(path))
                .map(|all| Value::Number(i64::try_from(all.len()).unwrap_or(i64::MAX))),
            ("getdents", [name, room]) => dir::read_once(self.fd(name)?, size(room)?)
                .map(|all| Value::Words(all.into_iter().map(|entry| entry.name).collect())),
            ("listrest", [name, room]) => dir::read_rest(self.fd(name)?, size(room)?)
                .map(|all| Value::Words(dir::names(&all))),
            ("chdir", [path]) => done(rustix::process::chdir(*path)),
            ("fchdir", [name]) => done(rustix::process::fchdir(self.fd(name)?)),
            ("getcwd", []) => rustix::process::getcwd(Vec::new())
                .map(|path| Value::Words(vec![path.to_string_lossy().into_owned()])),
            ("chroot", [path]) => done(rustix::process::chroot(*path)),

            // Names.
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
            ("fstat", [name, fields @ ..]) => match fs::fstat(self.fd(name)?) {
                Ok(stat) => Ok(Value::Words(stat_fields(&stat, fields)?)),
                Err(error) => Err(error),
            },
            ("chmod", [path, bits]) => done(fs::chmod(*path, mode(bits)?)),
            ("fchmod", [name, bits]) => done(fs::fchmod(self.fd(name)?, mode(bits)?)),
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

            // Mounts.
            ("mount", [source, target, kind, data]) => {
                let data = mount_data(data)?;
                done(rustix::mount::mount(
                    *source,
                    *target,
                    *kind,
                    MountFlags::empty(),
                    data.as_c_str(),
                ))
            }
            ("mountro", [source, target, kind, data]) => {
                let data = mount_data(data)?;
                done(rustix::mount::mount(
                    *source,
                    *target,
                    *kind,
                    MountFlags::RDONLY,
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
                self.keep(name, opened)
            }
            ("fspick", [name, path]) => {
                let opened = rustix::mount::fspick(CWD, *path, FsPickFlags::FSPICK_CLOEXEC);
                self.keep(name, opened)
            }
            ("fsset", [name, key, value]) => done(rustix::mount::fsconfig_set_string(
                self.fd(name)?,
                *key,
                *value,
            )),
            ("fsflag", [name, key]) => done(rustix::mount::fsconfig_set_flag(self.fd(name)?, *key)),
            ("fscreate", [name]) => done(rustix::mount::fsconfig_create(self.fd(name)?)),
            ("fsexcl", [name]) => done(rustix::mount::fsconfig_create_exclusive(self.fd(name)?)),
            ("fsreconf", [name]) => done(rustix::mount::fsconfig_reconfigure(self.fd(name)?)),
            ("fsmount", [name, context]) => {
                let mounted = rustix::mount::fsmount(
                    self.fd(context)?,
                    FsMountFlags::FSMOUNT_CLOEXEC,
                    MountAttrFlags::empty(),
                );
                self.keep(name, mounted)
            }
            ("movemount", [name, path]) => done(rustix::mount::move_mount(
                self.fd(name)?,
                "",
                CWD,
                *path,
                MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
            )),

            // This process.
            ("user", [uid, gid]) => match (id(uid)?, id(gid)?) {
                (Some(uid), Some(gid)) => {
                    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
                    done(
                        rustix::thread::set_thread_groups(&[])
                            .and_then(|()| rustix::thread::set_thread_res_gid(gid, gid, gid))
                            .and_then(|()| rustix::thread::set_thread_res_uid(uid, uid, uid)),
                    )
                }
                _ => return misuse("user needs both identities"),
            },
            ("groups", groups) => {
                let mut list = Vec::new();
                for group in groups {
                    list.extend(id(group)?.map(Gid::from_raw));
                }
                done(rustix::thread::set_thread_groups(&list))
            }
            // What the tests probe: a call that nobody else makes.
            ("hit", [count]) => {
                for _ in 0..size(count)? {
                    rustix::process::umask(Mode::from_raw_mode(0o22));
                }
                Ok(Value::Done)
            }
            // Again and again, until it gives what it should.
            ("until", [milliseconds, wanted, call @ ..]) => {
                let end = Instant::now() + Duration::from_millis(size(milliseconds)? as u64);
                loop {
                    let outcome = self.call(call)?;
                    if render(&outcome) == *wanted {
                        break Ok(Value::Done);
                    }
                    if Instant::now() > end {
                        break Ok(Value::Timeout);
                    }
                    thread::sleep(Duration::from_millis(10));
                }
            }
            ("sleep", [milliseconds]) => {
                thread::sleep(Duration::from_millis(size(milliseconds)? as u64));
                Ok(Value::Done)
            }
            ("drop_caches", []) => drop_caches(),
            ("insmod", [path]) => match fs::open(*path, OFlags::CLOEXEC, Mode::empty()) {
                Ok(fd) => done(rustix::system::finit_module(fd, c"", 0)),
                Err(error) => Err(error),
            },
            ("rmmod", [name]) => {
                let name = mount_data(name)?;
                // O_NONBLOCK: answer at once.
                done(rustix::system::delete_module(&name, 0o4000))
            }

            // Calls in the background.
            ("start", [name, call @ ..]) => {
                self.start(name, call)?;
                Ok(Value::Done)
            }
            ("finish", [name, timeout]) => self.finish(name, size(timeout)?)?,

            _ => return misuse(format!("no such command: {}", words.join(" "))),
        })
    }

    /// Polls one descriptor.
    fn poll(&self, name: &str, events: &str, timeout: &str) -> Result<Outcome, Misuse> {
        let mut wanted = PollFlags::empty();
        for event in events.split(',') {
            match POLL.iter().find(|(_, known)| *known == event) {
                Some((flag, _)) => wanted |= *flag,
                None => return misuse(format!("no such event: {event}")),
            }
        }
        let timeout = number(timeout)?;
        let timeout = Timespec {
            tv_sec: timeout / 1000,
            tv_nsec: timeout % 1000 * 1_000_000,
        };
        let mut fds = [PollFd::from_borrowed_fd(self.fd(name)?, wanted)];
        Ok(match rustix::event::poll(&mut fds, Some(&timeout)) {
            Ok(0) => Ok(Value::Timeout),
            Ok(_) => Ok(Value::Words(
                POLL.iter()
                    .filter(|(flag, _)| fds[0].revents().contains(*flag))
                    .map(|(_, name)| (*name).to_string())
                    .collect(),
            )),
            Err(error) => Err(error),
        })
    }

    /// Starts a call in a thread, which goes to sleep in it before this
    /// returns, if it sleeps at all.
    fn start(&mut self, name: &str, words: &[&str]) -> Result<(), Misuse> {
        let mut machine = self.clone();
        let words: Vec<String> = words.iter().map(|word| (*word).to_string()).collect();
        let (told, tell_id) = mpsc::channel();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let _ = told.send(rustix::thread::gettid());
            let outcome = machine.call(&words);
            // What it had open it has closed before anybody hears of it.
            drop(machine);
            if let Ok(outcome) = outcome {
                let _ = sender.send(outcome);
            }
        });
        let Ok(id) = tell_id.recv() else {
            return misuse("the thread did not start");
        };
        // The state is the first letter after the name in parentheses.
        let path = format!("/proc/self/task/{}/stat", id.as_raw_nonzero());
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(2) {
            thread::sleep(Duration::from_millis(5));
            match std::fs::read_to_string(&path) {
                Ok(stat)
                    if stat
                        .rsplit(')')
                        .next()
                        .is_some_and(|rest| rest.starts_with(" R")) => {}
                _ => break,
            }
        }
        self.running
            .insert(name.to_string(), Arc::new(Mutex::new(receiver)));
        Ok(())
    }

    /// Waits for a call that was started.
    fn finish(&mut self, name: &str, milliseconds: usize) -> Result<Outcome, Misuse> {
        let Some(running) = self.running.get(name).cloned() else {
            return misuse(format!("nothing runs as {name}"));
        };
        let Ok(receiver) = running.lock() else {
            return misuse(format!("{name} cannot be waited for"));
        };
        match receiver.recv_timeout(Duration::from_millis(milliseconds as u64)) {
            Ok(outcome) => {
                self.running.remove(name);
                Ok(outcome)
            }
            Err(mpsc::RecvTimeoutError::Timeout) => Ok(Ok(Value::Timeout)),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                misuse(format!("the call of {name} makes no sense"))
            }
        }
    }
}
