// SPDX-License-Identifier: GPL-2.0

//! Things that happen at the same time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{self, Access, OFlags};
use rustix::io::Errno;

use crate::calls::{drop_caches, put, render};
use crate::dir;
use crate::errno;

/// The function that the probes of the tests are on.
pub const PROBED: &str = "__x64_sys_umask";

/// Adds the kprobe event `group/name` through the control file of `root`.
pub fn add_probe(root: &Path, group: &str, name: &str) -> Result<(), Errno> {
    let command = format!("p:{group}/{name} {PROBED}\n");
    put(
        root.join("kprobe_events"),
        OFlags::APPEND,
        command.as_bytes(),
    )
    .map(|_| ())
}

/// Removes it.
pub fn remove_probe(root: &Path, group: &str, name: &str) -> Result<(), Errno> {
    let command = format!("-:{group}/{name}\n");
    put(
        root.join("kprobe_events"),
        OFlags::APPEND,
        command.as_bytes(),
    )
    .map(|_| ())
}

/// The first thing that went wrong in any thread; it ends all of them.
#[derive(Default)]
pub struct Trouble {
    text: Mutex<Option<String>>,
    stop: AtomicBool,
}

impl Trouble {
    /// Notes what went wrong.
    pub fn note(&self, what: String) {
        if let Ok(mut text) = self.text.lock() {
            text.get_or_insert(what);
        }
        self.stop();
    }

    /// Ends all threads.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether the threads should end.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The exit status for what was noted.
    pub fn status(self) -> ExitCode {
        match self.text.into_inner() {
            Ok(None) => ExitCode::SUCCESS,
            Ok(Some(what)) => {
                eprintln!("{what}");
                ExitCode::FAILURE
            }
            Err(_) => ExitCode::FAILURE,
        }
    }
}

/// Lists `path` with a buffer of `size` bytes and checks that each name of
/// `stable` comes exactly once and no name comes twice.
fn check_listing(path: &Path, size: usize, stable: &[String]) -> Result<usize, String> {
    let listing = dir::open(path)
        .and_then(|fd| dir::read_rest(fd, size))
        .map_err(|error| format!("listing: {}", errno::name(error)))?;
    let mut times: HashMap<&str, usize> = HashMap::new();
    for entry in &listing {
        *times.entry(&entry.name).or_default() += 1;
    }
    if let Some((name, count)) = times.iter().find(|(_, count)| **count > 1) {
        return Err(format!("buffer of {size}: {name} is listed {count} times"));
    }
    if let Some(name) = stable
        .iter()
        .find(|name| !times.contains_key(name.as_str()))
    {
        return Err(format!(
            "buffer of {size}: {name} is missing in {} entries",
            listing.len()
        ));
    }
    Ok(listing.len())
}

/// `evt listing ROOT SECONDS`: lists a group of kprobe events with all kinds
/// of buffers while events of the same group come and go.
pub fn listing(args: &[String]) -> ExitCode {
    let [root, seconds] = args else {
        eprintln!("listing: ROOT SECONDS");
        return ExitCode::from(2);
    };
    let (root, seconds) = (Path::new(root), seconds.parse().unwrap_or(5));
    let group = "churn";
    let path = root.join("events").join(group);
    let mut stable = Vec::new();
    // Old and new ones between, before and behind those that come and go.
    for index in 0..16 {
        let name = format!("stable_{index}");
        let made = add_probe(root, group, &name)
            .and_then(|()| add_probe(root, group, &format!("moving_{index}")));
        if let Err(error) = made {
            eprintln!("cannot add {group}/{name}: {}", errno::name(error));
            return ExitCode::FAILURE;
        }
        stable.push(name);
    }
    let trouble = Trouble::default();
    let (moves, lists) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !trouble.stopped() {
                let name = format!("moving_{}", round * 7 % 16);
                let moved =
                    remove_probe(root, group, &name).and_then(|()| add_probe(root, group, &name));
                if let Err(error) = moved {
                    trouble.note(format!("moving {name}: {}", errno::name(error)));
                }
                moves.fetch_add(1, Ordering::Relaxed);
                round += 1;
            }
        });
        for size in [40, 48, 72, 128, 512, dir::LARGE] {
            let (trouble, path, stable, lists) = (&trouble, &path, &stable, &lists);
            scope.spawn(move || {
                while !trouble.stopped() {
                    match check_listing(path, size, stable) {
                        Ok(_) => {
                            lists.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(what) => trouble.note(what),
                    }
                }
            });
        }
        let end = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < end && !trouble.stopped() {
            thread::sleep(Duration::from_millis(20));
        }
        trouble.stop();
    });
    let (moves, lists) = (moves.into_inner(), lists.into_inner());
    println!("{lists} listings against {moves} removals and additions");
    if moves == 0 || lists == 0 {
        trouble.note("nothing happened at the same time".to_string());
    }
    trouble.status()
}

