// SPDX-License-Identifier: GPL-2.0

//! `stress fuzz`: calls with random arguments, which may do nothing but fail
//! or have a harmless effect.

mod calls;
mod words;

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use crate::credentials::{assume, Credentials};
use crate::options::Options;
use crate::raw::{Address, Arena, Argument};
use crate::rng::Rng;
use crate::shared::{Fixed, Settings, Shared};
use crate::tally::Tally;
use crate::threads;
use crate::walk::walk;
use calls::{Call, Kind, Rule, FILE_CALLS, NAME_CALLS};

/// Files that are not written to.
const READ_ONLY: &[&str] = &[
    // With all events enabled an emulated processor has no time for anything
    // else. The test files/enable-all enables them.
    "events/enable",
    // Profiling each function of the kernel has the same effect.
    "function_profile_enabled",
];

/// Whether a file is not written to: a file of [`READ_ONLY`], or `inject` or
/// `trigger` of the event of a system call.
///
/// Linux 7.3 has two defects there, which tracefs shows as well. It warns when an
/// injected event with the number of another system call is printed
/// (`print_syscall_enter()`), and PROVE_RCU_LIST reports the walk over the triggers
/// of system calls (`event_triggers_call()`).
fn is_read_only(target: &Path) -> bool {
    READ_ONLY.iter().any(|own| Path::new(own) == target)
        || (target.starts_with("events/syscalls")
            && (target.ends_with("inject") || target.ends_with("trigger")))
}

/// The files and directories that the fuzzer uses.
struct Targets {
    /// The files of the root, as paths below it.
    files: Vec<PathBuf>,
    /// Everything below `events`, directories included.
    events: Vec<PathBuf>,
    /// Everything that modules have published, directories included.
    published: Vec<PathBuf>,
}

impl Targets {
    /// Walks the kernel's own tree, and the directories that only the tree under
    /// test has.
    fn find(root: &Path, tracefs: &Path, step: usize) -> Result<Self, String> {
        let context = |error| format!("{}: {error}", tracefs.display());
        let mut events = vec![PathBuf::from("events")];
        walk(tracefs, Path::new("events"), 0, step, &mut events).map_err(context)?;
        events.sort();
        let mut files = Vec::new();
        for entry in fs::read_dir(tracefs).map_err(context)? {
            let entry = entry.map_err(context)?;
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                files.push(PathBuf::from(entry.file_name()));
            }
        }
        files.sort();
        let published = find_published(root, tracefs)
            .map_err(|error| format!("{}: {error}", root.display()))?;
        Ok(Self {
            files,
            events,
            published,
        })
    }
}

/// Finds everything that only the tree under test has: the directories of modules,
/// in the root and next to the subsystems, with their contents.
fn find_published(root: &Path, tracefs: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut published = Vec::new();
    for dir in ["", "events"] {
        for entry in fs::read_dir(root.join(dir))? {
            let entry = entry?;
            let path = Path::new(dir).join(entry.file_name());
            if entry.file_type()?.is_dir() && !tracefs.join(&path).exists() {
                walk(root, &path, 0, 1, &mut published)?;
                published.push(path);
            }
        }
    }
    published.sort();
    Ok(published)
}

/// A thread of the fuzzer.
struct Fuzzer<'a> {
    shared: &'a Shared,
    targets: &'a Targets,
    credentials: Credentials,
    thread: usize,
    number: u64,
    rng: Rng,
    arena: Arena,
    pipe: (OwnedFd, OwnedFd),
    tally: Tally,
}

impl<'a> Fuzzer<'a> {
    /// Prepares the calling thread.
    fn new(
        shared: &'a Shared,
        targets: &'a Targets,
        credentials: Credentials,
        thread: usize,
    ) -> Result<Self, Errno> {
        shared.progress[thread].begin();
        Ok(Self {
            shared,
            targets,
            credentials,
            thread,
            number: 0,
            rng: Rng::of(shared.settings.seed, thread, 0),
            arena: Arena::new()?,
            pipe: rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?,
            tally: Tally::default(),
        })
    }

