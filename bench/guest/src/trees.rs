// SPDX-License-Identifier: GPL-2.0

//! Directories with few and with many children: the cost of adding, removing
//! and storing them, and of look-ups among them.

use std::fs;
use std::path::Path;

use crate::caches::{drop_caches, wait_grace_periods};
use crate::lifecycle::Loaded;
use crate::lookup;
use crate::memory::{self, AllocInfo, Growth};
use crate::peer::{self, rotated, Listing, Peer, TRACEFS};
use crate::plan::Plan;
use crate::sample::{per_item, progress, sample, Random};
use crate::walk;
use crate::Outcome;

/// The name of the directory with this many children.
fn tree_name(size: usize) -> String {
    format!("bench_{size}")
}

/// Prints the sites that grew, with their bytes per directory.
fn print_sites(name: &str, size: usize, growth: &Growth, which: impl Fn(&str) -> bool) {
    for (site, bytes) in growth {
        let share = *bytes as f64 / size as f64;
        if which(site) && share.abs() >= 0.5 {
            println!("#bytes {name}, {size} directories: {share:.1} each: {site}");
        }
    }
}

/// Whether a site belongs to the kernel's eventfs or copies strings: the only
/// strings that a new tracing instance copies are names of event directories.
fn is_eventfs_site(site: &str) -> bool {
    site.starts_with("fs/tracefs/event_inode.c") || site.starts_with("mm/util.c")
}

/// Measures the memory of the kernel's eventfs for all event directories, once
/// per repetition: a new tracing instance allocates them once more.
fn measure_instances(plan: &Plan) -> Outcome<Vec<Growth>> {
    let path = Path::new(TRACEFS).join("instances/bench");
    (0..plan.repeats)
        .map(|_| {
            wait_until_freed()?;
            let before = AllocInfo::now()?;
            fs::create_dir(&path)?;
            let growth = before.growth_to(&AllocInfo::now()?);
            fs::remove_dir(&path)?;
            Ok(growth)
        })
        .collect()
}

/// Adds the groups of kprobe events, and measures the memory of the kernel's
/// eventfs for each: the difference of an instance with and without the group.
fn add_groups(plan: &Plan, sizes: &[usize]) -> Outcome {
    let mut without = measure_instances(plan)?;
    for &size in sizes {
        progress(format!("{size} kprobe events"));
        peer::add_probes(&tree_name(size), size)?;
        let with = measure_instances(plan)?;
        for (rep, (without, with)) in without.iter().zip(&with).enumerate() {
            let growth = memory::difference(without, with);
            let bytes = memory::sum(&growth, is_eventfs_site);
            let kernel = Peer::Kernel.name();
            sample("metadata", kernel, size, rep, bytes / size as f64);
            if rep == 0 && size >= 1000 {
                print_sites(kernel, size, &growth, is_eventfs_site);
            }
        }
        without = with;
    }
    wait_until_freed()
}

/// Measures the memory of ours for the kernel's events after all their
/// directories were listed. Reloads the module for each repetition.
fn measure_mirror(plan: &Plan, sizes: &[usize], mut loaded: Loaded) -> Outcome<Loaded> {
    progress("the memory of ours for the kernel's events");
    let is_rust_site = |site: &str| site.starts_with("rust/");
    let mirror = Peer::Mirror.name();
    for rep in 0..plan.repeats {
        loaded.unload()?;
        loaded = Loaded::new()?;
        // The nodes of the groups exist from here on.
        fs::read_dir(Peer::Mirror.tree(""))?.try_for_each(|entry| entry.map(drop))?;
        for &size in sizes {
            let name = tree_name(size);
            drop_caches()?;
            let before = AllocInfo::now()?;
            walk::walk(&Peer::Mirror.tree(&name), true)?;
            // Frees the dentries and inodes of the walk.
            drop_caches()?;
            let growth = before.growth_to(&AllocInfo::now()?);
            let bytes = memory::sum(&growth, is_rust_site);
            sample("metadata", mirror, size, rep, bytes / size as f64);
            if rep == 0 && size >= 1000 {
                print_sites(mirror, size, &growth, is_rust_site);
            }
        }
    }
    Ok(loaded)
}

/// Measures the memory of our directories. Reloads the module for each size,
/// because the index may keep memory of a larger one.
fn measure_memory(plan: &Plan, mut loaded: Loaded) -> Outcome<Loaded> {
    progress("the memory of our directories");
    for rep in 0..plan.repeats {
        for &size in plan.sizes {
            loaded.unload()?;
            loaded = Loaded::new()?;
            wait_grace_periods()?;
            let ours = Peer::Ours.name();
            let before = AllocInfo::now()?;
            peer::create(Peer::Ours, &tree_name(size), 0, size)?;
            let growth = before.growth_to(&AllocInfo::now()?);
            let bytes = memory::sum(&growth, memory::is_metadata);
            sample("metadata", ours, size, rep, bytes / size as f64);
            if rep == 0 && size >= 1000 {
                print_sites(ours, size, &growth, memory::is_metadata);
            }
            peer::remove(Peer::Ours, &tree_name(size))?;
            wait_until_freed()?;
            let left = memory::sum(&before.growth_to(&AllocInfo::now()?), memory::is_metadata);
            sample("metadata-left", ours, size, rep, left / size as f64);
        }
    }
    Ok(loaded)
}