/// All paths of one directory level below `root`, files and directories.
fn children(root: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for group in dir::names(&dir::list(root).unwrap_or_default()) {
        let group = root.join(group);
        for name in dir::names(&dir::list(&group).unwrap_or_default()) {
            all.push(group.join(name));
        }
    }
    all
}

/// `evt coldlookup ROOT THREADS ROUNDS`: THREADS threads look up the same
/// cold name at the same time; all must find the same inode.
pub fn cold_lookup(args: &[String]) -> ExitCode {
    let numbers: Vec<usize> = args.iter().skip(1).filter_map(|n| n.parse().ok()).collect();
    let ([root, ..], [threads, rounds]) = (args, numbers.as_slice()) else {
        eprintln!("coldlookup: ROOT THREADS ROUNDS");
        return ExitCode::from(2);
    };
    let events = Path::new(root).join("events");
    let paths = children(&events);
    if paths.is_empty() {
        eprintln!("{}: nothing below", events.display());
        return ExitCode::FAILURE;
    }
    let trouble = Trouble::default();
    let barrier = Barrier::new(*threads);
    let results: Vec<Mutex<Vec<u64>>> = (0..*rounds).map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for number in 0..*threads {
            let (paths, barrier, results, trouble) = (&paths, &barrier, &results, &trouble);
            scope.spawn(move || {
                for (round, result) in results.iter().enumerate() {
                    // One thread makes the name cold again.
                    if number == 0 && round % 16 == 0 {
                        let _ = drop_caches();
                    }
                    let path = &paths[round * 31 % paths.len()];
                    // Some rounds look up a file in it first, for a cold chain.
                    barrier.wait();
                    if round % 3 == 0 {
                        let _ = fs::stat(path.join("format"));
                    }
                    match (fs::stat(path), result.lock()) {
                        (Ok(stat), Ok(mut inodes)) => inodes.push(stat.st_ino),
                        (Err(error), _) => {
                            trouble.note(format!("{}: {}", path.display(), errno::name(error)))
                        }
                        (_, Err(_)) => trouble.note("a thread died".to_string()),
                    }
                }
            });
        }
    });
    for (round, result) in results.into_iter().enumerate() {
        let mut inodes = result.into_inner().unwrap_or_default();
        if inodes.len() != *threads {
            trouble.note(format!("round {round}: {} answers", inodes.len()));
        }
        inodes.dedup();
        if inodes.len() != 1 {
            let path = &paths[round * 31 % paths.len()];
            trouble.note(format!("{}: inodes {inodes:?}", path.display()));
        }
    }
    println!("{rounds} names, {threads} threads each");
    trouble.status()
}

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
    counts: &'a [AtomicUsize; ACTIONS],
}

/// The number of different actions of a worker.
const ACTIONS: usize = 12;