    /// Makes attempts until the end of the run.
    fn work(mut self) -> Tally {
        let limit = self.shared.settings.operations;
        while !self.shared.stopped() && (limit == 0 || self.number < limit) {
            self.number += 1;
            let own = &self.shared.progress[self.thread];
            own.operation.store(self.number, Ordering::Relaxed);
            self.rng = Rng::of(self.shared.settings.seed, self.thread, self.number);
            match self.rng.below(100) {
                0..55 => self.try_file(),
                55..95 => self.try_name(),
                95..98 => self.try_mount(),
                _ => self.try_new_mount(),
            }
        }
        self.tally
    }

    /// Records the call that this thread is about to make.
    fn doing(&self, call: &'static str, path: &Path) {
        self.shared.progress[self.thread].doing(call, path);
    }

    /// Records a failure.
    fn fail(&self, path: &Path, what: &str) {
        self.shared.fail(format!(
            "seed {} thread {} operation {} (as {:?}): {:?}: {what}",
            self.shared.settings.seed, self.thread, self.number, self.credentials, path
        ));
    }

    /// A file or directory that exists, as a path below the root.
    fn target(&mut self) -> PathBuf {
        let published = !self.targets.published.is_empty() && self.rng.chance(20);
        let from = if published {
            &self.targets.published
        } else if self.rng.chance(35) {
            &self.targets.files
        } else {
            &self.targets.events
        };
        from[self.rng.below(from.len())].clone()
    }

    /// Stores a string in one of the regions for strings.
    fn text(&mut self, which: usize, bytes: &[u8]) -> Argument {
        let mut bytes = bytes.to_vec();
        bytes.push(0);
        self.arena.put(Arena::TEXT + which, &bytes);
        Argument::Pointer(Address::In(Arena::TEXT + which, 0))
    }

    /// A random target for a pointer.
    fn any_address(&mut self) -> Address {
        match self.rng.below(12) {
            0 => Address::Null,
            1 => Address::Kernel,
            2 => Address::In(Arena::READ_ONLY, 0),
            3 => Address::In(Arena::DATA, Arena::SIZE),
            4 => Address::BeforeEnd(Arena::DATA, 1 + self.rng.below(5000)),
            5 => Address::In(Arena::DATA, self.rng.below(Arena::SIZE)),
            _ => Address::In(Arena::DATA, 0),
        }
    }

    /// A random size.
    fn size(&mut self) -> usize {
        match self.rng.below(4) {
            0 => words::number(&mut self.rng) as usize,
            _ => self.rng.pick(words::SIZES),
        }
    }

    /// Fills an array of `struct iovec`.
    fn iovec(&mut self) -> Argument {
        let mut bytes = Vec::new();
        for _ in 0..1025 {
            let address = if self.rng.chance(80) {
                Address::In(Arena::DATA, self.rng.below(5000))
            } else {
                self.any_address()
            };
            let size = match self.rng.below(10) {
                0 => self.size(),
                _ => self.rng.below(70),
            };
            bytes.extend(self.arena.address(address).to_ne_bytes());
            bytes.extend(size.to_ne_bytes());
        }
        self.arena.put(Arena::IOVEC, &bytes);
        Argument::Pointer(Address::In(Arena::IOVEC, 0))
    }

