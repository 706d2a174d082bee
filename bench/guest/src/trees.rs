// SPDX-License-Identifier: GPL-2.0

//! Directories with few and with many children: what adding, removing and
//! holding them costs, and what looking for one among them.

use std::fs;
use std::path::Path;

use crate::caches::{drop_caches, settle};
use crate::lifecycle::Loaded;
use crate::lookup;
use crate::memory::{self, Growth, Lines};
use crate::peer::{self, in_turn, Listing, Peer, TRACEFS};
use crate::plan::Plan;
use crate::sample::{each, progress, sample, Random};
use crate::walk;
use crate::Outcome;

/// The name of the directory with this many children.
fn tree_name(size: usize) -> String {
    format!("bench_{size}")
}

/// Tells what grew, and by how much for each of `size` directories.
fn tell_parts(name: &str, size: usize, growth: &Growth, which: impl Fn(&str) -> bool) {
    for (place, bytes) in growth {
        let share = *bytes as f64 / size as f64;
        if which(place) && share.abs() >= 0.5 {
            println!("#bytes {name}, {size} directories: {share:.1} each: {place}");
        }
    }
}

/// Whether a line is of the kernel's eventfs, or copies strings: a new tracing
/// instance copies no others than the names of event directories.
fn of_eventfs(place: &str) -> bool {
    place.starts_with("fs/tracefs/event_inode.c") || place.starts_with("mm/util.c")
}

/// What the kernel's eventfs spends on all directories that there are: a new
/// instance has them once more. Once for each repetition.
fn instances(plan: &Plan) -> Outcome<Vec<Growth>> {
    let path = Path::new(TRACEFS).join("instances/bench");
    (0..plan.repeats)
        .map(|_| {
            settle_all()?;
            let before = Lines::now()?;
            fs::create_dir(&path)?;
            let growth = before.until(&Lines::now()?);
            fs::remove_dir(&path)?;
            Ok(growth)
        })
        .collect()
}

/// Adds the groups of kprobe events, and measures what the kernel's eventfs
/// spends on each: that much more than without it.
fn add_groups(plan: &Plan, sizes: &[usize]) -> Outcome {
    let mut without = instances(plan)?;
    for &size in sizes {
        progress(format!("{size} kprobe events"));
        peer::add_probes(&tree_name(size), size)?;
        let with = instances(plan)?;
        for (rep, (without, with)) in without.iter().zip(&with).enumerate() {
            let growth = memory::more(without, with);
            let bytes = memory::sum(&growth, of_eventfs);
            let kernel = Peer::Kernel.name();
            sample("metadata", kernel, size, rep, bytes / size as f64);
            if rep == 0 && size >= 1000 {
                tell_parts(kernel, size, &growth, of_eventfs);
            }
        }
        without = with;
    }
    settle_all()
}

/// Measures what ours takes for the kernel's events once all of their
/// directories were looked into, with a module that is loaded for each
/// repetition.
fn measure_mirror(plan: &Plan, sizes: &[usize], mut loaded: Loaded) -> Outcome<Loaded> {
    progress("the memory of ours for the kernel's events");
    let of_rust = |place: &str| place.starts_with("rust/");
    let mirror = Peer::Mirror.name();
    for rep in 0..plan.repeats {
        loaded.unload()?;
        loaded = Loaded::new()?;
        // What the groups are in is known from here on.
        fs::read_dir(Peer::Mirror.tree(""))?.try_for_each(|entry| entry.map(drop))?;
        for &size in sizes {
            let name = tree_name(size);
            drop_caches()?;
            let before = Lines::now()?;
            walk::walk(&Peer::Mirror.tree(&name), true)?;
            // Dentries and inodes go again.
            drop_caches()?;
            let growth = before.until(&Lines::now()?);
            let bytes = memory::sum(&growth, of_rust);
            sample("metadata", mirror, size, rep, bytes / size as f64);
            if rep == 0 && size >= 1000 {
                tell_parts(mirror, size, &growth, of_rust);
            }
        }
    }
    Ok(loaded)
}

/// Measures what our directories take: with a module that is loaded for each
/// number of them, for it may keep what it has needed for others.
fn measure_memory(plan: &Plan, mut loaded: Loaded) -> Outcome<Loaded> {
    progress("the memory of our directories");
    for rep in 0..plan.repeats {
        for &size in plan.sizes {
            loaded.unload()?;
            loaded = Loaded::new()?;
            settle()?;
            let ours = Peer::Ours.name();
            let before = Lines::now()?;
            peer::create(Peer::Ours, &tree_name(size), 0, size)?;
            let growth = before.until(&Lines::now()?);
            let bytes = memory::sum(&growth, memory::is_metadata);
            sample("metadata", ours, size, rep, bytes / size as f64);
            if rep == 0 && size >= 1000 {
                tell_parts(ours, size, &growth, memory::is_metadata);
            }
            peer::remove(Peer::Ours, &tree_name(size))?;
            settle_all()?;
            let left = memory::sum(&before.until(&Lines::now()?), memory::is_metadata);
            sample("metadata-left", ours, size, rep, left / size as f64);
        }
    }
    Ok(loaded)
}