/// Waits until removed objects are freed: RCU runs only a batch of callbacks
/// after each grace period.
fn wait_until_freed() -> Outcome {
    let mut before = f64::MAX;
    loop {
        wait_grace_periods()?;
        let slab = memory::slab()?;
        // Other slab objects come and go meanwhile.
        if slab > before - 65536.0 {
            return Ok(());
        }
        before = slab;
    }
}

/// Measures the creation of the synthetic trees of one size.
fn add_synthetic(size: usize, rep: usize) -> Outcome {
    for peer in rotated(&Peer::SYNTHETIC, rep) {
        wait_grace_periods()?;
        let slab = memory::slab()?;
        let before = AllocInfo::now()?;
        let ns = peer::create(peer, &tree_name(size), 0, size)?;
        let growth = before.growth_to(&AllocInfo::now()?);
        let slab = memory::slab()? - slab;
        let bytes = memory::sum(&growth, memory::is_metadata);
        sample("add", peer.name(), size, rep, per_item(ns, size));
        sample("metadata-slab", peer.name(), size, rep, slab / size as f64);
        if peer == Peer::Ours {
            continue;
        }
        sample("metadata", peer.name(), size, rep, bytes / size as f64);
        if rep == 0 && size >= 1000 {
            print_sites(peer.name(), size, &growth, memory::is_metadata);
        }
    }
    Ok(())
}

/// Looks up names in the trees of one size. All peers get the same names, and
/// each repetition others.
fn look_up(size: usize, rep: usize, peers: &[Peer]) -> Outcome {
    for peer in rotated(peers, rep) {
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

/// Lists one peer's directory with `size` children.
fn list_one(listing: Listing, size: usize, rep: usize) -> Outcome {
    let dir = listing.peer.tree(&tree_name(size));
    drop_caches()?;
    for row in ["readdir-cold", "readdir-warm"] {
        sample(row, &listing.name(), size, rep, walk::list(&dir, size)?);
    }
    Ok(())
}

/// Lists all peers' directories with `size` children.
fn list(size: usize, rep: usize, peers: &[Peer], loaded: &Loaded) -> Outcome {
    for listing in rotated(&Listing::all(peers), rep) {
        loaded.listing(listing, || list_one(listing, size, rep))?;
    }
    Ok(())
}

/// Measures the removal of each cold synthetic tree by one call.
fn remove_synthetic(size: usize, rep: usize) -> Outcome {
    drop_caches()?;
    for peer in rotated(&Peer::SYNTHETIC, rep) {
        let ns = peer::remove(peer, &tree_name(size))?;
        sample("remove", peer.name(), size, rep, per_item(ns, size));
        wait_until_freed()?;
    }
    Ok(())
}

/// Measures two other removals, each of a new tree: one directory after the
/// other, and by one call after a walk of the whole tree.
fn remove_variants(size: usize, rep: usize) -> Outcome {
    let name = tree_name(size);
    for peer in rotated(&Peer::SYNTHETIC, rep) {
        peer::create(peer, &name, 0, size)?;
        drop_caches()?;
        let ns = peer::empty(peer, &name)?;
        sample("remove-each", peer.name(), size, rep, per_item(ns, size));
        peer::remove(peer, &name)?;
        wait_until_freed()?;
        peer::create(peer, &name, 0, size)?;
        drop_caches()?;
        walk::walk(&peer.tree(&name), true)?;
        let ns = peer::remove(peer, &name)?;
        sample("remove-warm", peer.name(), size, rep, per_item(ns, size));
        wait_until_freed()?;
    }
    Ok(())
}

/// Runs all measurements of this file. Returns the module as reloaded.
pub fn measure(plan: &Plan, mut loaded: Loaded) -> Outcome<Loaded> {
    loaded = measure_memory(plan, loaded)?;
    let probes: Vec<usize> = plan
        .sizes
        .iter()
        .copied()
        .filter(|size| *size <= plan.max_probes)
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
            if size <= plan.max_probes {
                peers.extend([Peer::Mirror, Peer::Kernel]);
            }
            peers.extend(Peer::SYNTHETIC);
            add_synthetic(size, rep)?;
            look_up(size, rep, &peers)?;
            if size == plan.readdir_size {
                list(size, rep, &peers, &loaded)?;
            }
            remove_synthetic(size, rep)?;
            if (1000..=plan.readdir_size).contains(&size) {
                remove_variants(size, rep)?;
            }
        }
    }
    Ok(loaded)
}