    /// Generates an argument. `texts` counts the strings of the call.
    fn argument(&mut self, kind: Kind, fd: RawFd, path: &Path, texts: &mut usize) -> Argument {
        let mut string = |own: &mut Self, bytes: &[u8]| {
            *texts += 1;
            own.text(*texts - 1, bytes)
        };
        Argument::Number(match kind {
            Kind::File => fd as usize,
            Kind::Path => return string(self, path.as_os_str().as_bytes()),
            Kind::Missing => {
                let mut bytes = path.as_os_str().as_bytes().to_vec();
                bytes.push(b'/');
                bytes.extend(words::name(&mut self.rng));
                return string(self, &bytes);
            }
            Kind::Name => {
                let name = match self.rng.below(4) {
                    0 => b"security.fuzz".to_vec(),
                    1 => b"user.fuzz".to_vec(),
                    2 => b"system.posix_acl_access".to_vec(),
                    _ => words::name(&mut self.rng),
                };
                return string(self, &name);
            }
            Kind::Buffer => return Argument::Pointer(self.any_address()),
            Kind::Optional if self.rng.chance(50) => return Argument::Pointer(self.any_address()),
            Kind::Optional => self.rng.below(100),
            Kind::Size => self.size(),
            Kind::Offset => match self.rng.below(3) {
                0 => words::number(&mut self.rng) as usize,
                _ => self.rng.pick(&[0, 0, 1, 4095, 4096, 10_000]),
            },
            Kind::Iovec => return self.iovec(),
            Kind::IovecCount => self.rng.pick(&[0, 1, 2, 7, 100, 1024, 1025, usize::MAX]),
            Kind::Any => words::number(&mut self.rng) as usize,
            Kind::Small => self.rng.below(9),
            Kind::Bit => match self.rng.below(33) {
                32 => 0,
                bit => 1 << bit,
            },
            Kind::Constant(number) => number,
            Kind::PipeOut => self.pipe.0.as_raw_fd() as usize,
            Kind::PipeIn => self.pipe.1.as_raw_fd() as usize,
        })
    }

    /// Makes a call with generated arguments, and checks the result by its rule.
    fn make(&mut self, operation: &'static str, call: &Call, fd: RawFd, path: &Path) {
        let mut arguments = [Argument::Number(0); 6];
        let mut texts = 0;
        for (argument, kind) in arguments.iter_mut().zip(call.arguments) {
            *argument = self.argument(*kind, fd, path, &mut texts);
        }
        self.doing(call.name, path);
        let result = self.arena.call(call.number, &arguments);
        self.tally.call(operation, call.name, result.err());
        let Ok(value) = result else {
            return;
        };
        match (call.rule, arguments[1]) {
            (Rule::Any, _) => {}
            (Rule::Fails, _) => {
                let name = call.name;
                self.fail(path, &format!("{name}: succeeds with {arguments:x?}"));
            }
            (Rule::Descriptor, _) => self.close(value),
            (Rule::Mapping, Argument::Number(size)) => self.arena.unmap(value, size),
            (Rule::Mapping, _) => {}
        }
    }

    /// Closes a descriptor that a call has returned.
    fn close(&mut self, fd: usize) {
        let _ = self.arena.call(libc::SYS_close, &numbers([fd, 0, 0, 0, 0]));
    }

    /// Opens a file and makes a few calls on it.
    fn try_file(&mut self) {
        self.tally.operation("file");
        let target = self.target();
        let path = self.shared.settings.root.join(&target);
        let read_only = is_read_only(&target);
        let mut flags = OFlags::NONBLOCK | OFlags::CLOEXEC;
        if !read_only {
            flags |= self
                .rng
                .pick(&[OFlags::WRONLY, OFlags::RDWR, OFlags::RDWR, OFlags::RDONLY]);
            if self.rng.chance(20) {
                flags |= OFlags::APPEND;
            }
            if self.rng.chance(5) {
                flags |= OFlags::TRUNC;
            }
        }
        self.doing("open", &path);
        let mut opened = rustix::fs::open(&path, flags, Mode::empty());
        if opened.is_err() {
            opened = rustix::fs::open(&path, flags - OFlags::RWMODE, Mode::empty());
        }
        self.tally
            .call("file", "open", opened.as_ref().err().copied());
        let Ok(fd) = opened else {
            return;
        };
        let payload = words::payload(&mut self.rng, &target);
        self.arena
            .put(Arena::DATA, &payload[..payload.len().min(Arena::SIZE)]);
        if !read_only && self.rng.chance(60) {
            // A valid call, with contents that may be valid.
            self.doing("write", &path);
            let number = Argument::Number;
            let arguments = [
                number(fd.as_raw_fd() as usize),
                Argument::Pointer(Address::In(Arena::DATA, 0)),
                number(payload.len().min(Arena::SIZE)),
                number(0),
                number(0),
                number(0),
            ];
            let result = self.arena.call(libc::SYS_write, &arguments);
            self.tally.call("file", "write text", result.err());
        }
        for _ in 0..self.rng.below(4) {
            let call = &FILE_CALLS[self.rng.below(FILE_CALLS.len())];
            self.make("file", call, fd.as_raw_fd(), &path);
        }
    }