/// Waits until what was removed has been freed: the kernel frees so many after
/// each grace period that it disturbs nobody else.
fn settle_all() -> Outcome {
    let mut before = f64::MAX;
    loop {
        settle()?;
        let slab = memory::slab()?;
        // Some pages come and go.
        if slab > before - 65536.0 {
            return Ok(());
        }
        before = slab;
    }
}

/// Makes the synthetic trees of one size, and measures that.
fn add_synthetic(size: usize, rep: usize) -> Outcome {
    for peer in in_turn(&Peer::SYNTHETIC, rep) {
        settle()?;
        let slab = memory::slab()?;
        let before = Lines::now()?;
        let ns = peer::create(peer, &tree_name(size), 0, size)?;
        let growth = before.until(&Lines::now()?);
        let slab = memory::slab()? - slab;
        let bytes = memory::sum(&growth, memory::is_metadata);
        sample("add", peer.name(), size, rep, each(ns, size));
        sample("metadata-slab", peer.name(), size, rep, slab / size as f64);
        if peer == Peer::Ours {
            continue;
        }
        sample("metadata", peer.name(), size, rep, bytes / size as f64);
        if rep == 0 && size >= 1000 {
            tell_parts(peer.name(), size, &growth, memory::is_metadata);
        }
    }
    Ok(())
}

/// Looks names up in the trees of one size: the same in all of them, others in
/// each repetition.
fn look_up(size: usize, rep: usize, peers: &[Peer]) -> Outcome {
    for peer in in_turn(peers, rep) {
        let mut random = Random::new(size + rep);
        let dir = peer.tree(&tree_name(size));
        sample(
            "cold",
            peer.name(),
            size,
            rep,
            lookup::cold(&dir, size, &mut random)?,
        );
        sample(
            "missing",
            peer.name(),
            size,
            rep,
            lookup::missing(&dir, &mut random)?,
        );
    }
    Ok(())
}

/// Lists the directory of one that has `size` children.
fn list_one(listing: Listing, size: usize, rep: usize) -> Outcome {
    let dir = listing.peer.tree(&tree_name(size));
    drop_caches()?;
    for row in ["readdir-cold", "readdir-warm"] {
        sample(row, &listing.name(), size, rep, walk::list(&dir, size)?);
    }
    Ok(())
}

/// Lists the directories with `size` children.
fn list(size: usize, rep: usize, peers: &[Peer], loaded: &Loaded) -> Outcome {
    for listing in in_turn(&Listing::all(peers), rep) {
        loaded.listing(listing, || list_one(listing, size, rep))?;
    }
    Ok(())
}

/// Removes synthetic trees, as one, cold.
fn remove_synthetic(size: usize, rep: usize) -> Outcome {
    drop_caches()?;
    for peer in in_turn(&Peer::SYNTHETIC, rep) {
        let ns = peer::remove(peer, &tree_name(size))?;
        sample("remove", peer.name(), size, rep, each(ns, size));
        settle_all()?;
    }
    Ok(())
}

/// Makes them once more, and removes them otherwise: one directory after the
/// other; and as one, after all of it was looked at.
fn remove_otherwise(size: usize, rep: usize) -> Outcome {
    let name = tree_name(size);
    for peer in in_turn(&Peer::SYNTHETIC, rep) {
        peer::create(peer, &name, 0, size)?;
        drop_caches()?;
        let ns = peer::empty(peer, &name)?;
        sample("remove-each", peer.name(), size, rep, each(ns, size));
        peer::remove(peer, &name)?;
        settle_all()?;
        peer::create(peer, &name, 0, size)?;
        drop_caches()?;
        walk::walk(&peer.tree(&name), true)?;
        let ns = peer::remove(peer, &name)?;
        sample("remove-warm", peer.name(), size, rep, each(ns, size));
        settle_all()?;
    }
    Ok(())
}

/// Measures all of this. Gives back the module, as it is loaded now.
pub fn measure(plan: &Plan, mut loaded: Loaded) -> Outcome<Loaded> {
    loaded = measure_memory(plan, loaded)?;
    let probes: Vec<usize> = plan
        .sizes
        .iter()
        .copied()
        .filter(|size| *size <= plan.most_probes)
        .collect();
    add_groups(plan, &probes)?;
    loaded = measure_mirror(plan, &probes, loaded)?;
    for rep in 0..plan.repeats {
        for &size in plan.sizes {
            progress(format!(
                "directories with {size} children ({} of {})",
                rep + 1,
                plan.repeats
            ));
            let mut peers = Vec::new();
            if size <= plan.most_probes {
                peers.extend([Peer::Mirror, Peer::Kernel]);
            }
            peers.extend(Peer::SYNTHETIC);
            add_synthetic(size, rep)?;
            look_up(size, rep, &peers)?;
            if size == plan.listed {
                list(size, rep, &peers, &loaded)?;
            }
            remove_synthetic(size, rep)?;
            if (1000..=plan.listed).contains(&size) {
                remove_otherwise(size, rep)?;
            }
        }
    }
    Ok(loaded)
}
