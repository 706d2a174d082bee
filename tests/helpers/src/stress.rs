// SPDX-License-Identifier: GPL-2.0

//! Everything at the same time.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::fs::{self, Access, OFlags};
use rustix::io::Errno;

use crate::dir;
use crate::errno;
use crate::files::{drop_caches, put};
use crate::probe::{add_probe, remove_probe};
use crate::trouble::Trouble;
use crate::value::render;

/// Numbers that look random and come again with the same seed (xorshift).
pub struct Dice(u64);

impl Dice {
    /// A sequence for `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }

    /// One of `items`.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// What a call may answer while events come and go.
fn allowed(error: Errno) -> bool {
    matches!(
        error,
        Errno::NOENT | Errno::NODEV | Errno::BUSY | Errno::INVAL | Errno::AGAIN
    )
}

/// One thread of the stress test.
struct Worker<'a> {
    root: &'a Path,
    number: usize,
    dice: Dice,
    trouble: &'a Trouble,
    /// Events of this thread that exist.
    mine: Vec<(String, String)>,
    /// Descriptors that are held for a while.
    held: Vec<std::os::fd::OwnedFd>,
    /// Paths that exist for ever.
    fixed: &'a [PathBuf],
    counts: &'a [AtomicUsize; ACTIONS.len()],
}