    /// Makes a call on a path.
    fn try_name(&mut self) {
        self.tally.operation("name");
        let mut path = self.shared.settings.root.clone();
        if self.rng.chance(85) {
            path.push(self.target());
        }
        let call = &NAME_CALLS[self.rng.below(NAME_CALLS.len())];
        self.make("name", call, -1, &path);
    }

    /// Checks that the call was allowed: only root may mount.
    fn mounted(&mut self, operation: &'static str, target: &Path, what: &str) {
        if self.credentials != Credentials::Root {
            self.fail(target, &format!("{operation}: {what} succeeds"));
        }
    }

    /// Restores the owner and the mode of the mount. Its `readdir` option stays as
    /// the last remount has set it: nothing depends on it.
    fn restore(&mut self) {
        if self.credentials == Credentials::Root {
            let root = &self.shared.settings.root;
            let flags = rustix::mount::MountFlags::empty();
            let options = c"uid=0,gid=0,mode=700";
            if let Err(error) = rustix::mount::mount_remount(root, flags, options) {
                self.fail(root, &format!("remount: {error}"));
            }
        }
    }

    /// Mounts or remounts with random options.
    fn try_mount(&mut self) {
        self.tally.operation("mount");
        let options = words::mount_options(&mut self.rng);
        let scratch = self.shared.settings.scratch.clone();
        let remount = self.rng.chance(40);
        let target = if remount {
            self.shared.settings.root.clone()
        } else {
            scratch.join(format!("fuzz{}", self.thread))
        };
        let mut flags = self
            .rng
            .pick(&[0, libc::MS_NOSUID, libc::MS_SILENT, libc::MS_NOATIME]);
        if remount {
            flags |= libc::MS_REMOUNT;
        }
        let source = words::name(&mut self.rng);
        let data = if self.rng.chance(90) {
            self.text(3, &options)
        } else {
            Argument::Pointer(self.any_address())
        };
        let arguments = [
            self.text(0, &source),
            self.text(1, target.as_os_str().as_bytes()),
            self.text(2, b"eventfs"),
            Argument::Number(flags as usize),
            data,
            Argument::Number(0),
        ];
        self.doing("mount", &target);
        let result = self.arena.call(libc::SYS_mount, &arguments);
        self.tally.call("mount", "mount", result.err());
        if result.is_ok() {
            self.mounted("mount", &target, "mount");
            if !remount {
                let flags = rustix::mount::UnmountFlags::DETACH;
                if let Err(error) = rustix::mount::unmount(&target, flags) {
                    self.fail(&target, &format!("umount: {error}"));
                }
            }
        }
        self.restore();
    }

