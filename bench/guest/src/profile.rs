// SPDX-License-Identifier: GPL-2.0

//! Cold look-ups while QEMU logs each instruction, see `bench/profile.sh`.

use std::fs;

use crate::caches::drop_caches;
use crate::clock::sleep_ms;
use crate::lifecycle::Loaded;
use crate::lookup::{open_path, stat_all};
use crate::peer::{self, child_names, Peer};
use crate::sample::progress;
use crate::Outcome;

/// The directory of the look-ups.
const TREE: &str = "bench_profile";
/// Its number of children.
const SIZE: usize = 100;
/// Look-ups per peer.
const LOOKUPS: usize = 20;
/// Time for the host to switch QEMU's log on or off.
const PAUSE_MS: u32 = 3000;

/// Looks up cold names while the host logs.
fn look_up(peer: Peer) -> Outcome {
    let dir = open_path(&peer.tree(TREE))?;
    let all = child_names(0..SIZE)?;
    // The first look-up creates the metadata.
    stat_all(&dir, &all)?;
    drop_caches()?;
    let (first, rest) = all.split_at(SIZE / 2);
    let rest = rest.get(..LOOKUPS).unwrap_or(rest);
    // These look-ups do all work that is done only once.
    stat_all(&dir, first)?;
    progress(format!("go {}", peer.name()));
    sleep_ms(PAUSE_MS);
    stat_all(&dir, rest)?;
    progress("stop");
    sleep_ms(PAUSE_MS);
    Ok(())
}

/// Profiles all peers whose look-ups can be cold.
pub fn run() -> Outcome {
    let loaded = Loaded::new()?;
    peer::add_probes(TREE, SIZE)?;
    for peer in [Peer::Ours, Peer::Sysfs] {
        peer::create(peer, TREE, 0, SIZE)?;
    }
    // The host has System.map, but not the modules' addresses.
    for line in fs::read_to_string("/proc/kallsyms")?.lines() {
        if line.ends_with(']') {
            println!("{line}");
        }
    }
    let peers = [Peer::Kernel, Peer::Mirror, Peer::Ours, Peer::Sysfs];
    peers.into_iter().try_for_each(look_up)?;
    loaded.unload()
}