impl Worker<'_> {
    /// Notes an answer that nothing explains.
    fn check<T>(&self, what: &str, path: &Path, result: Result<T, Errno>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) if allowed(error) => None,
            Err(error) => {
                let name = errno::name(error);
                self.trouble
                    .note(format!("{what} {}: {name}", path.display()));
                None
            }
        }
    }

    /// A path of any event: of this thread, of another, or a fixed one.
    fn any_path(&mut self) -> PathBuf {
        let files = ["enable", "filter", "format", "trigger", "id", "."];
        match self.dice.below(3) {
            0 if !self.mine.is_empty() => {
                let (group, name) = self.dice.pick(&self.mine).clone();
                let file = *self.dice.pick(&files);
                self.root.join("events").join(group).join(name).join(file)
            }
            1 => {
                let thread = self.dice.below(4);
                let (group, name) = (self.dice.below(3), self.dice.below(8));
                let file = *self.dice.pick(&files);
                self.root
                    .join(format!("events/stress{thread}_{group}/event_{name}"))
                    .join(file)
            }
            _ => self.dice.pick(self.fixed).clone(),
        }
    }

    /// Adds an event of this thread, which must be there at once.
    fn add(&mut self) {
        let group = format!("stress{}_{}", self.number, self.dice.below(3));
        let name = format!("event_{}", self.dice.below(8));
        let path = self.root.join("events").join(&group).join(&name);
        if self.mine.contains(&(group.clone(), name.clone())) {
            return;
        }
        if let Err(error) = add_probe(self.root, &group, &name) {
            let error = errno::name(error);
            self.trouble.note(format!("add {group}/{name}: {error}"));
            return;
        }
        for path in [&path, &path.join("format")] {
            if let Err(error) = fs::access(path, Access::EXISTS) {
                let error = errno::name(error);
                let path = path.display();
                self.trouble
                    .note(format!("just added, but {path}: {error}"));
            }
        }
        self.mine.push((group, name));
    }

    /// Removes an event of this thread, which must be gone at once.
    fn remove(&mut self) {
        if self.mine.is_empty() {
            return;
        }
        let (group, name) = self.mine.swap_remove(self.dice.below(self.mine.len()));
        let path = self.root.join("events").join(&group).join(&name);
        match remove_probe(self.root, &group, &name) {
            Ok(()) => {}
            // Somebody has its `enable` open, or had it enabled.
            Err(Errno::BUSY) => {
                self.mine.push((group, name));
                return;
            }
            Err(error) => {
                let error = errno::name(error);
                self.trouble.note(format!("remove {group}/{name}: {error}"));
                return;
            }
        }
        for path in [&path, &path.join("format")] {
            match fs::access(path, Access::EXISTS) {
                Err(Errno::NOENT) => {}
                Ok(()) => self
                    .trouble
                    .note(format!("just removed, but {} is there", path.display())),
                Err(error) => self.trouble.note(format!(
                    "just removed: {}: {}",
                    path.display(),
                    errno::name(error)
                )),
            }
        }
        let left = self.mine.iter().any(|(other, _)| *other == group);
        let group = self.root.join("events").join(group);
        if !left && fs::access(&group, Access::EXISTS).is_ok() {
            self.trouble
                .note(format!("{} outlives its last event", group.display()));
        }
    }

    /// Looks up any path.
    fn look_up(&mut self) {
        let path = self.any_path();
        let stat = fs::stat(&path);
        self.check("stat", &path, stat);
    }

    /// Reads the beginning of any file.
    fn read(&mut self) {
        let path = self.any_path();
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = fs::open(&path, flags, fs::Mode::empty());
        let Some(fd) = self.check("open", &path, opened) else {
            return;
        };
        let mut buffer = [0; 512];
        match rustix::io::read(&fd, buffer.as_mut_slice()) {
            // It is a directory: that is no trouble.
            Err(Errno::ISDIR) => {}
            result => {
                self.check("read", &path, result);
            }
        }
    }

    /// Lists any directory.
    fn list(&mut self) {
        let path = self.any_path();
        let Some(path) = path.parent() else {
            return;
        };
        let size = *self.dice.pick(&[64, 256, 1024, dir::LARGE]);
        let result = dir::open(path).and_then(|fd| dir::read_rest(fd, size));
        self.check("list", path, result);
    }

    /// Opens something and keeps it open.
    fn hold(&mut self) {
        let path = self.any_path();
        let flags = *self.dice.pick(&[OFlags::RDONLY, OFlags::PATH]);
        let flags = flags | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = fs::open(&path, flags, fs::Mode::empty());
        if let Some(fd) = self.check("hold", &path, opened) {
            self.held.push(fd);
        }
    }

    /// Closes some of what is open.
    fn let_go(&mut self) {
        let keep = self.dice.below(8);
        while self.held.len() > keep {
            let index = self.dice.below(self.held.len());
            self.held.swap_remove(index);
        }
    }

    /// Enables and disables an event, or sets a filter.
    fn write(&mut self) {
        let path = self.any_path();
        let texts: &[&str] = if path.ends_with("events/enable") {
            &[]
        } else if path.ends_with("enable") {
            // Others may remove it meanwhile; then it is off, too.
            &["1", "0"]
        } else if path.ends_with("filter") {
            match self.dice.below(3) {
                0 => &["common_pid == 1"],
                1 => &["no such field"],
                _ => &["0"],
            }
        } else {
            &[]
        };
        for text in texts {
            let result = put(&path, OFlags::empty(), text.as_bytes());
            self.check("write", &path, result);
        }
    }

    /// Changes a mode.
    fn chmod(&mut self) {
        let path = self.any_path();
        let mode = fs::Mode::from_raw_mode(*self.dice.pick(&[0o640, 0o644, 0o755]));
        let result = fs::chmod(&path, mode);
        self.check("chmod", &path, result);
    }

    /// Changes the options of the mount.
    fn remount(&mut self) {
        let options = [c"uid=0", c"gid=0", c"uid=0,gid=0", c"mode=0700"];
        let options = *self.dice.pick(&options);
        let flags = rustix::mount::MountFlags::empty();
        let result = rustix::mount::mount_remount(self.root, flags, options);
        self.check("remount", self.root, result);
    }

    /// Looks for what is not there.
    fn miss(&mut self) {
        let path = self.root.join("events/stress_missing/never");
        match fs::stat(&path) {
            Err(Errno::NOENT) => {}
            result => {
                let result = result.map(|stat| stat.st_ino);
                self.trouble.note(format!("{}: {result:?}", path.display()));
            }
        }
    }

    /// Evicts what nobody uses.
    fn evict(&mut self) {
        self.check("drop caches", self.root, drop_caches());
    }

    /// Does one thing.
    fn act(&mut self) {
        let mut at = self
            .dice
            .below(ACTIONS.iter().map(|action| action.often).sum());
        for (action, count) in ACTIONS.iter().zip(self.counts) {
            if at < action.often {
                count.fetch_add(1, Ordering::Relaxed);
                (action.act)(self);
                return;
            }
            at -= action.often;
        }
    }
}

