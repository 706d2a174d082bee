// SPDX-License-Identifier: GPL-2.0

//! System calls that have no safe wrapper.
#![allow(unsafe_code)]

use std::ptr;

use rustix::io::{self, Errno};
use rustix::mm::{self, MapFlags, ProtFlags};
use rustix::thread::UnshareFlags;

/// Gives this thread its own root and working directory and, with `mounts`, its own
/// mount namespace.
pub fn unshare_fs(mounts: bool) -> io::Result<()> {
    let mut flags = UnshareFlags::FS;
    if mounts {
        flags |= UnshareFlags::NEWNS;
    }
    // SAFETY: The table of file descriptors stays shared.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

/// Gives this process its own user and mount namespaces. It must have one thread only.
pub fn unshare_user() -> io::Result<()> {
    let flags = UnshareFlags::NEWUSER | UnshareFlags::NEWNS | UnshareFlags::FS;
    // SAFETY: The table of file descriptors stays shared.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

/// Memory that system calls may read and write in any way: it holds no Rust object.
///
/// # Invariants
///
/// The `size` bytes from each region's `base` on are mapped for as long as the arena
/// exists. The first [`Arena::SIZE`] of them are readable and, except in
/// [`Arena::READ_ONLY`], writable. The rest is not accessible. No Rust object is in
/// this memory, and no reference or pointer to it exists outside of the arena's
/// methods and of the calls that they make.
pub struct Arena {
    regions: [Region; Self::REGIONS],
}

/// Mapped memory: one half is accessible, and a guard of the same size follows.
struct Region {
    base: usize,
    size: usize,
}

/// The target of a pointer argument.
#[derive(Clone, Copy, Debug)]
pub enum Address {
    /// A region, and an offset from its beginning.
    In(usize, usize),
    /// A region, and a distance from the end of its accessible part.
    BeforeEnd(usize, usize),
    /// The null pointer.
    Null,
    /// The lowest address of the kernel's direct map.
    Kernel,
}

/// An argument of a system call.
#[derive(Clone, Copy, Debug)]
pub enum Argument {
    /// A number that is no pointer.
    Number(usize),
    /// A pointer.
    Pointer(Address),
}

impl Arena {
    /// The region with data to read and write.
    pub const DATA: usize = 0;
    /// The region that is not writable.
    pub const READ_ONLY: usize = 1;
    /// The first region with a string; there are four of them.
    pub const TEXT: usize = 2;
    /// The region with an array of `struct iovec`.
    pub const IOVEC: usize = 6;
    const REGIONS: usize = 7;
    /// The accessible size of each region.
    pub const SIZE: usize = 1 << 20;

    /// Maps the regions.
    pub fn new() -> io::Result<Self> {
        let map = |index| {
            let flags = MapFlags::PRIVATE;
            // SAFETY: The kernel chooses an address that is free, so the new
            // mapping replaces no memory in use. `mprotect` changes the first
            // half of it, to which there is no reference.
            unsafe {
                let size = 2 * Self::SIZE;
                let at = mm::mmap_anonymous(ptr::null_mut(), size, ProtFlags::empty(), flags)?;
                let mut prot = mm::MprotectFlags::READ;
                if index != Self::READ_ONLY {
                    prot |= mm::MprotectFlags::WRITE;
                }
                mm::mprotect(at, Self::SIZE, prot)?;
                Ok::<_, Errno>(Region {
                    base: at as usize,
                    size,
                })
            }
        };
        let mut all = Vec::new();
        for index in 0..Self::REGIONS {
            all.push(map(index)?);
        }
        // INVARIANT: Each region was just mapped with `size` bytes, of which `map`
        // has made the first `SIZE` readable and, if it may, writable. Only
        // `regions` has its address, and no Rust object is in it.
        let regions = all.try_into().map_err(|_| Errno::NOMEM)?;
        Ok(Self { regions })
    }

    /// The number that a pointer argument stands for.
    pub fn address(&self, address: Address) -> usize {
        match address {
            Address::In(region, offset) => self.regions[region].base + offset.min(Self::SIZE),
            Address::BeforeEnd(region, distance) => {
                self.regions[region].base + Self::SIZE - distance.min(Self::SIZE)
            }
            Address::Null => 0,
            Address::Kernel => 0xffff_8880_0000_0000,
        }
    }

    /// Copies bytes to the beginning of a region. It must not be the read-only one.
    pub fn put(&mut self, region: usize, bytes: &[u8]) {
        assert!(region != Self::READ_ONLY && bytes.len() <= Self::SIZE);
        let at = self.regions[region].base as *mut u8;
        // SAFETY: By the type invariant `SIZE` bytes are writable there, and
        // `bytes` is not longer. It is a Rust object, so it is not in the region
        // and does not overlap the target.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len()) }
    }

    /// Makes any system call. It can write to the regions only.
    pub fn call(&mut self, number: libc::c_long, arguments: &[Argument; 6]) -> io::Result<usize> {
        let [a, b, c, d, e, f] = arguments.map(|argument| match argument {
            Argument::Number(number) => number,
            Argument::Pointer(address) => self.address(address),
        });
        // SAFETY: Where the kernel takes a pointer, the callers pass an
        // `Argument::Pointer`, or a number below 100, at which nothing is mapped. So
        // the kernel writes to the regions, which hold no Rust object by the type
        // invariant, or the access faults: each region has a guard behind it, and
        // the kernel refuses kernel addresses. No call that is made through this
        // changes an existing mapping.
        let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
        usize::try_from(result).map_err(|_| {
            let error = std::io::Error::last_os_error().raw_os_error();
            Errno::from_raw_os_error(error.unwrap_or(libc::EIO))
        })
    }

    /// Unmaps a mapping that a call of mmap has made.
    pub fn unmap(&mut self, at: usize, size: usize) {
        // SAFETY: The caller passes the address and size of a mapping that its own
        // call has just made, and has made no reference into it.
        let _ = unsafe { mm::munmap(at as *mut _, size) };
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for region in &self.regions {
            // SAFETY: By the type invariant these `size` bytes are mapped, and no
            // reference or pointer to them exists outside of the arena.
            let _ = unsafe { mm::munmap(region.base as *mut _, region.size) };
        }
    }
}
