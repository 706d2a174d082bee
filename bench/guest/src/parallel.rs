// SPDX-License-Identifier: GPL-2.0

//! Look-ups by two CPUs at once.

use std::ffi::CString;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::mount::{mount, unmount, MountFlags, UnmountFlags};
use rustix::thread::{sched_setaffinity, CpuSet};

use crate::caches::drop_caches;
use crate::clock::now;
use crate::lifecycle::Loaded;
use crate::lookup::{open_path, stat_all, stat_missing};
use crate::peer::{self, child_names, rotated, Peer};
use crate::plan::Plan;
use crate::sample::{progress, sample};
use crate::Outcome;

/// The directories of the look-ups: both CPUs use the first one, or each CPU
/// its own.
const TREES: [&str; 2] = ["bench_parallel", "bench_apart"];
/// The mount points of one tmpfs per CPU.
const OWN: [&str; 2] = ["/run/bench_own_0", "/run/bench_own_1"];
/// Runs with one and with two CPUs per sample.
const BLOCKS: usize = 20;

/// Runs `work` on `cpus` CPUs at once, with the CPU's index; returns the
/// nanoseconds from the first start to the last end.
fn on_cpus(cpus: usize, work: &(dyn Fn(usize) -> Outcome + Sync)) -> Outcome<u64> {
    let ready = AtomicUsize::new(0);
    let one = |cpu: usize| -> Result<(u64, u64), String> {
        let mut set = CpuSet::new();
        set.set(cpu);
        sched_setaffinity(None, &set).map_err(|error| error.to_string())?;
        ready.fetch_add(1, Ordering::SeqCst);
        while ready.load(Ordering::SeqCst) < cpus {
            std::hint::spin_loop();
        }
        let start = now();
        work(cpu).map_err(|error| error.to_string())?;
        Ok((start, now()))
    };
    let spans: Vec<(u64, u64)> = thread::scope(|scope| {
        let one = &one;
        let threads: Vec<_> = (0..cpus).map(|cpu| scope.spawn(move || one(cpu))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or(Err("a thread died".to_string())))
            .collect::<Result<_, _>>()
    })?;
    let start = spans.iter().map(|span| span.0).min().ok_or("no CPU")?;
    let end = spans.iter().map(|span| span.1).max().ok_or("no CPU")?;
    Ok(end.saturating_sub(start))
}

/// Work that one or two CPUs do.
struct Subject {
    /// The row of its samples.
    row: &'static str,
    /// The peer in the samples.
    name: String,
    /// Each CPU's directory. `None` means arithmetic.
    dirs: Option<[OwnedFd; 2]>,
    /// The names that each CPU looks up.
    names: [Vec<CString>; 2],
}