/// Something that a worker does now and then.
struct Action {
    name: &'static str,
    /// How often, in relation to the others.
    often: usize,
    act: fn(&mut Worker<'_>),
}

/// All that workers do.
const ACTIONS: [Action; 12] = {
    const fn action(name: &'static str, often: usize, act: fn(&mut Worker<'_>)) -> Action {
        Action { name, often, act }
    }
    [
        action("add", 15, |worker| worker.add()),
        action("remove", 15, |worker| worker.remove()),
        action("look up", 20, |worker| worker.look_up()),
        action("read", 15, |worker| worker.read()),
        action("list", 10, |worker| worker.list()),
        action("hold", 7, |worker| worker.hold()),
        action("let go", 5, |worker| worker.let_go()),
        action("write", 4, |worker| worker.write()),
        action("chmod", 3, |worker| worker.chmod()),
        action("evict", 1, |worker| worker.evict()),
        action("remount", 2, |worker| worker.remount()),
        action("miss", 3, |worker| worker.miss()),
    ]
};

/// `evt stress ROOT SECONDS SEED [THREADS]`: threads that do everything at
/// once.  What they did themselves must be seen at once by themselves; no
/// call gives an error that the coming and going of events cannot explain.
pub fn main(args: &[String]) -> ExitCode {
    let numbers: Vec<u64> = args.iter().skip(1).filter_map(|n| n.parse().ok()).collect();
    let ([root, ..], [seconds, seed, rest @ ..]) = (args, numbers.as_slice()) else {
        eprintln!("stress: ROOT SECONDS SEED [THREADS]");
        return ExitCode::from(2);
    };
    let threads = rest.first().map_or(4, |&threads| threads as usize);
    let root = Path::new(root);
    let fixed: Vec<PathBuf> = dir::below(&root.join("events/sched"))
        .into_iter()
        // That one can only be written.
        .filter(|path| !path.ends_with("inject"))
        .chain(["events", "events/sched", "events/enable"].map(|path| root.join(path)))
        .collect();
    let trouble = Trouble::default();
    let counts: [AtomicUsize; ACTIONS.len()] = std::array::from_fn(|_| AtomicUsize::new(0));
    println!("seed {seed}, {threads} threads, {seconds} s");
    let left = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let mut worker = Worker {
                    root,
                    number,
                    dice: Dice::new(seed.wrapping_add(number as u64)),
                    trouble: &trouble,
                    mine: Vec::new(),
                    held: Vec::new(),
                    fixed: &fixed,
                    counts: &counts,
                };
                scope.spawn(move || {
                    while !worker.trouble.stopped() {
                        worker.act();
                    }
                    worker.held.clear();
                    worker.mine
                })
            })
            .collect();
        trouble.wait(Duration::from_secs(*seconds));
        workers
            .into_iter()
            .filter_map(|worker| worker.join().ok())
            .collect::<Vec<_>>()
    });
    for (group, name) in left.iter().flatten() {
        if let Err(error) = remove_probe(root, group, name) {
            trouble.note(format!(
                "at the end, {group}/{name}: {}",
                errno::name(error)
            ));
        }
    }
    if left.len() != threads {
        trouble.note("a thread died".to_string());
    }
    for (action, count) in ACTIONS.iter().zip(&counts) {
        let count = count.load(Ordering::Relaxed);
        print!("{} {count}  ", action.name);
    }
    println!();
    let gone = dir::list(&root.join("events")).map(|all| {
        all.iter()
            .find(|entry| entry.name.starts_with("stress"))
            .map(|entry| entry.name.clone())
    });
    match gone {
        Ok(None) => {}
        Ok(Some(name)) => trouble.note(format!("{name} is still listed")),
        Err(error) => trouble.note(render(&Err(error))),
    }
    trouble.status()
}