    /// Mounts or remounts with random options, by fsopen(2) and its companions.
    fn try_new_mount(&mut self) {
        /// `FSCONFIG_CMD_CREATE` and `FSCONFIG_CMD_RECONFIGURE`.
        const ACT: [usize; 2] = [6, 7];

        self.tally.operation("fsconfig");
        let root = self.shared.settings.root.clone();
        let pick = self.rng.chance(40);
        let number = Argument::Number;
        let result = if pick {
            let path = self.text(0, root.as_os_str().as_bytes());
            let at = number(libc::AT_FDCWD as usize);
            let nothing = number(0);
            let arguments = [at, path, nothing, nothing, nothing, nothing];
            self.arena.call(libc::SYS_fspick, &arguments)
        } else {
            let name = self.text(0, b"eventfs");
            let nothing = number(0);
            let arguments = [name, nothing, nothing, nothing, nothing, nothing];
            self.arena.call(libc::SYS_fsopen, &arguments)
        };
        let call = if pick { "fspick" } else { "fsopen" };
        self.tally.call("fsconfig", call, result.err());
        let Ok(fd) = result else {
            return;
        };
        // Root of a user namespace may open a context, but not create a mount from it.
        if self.credentials == Credentials::User {
            self.mounted("fsconfig", &root, call);
        }
        for last in [false, false, false, true] {
            let (mut key, mut value) = words::key_and_value(&mut self.rng);
            key.retain(|byte| *byte != 0);
            value.retain(|byte| *byte != 0);
            let command = if last {
                ACT[usize::from(pick)]
            } else {
                self.rng.below(10)
            };
            let no_words = self.rng.chance(10) || last;
            let key = self.text(1, &key);
            let value = self.text(2, &value);
            let nothing = number(0);
            let arguments = [
                number(fd),
                number(command),
                if no_words { nothing } else { key },
                if no_words { nothing } else { value },
                number(self.rng.pick(&[0, 0, 1, 5, 4096, usize::MAX])),
                nothing,
            ];
            self.doing("fsconfig", &root);
            let result = self.arena.call(libc::SYS_fsconfig, &arguments);
            self.tally.call("fsconfig", "fsconfig", result.err());
            if last && result.is_ok() {
                self.mounted("fsconfig", &root, "the last step");
            }
        }
        let attributes = self.rng.below(16);
        let result = self
            .arena
            .call(libc::SYS_fsmount, &numbers([fd, 0, attributes, 0, 0]));
        self.tally.call("fsconfig", "fsmount", result.err());
        if let Ok(mount) = result {
            self.close(mount);
        }
        self.close(fd);
        self.restore();
    }
}

/// Sets the `readdir` option of the mount, by turns with the seed: later only root
/// can change it.
fn choose_listing(settings: &Settings) {
    let flags = rustix::mount::MountFlags::empty();
    let option = match settings.seed % 2 {
        0 => c"readdir=metadata",
        _ => c"readdir=dentries",
    };
    // The fuzzer also runs on tracefs, which has no such option.
    let _ = rustix::mount::mount_remount(&settings.root, flags, option);
}

/// Arguments that are not pointers.
fn numbers(all: [usize; 5]) -> [Argument; 6] {
    let [a, b, c, d, e] = all.map(Argument::Number);
    [a, b, c, d, e, Argument::Number(0)]
}

/// `stress fuzz ROOT --as root|user|namespace ...`: calls with random arguments, on
/// all files and names.
pub fn main(args: &[String]) -> Result<(), String> {
    let mut options = Options::new(args)?;
    let [root] = options.arguments.as_slice() else {
        return Err(
            "ROOT [--as root|user|namespace] [--seed N] [--seconds N] [--operations N] \
             [--threads N] [--step N] [--tracefs DIR] [--scratch DIR] [--patience N]"
                .to_string(),
        );
    };
    let root = PathBuf::from(root);
    let credentials = options.value("as", Credentials::Root)?;
    // Every `step`th directory of an event is used.
    let step = options.value("step", 1_usize)?.max(1);
    let settings = Settings::common(&mut options, root, 2)?;
    options.done()?;
    println!(
        "seed {}, {} threads, as {credentials:?}",
        settings.seed, settings.threads
    );
    let targets = Targets::find(&settings.root, &settings.tracefs, step)?;
    println!("{} targets published by modules", targets.published.len());
    for number in 0..settings.threads {
        let path = settings.scratch.join(format!("fuzz{number}"));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    choose_listing(&settings);
    assume(credentials)?;
    let shared = Shared::new(settings, Fixed::default());
    let tally = threads::run(&shared, |number| {
        Fuzzer::new(&shared, &targets, credentials, number).map(Fuzzer::work)
    });
    threads::report(&shared, &tally, &format!("as {credentials:?}"))
}