impl Subject {
    /// The row for one shared directory, or for one directory per CPU.
    fn row(apart: bool) -> &'static str {
        if apart {
            "parallel-apart"
        } else {
            "parallel"
        }
    }

    /// Look-ups of cold names in directories with `size` children.
    fn cold(peer: Peer, size: usize, apart: bool) -> Outcome<Self> {
        let names = |cpu: usize| child_names((cpu..size).step_by(2));
        Ok(Self {
            row: Self::row(apart),
            name: peer.name().to_string(),
            dirs: Some([
                open_path(&peer.tree(TREES[0]))?,
                open_path(&peer.tree(TREES[usize::from(apart)]))?,
            ]),
            names: [names(0)?, names(1)?],
        })
    }

    /// Look-ups of missing names in two file systems: the machine's limit for
    /// path walks that share nothing.
    fn two_tmpfs(count: usize) -> Outcome<Self> {
        let mut dirs = Vec::new();
        for path in OWN {
            fs::create_dir_all(path)?;
            mount("nodev", path, "tmpfs", MountFlags::empty(), None)?;
            dirs.push(open_path(Path::new(path))?);
        }
        Ok(Self {
            row: "parallel-mounts",
            dirs: Some(<[OwnedFd; 2]>::try_from(dirs).map_err(|_| "not two file systems")?),
            ..Self::tmpfs(count, true)?
        })
    }

    /// Look-ups of missing names in directories of one tmpfs: the VFS's limit.
    fn tmpfs(count: usize, apart: bool) -> Outcome<Self> {
        let run = Path::new("/run");
        let paths = TREES.map(|tree| run.join(tree));
        for path in &paths {
            fs::create_dir_all(path)?;
        }
        let names = |cpu: usize| -> Outcome<Vec<CString>> {
            Ok((0..count)
                .map(|number| CString::new(format!("no_{cpu}_{number}")))
                .collect::<Result<_, _>>()?)
        };
        Ok(Self {
            row: Self::row(apart),
            name: "tmpfs".to_string(),
            dirs: Some([
                open_path(&paths[0])?,
                open_path(&paths[usize::from(apart)])?,
            ]),
            names: [names(0)?, names(1)?],
        })
    }

    /// Only arithmetic: the machine's limit.
    fn machine() -> Self {
        Self {
            row: Self::row(false),
            name: "machine".to_string(),
            dirs: None,
            names: [Vec::new(), Vec::new()],
        }
    }

    /// Does the work of one CPU.
    fn work(&self, cpu: usize) -> Outcome {
        let Some(dirs) = &self.dirs else {
            let mut value = 1_u64;
            for round in 0..5_000_000_u64 {
                value = std::hint::black_box(value.wrapping_mul(round | 1) ^ round);
            }
            return Ok(());
        };
        let names = self.names.get(cpu).ok_or("no names for this CPU")?;
        let dir = dirs.get(cpu).ok_or("no directory for this CPU")?;
        if self.name == "tmpfs" {
            return names.iter().try_for_each(|name| stat_missing(dir, name));
        }
        stat_all(dir, names)
    }

    /// Measures the throughput of two CPUs relative to one. Other load on the
    /// host only lengthens a run, so the shortest of several runs counts.
    fn measure(&self, rep: usize) -> Outcome {
        let (mut one, mut two) = (u64::MAX, u64::MAX);
        for _ in 0..BLOCKS {
            drop_caches()?;
            one = one.min(on_cpus(1, &|cpu| self.work(cpu))?);
            drop_caches()?;
            two = two.min(on_cpus(2, &|cpu| self.work(cpu))?);
        }
        let ratio = 2.0 * one as f64 / two.max(1) as f64;
        sample(self.row, &self.name, 2, rep, ratio);
        let count = self.names[0].len().max(1) as f64;
        let row = format!("{}-one", self.row);
        sample(&row, &self.name, 1, rep, one as f64 / count);
        Ok(())
    }
}

/// Measures all subjects.
pub fn measure(plan: &Plan) -> Outcome {
    let loaded = Loaded::new()?;
    let size = plan.max_probes.min(4000);
    let probes = size.min(1000);
    progress("cold look-ups from two CPUs");
    let peers = [
        (Peer::Mirror, probes),
        (Peer::Kernel, probes),
        (Peer::Ours, size),
        (Peer::Sysfs, size),
    ];
    for tree in TREES {
        peer::add_probes(tree, probes)?;
        for peer in [Peer::Ours, Peer::Sysfs] {
            peer::create(peer, tree, 0, size)?;
        }
    }
    let mut subjects = vec![Subject::machine(), Subject::two_tmpfs(size / 2)?];
    for apart in [false, true] {
        subjects.push(Subject::tmpfs(size / 2, apart)?);
        for (peer, size) in &peers {
            subjects.push(Subject::cold(*peer, *size, apart)?);
        }
    }
    // The first run creates nodes and fills the per-CPU slab lists.
    for subject in &subjects {
        on_cpus(2, &|cpu| subject.work(cpu))?;
    }
    for rep in 0..plan.repeats {
        for subject in rotated(&subjects.iter().collect::<Vec<_>>(), rep) {
            subject.measure(rep)?;
        }
    }
    drop(subjects);
    for path in OWN {
        unmount(path, UnmountFlags::empty())?;
    }
    loaded.unload()
}