/// What each action does, for the report.
const ACTION_NAMES: [&str; ACTIONS] = [
    "add", "remove", "stat", "read", "list", "hold", "drop", "write", "chmod", "caches", "remount",
    "missing",
];

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

    /// Does one thing.
    fn act(&mut self) {
        let action = match self.dice.below(100) {
            0..=14 => 0,
            15..=29 => 1,
            30..=49 => 2,
            50..=64 => 3,
            65..=74 => 4,
            75..=81 => 5,
            82..=86 => 6,
            87..=90 => 7,
            91..=93 => 8,
            94 => 9,
            95..=96 => 10,
            _ => 11,
        };
        self.counts[action].fetch_add(1, Ordering::Relaxed);
        match action {
            0 => self.add(),
            1 => self.remove(),
            2 => {
                let path = self.any_path();
                let stat = fs::stat(&path);
                self.check("stat", &path, stat);
            }
            3 => {
                let path = self.any_path();
                let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let opened = fs::open(&path, flags, fs::Mode::empty());
                let mut buffer = [0; 512];
                if let Some(fd) = self.check("open", &path, opened) {
                    // A directory answers EISDIR; that is no trouble.
                    match rustix::io::read(&fd, buffer.as_mut_slice()) {
                        Err(Errno::ISDIR) => {}
                        result => {
                            self.check("read", &path, result);
                        }
                    }
                }
            }
            4 => {
                let path = match self.any_path().parent() {
                    Some(parent) => parent.to_path_buf(),
                    None => return,
                };
                let size = *self.dice.pick(&[64, 256, 1024, dir::LARGE]);
                let result = dir::open(&path).and_then(|fd| dir::read_rest(fd, size));
                self.check("list", &path, result);
            }
            5 => {
                let path = self.any_path();
                let flags = *self.dice.pick(&[OFlags::RDONLY, OFlags::PATH]);
                let opened = fs::open(
                    &path,
                    flags | OFlags::NONBLOCK | OFlags::CLOEXEC,
                    fs::Mode::empty(),
                );
                if let Some(fd) = self.check("hold", &path, opened) {
                    self.held.push(fd);
                }
            }
            6 => {
                let keep = self.dice.below(8);
                while self.held.len() > keep {
                    let index = self.dice.below(self.held.len());
                    self.held.swap_remove(index);
                }
            }
            7 => {
                let path = self.any_path();
                if path.ends_with("enable") && !path.ends_with("events/enable") {
                    // Others may remove it meanwhile; then it is off, too.
                    for bytes in ["1", "0"] {
                        let result = put(&path, OFlags::empty(), bytes.as_bytes());
                        self.check("write", &path, result);
                    }
                } else if path.ends_with("filter") {
                    let filters = ["common_pid == 1\n", "0\n", "no such field\n"];
                    let filter = self.dice.pick(&filters).as_bytes();
                    let result = put(&path, OFlags::empty(), filter);
                    self.check("write", &path, result);
                }
            }
            8 => {
                let path = self.any_path();
                let mode = fs::Mode::from_raw_mode(*self.dice.pick(&[0o640, 0o644, 0o755]));
                let result = fs::chmod(&path, mode);
                self.check("chmod", &path, result);
            }
            9 => {
                let result = drop_caches();
                self.check("drop caches", self.root, result);
            }
            10 => {
                let data = *self
                    .dice
                    .pick(&[c"uid=0", c"gid=0", c"uid=0,gid=0", c"mode=0700"]);
                let flags = rustix::mount::MountFlags::empty();
                let result = rustix::mount::mount_remount(self.root, flags, data);
                self.check("remount", self.root, result);
            }
            _ => {
                let path = self.root.join("events/stress_missing/never");
                match fs::stat(&path) {
                    Err(Errno::NOENT) => {}
                    result => {
                        let result = result.map(|stat| stat.st_ino);
                        self.trouble.note(format!("{}: {result:?}", path.display()));
                    }
                }
            }
        }
    }
}

/// `evt stress ROOT SECONDS SEED [THREADS]`: threads that do everything at
/// once.  What they did themselves must be seen at once by themselves; no
/// call gives an error that the coming and going of events cannot explain.
pub fn stress(args: &[String]) -> ExitCode {
    let numbers: Vec<u64> = args.iter().skip(1).filter_map(|n| n.parse().ok()).collect();
    let ([root, ..], [seconds, seed, rest @ ..]) = (args, numbers.as_slice()) else {
        eprintln!("stress: ROOT SECONDS SEED [THREADS]");
        return ExitCode::from(2);
    };
    let threads = rest.first().map_or(4, |&threads| threads as usize);
    let root = Path::new(root);
    let fixed: Vec<PathBuf> = children(&root.join("events/sched"))
        .into_iter()
        // That one can only be written.
        .filter(|path| !path.ends_with("inject"))
        .chain(["events", "events/sched", "events/enable"].map(|path| root.join(path)))
        .collect();
    let trouble = Trouble::default();
    let counts: [AtomicUsize; ACTIONS] = std::array::from_fn(|_| AtomicUsize::new(0));
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
        let end = Instant::now() + Duration::from_secs(*seconds);
        while Instant::now() < end && !trouble.stopped() {
            thread::sleep(Duration::from_millis(20));
        }
        trouble.stop();
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
    for (name, count) in ACTION_NAMES.iter().zip(&counts) {
        let count = count.load(Ordering::Relaxed);
        print!("{name} {count}  ");
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
