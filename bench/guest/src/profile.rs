// SPDX-License-Identifier: GPL-2.0

//! Cold look-ups while QEMU notes each instruction, see `bench/profile.sh`.

use std::fs;

use crate::caches::drop_caches;
use crate::clock::sleep_ms;
use crate::lifecycle::Loaded;
use crate::lookup::{open_path, stat_all};
use crate::peer::{self, child_names, Peer};
use crate::sample::progress;
use crate::Outcome;

/// The directory in which names are looked up.
const TREE: &str = "bench_profile";
/// How many children it has.
const SIZE: usize = 100;
/// How many of them are looked up.
const LOOKUPS: usize = 20;
/// How long the host has to switch its notes on, and off.
const PAUSE_MS: u32 = 3000;

/// Looks names up, once the host is ready.
fn look_up(peer: Peer) -> Outcome {
    let dir = open_path(&peer.tree(TREE))?;
    let all = child_names(0..SIZE)?;
    // The first look makes the metadata.
    stat_all(&dir, &all)?;
    drop_caches()?;
    let (first, rest) = all.split_at(SIZE / 2);
    let rest = rest.get(..LOOKUPS).unwrap_or(rest);
    // These fill what is filled once.
    stat_all(&dir, first)?;
    progress(format!("go {}", peer.name()));
    sleep_ms(PAUSE_MS);
    stat_all(&dir, rest)?;
    progress("stop");
    sleep_ms(PAUSE_MS);
    Ok(())
}

/// Does it for each that is there.
pub fn run() -> Outcome {
    let loaded = Loaded::new()?;
    peer::add_probes(TREE, SIZE)?;
    for peer in [Peer::Ours, Peer::Sysfs] {
        peer::create(peer, TREE, 0, SIZE)?;
    }
    // Where the modules are; the host knows of the kernel.
    for line in fs::read_to_string("/proc/kallsyms")?.lines() {
        if line.ends_with(']') {
            println!("{line}");
        }
    }
    let peers = [Peer::Kernel, Peer::Mirror, Peer::Ours, Peer::Sysfs];
    peers.into_iter().try_for_each(look_up)?;
    loaded.unload()
}
