// SPDX-License-Identifier: GPL-2.0

//! The system calls that have no safe wrapper.
#![allow(unsafe_code)]

use std::ptr;

use rustix::io::{self, Errno};
use rustix::mm::{self, MapFlags, ProtFlags};
use rustix::thread::UnshareFlags;

/// Gives this thread a root, a working directory and, with `mounts`, a mount
/// name space of its own.
pub fn unshare_fs(mounts: bool) -> io::Result<()> {
    let mut flags = UnshareFlags::FS;
    if mounts {
        flags |= UnshareFlags::NEWNS;
    }
    // SAFETY: The table of file descriptors stays shared.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

/// Gives this process, which has one thread, a user name space of its own.
pub fn unshare_user() -> io::Result<()> {
    let flags = UnshareFlags::NEWUSER | UnshareFlags::NEWNS | UnshareFlags::FS;
    // SAFETY: The table of file descriptors stays shared.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

/// Memory for system calls that do anything with it: no Rust object is there.
///
/// # Invariants
///
/// The regions are mapped for as long as this exists, and nobody else has
/// pointers to them. Behind each of them nothing is mapped.
pub struct Arena {
    regions: [Region; Self::REGIONS],
}

/// Mapped memory, with as much behind it that is not accessible.
struct Region {
    base: usize,
    size: usize,
}

/// A place that a pointer points to.
#[derive(Clone, Copy, Debug)]
pub enum Address {
    /// So many bytes from the beginning of a region.
    In(usize, usize),
    /// So many bytes before the end of a region, behind which nothing is.
    BeforeEnd(usize, usize),
    /// The null pointer.
    Null,
    /// The lowest address that belongs to the kernel.
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
    /// What is read and written.
    pub const DATA: usize = 0;
    /// What cannot be written.
    pub const READ_ONLY: usize = 1;
    /// The first of some strings.
    pub const TEXT: usize = 2;
    /// An array of `struct iovec`.
    pub const IOVEC: usize = 6;
    const REGIONS: usize = 7;
    /// How much there is of each.
    pub const SIZE: usize = 1 << 20;

    /// Maps it.
    pub fn new() -> io::Result<Self> {
        let map = |index| {
            let flags = MapFlags::PRIVATE;
            // SAFETY: A new mapping at an address of the kernel's choice
            // disturbs nothing; a part of it is given other permissions.
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
        // INVARIANT: Just mapped, and only here.
        let regions = all.try_into().map_err(|_| Errno::NOMEM)?;
        Ok(Self { regions })
    }

    /// The address of a place.
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

    /// Puts bytes to the beginning of a region, but for the read-only one.
    pub fn put(&mut self, region: usize, bytes: &[u8]) {
        assert!(region != Self::READ_ONLY && bytes.len() <= Self::SIZE);
        let at = self.regions[region].base as *mut u8;
        // SAFETY: So much is mapped there and can be written, by the
        // invariant of the type; nothing of Rust's is there.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len()) }
    }

    /// Makes any system call.  What it writes to is here, or nowhere.
    pub fn call(&mut self, number: libc::c_long, arguments: &[Argument; 6]) -> io::Result<usize> {
        let [a, b, c, d, e, f] = arguments.map(|argument| match argument {
            Argument::Number(number) => number,
            Argument::Pointer(address) => self.address(address),
        });
        // SAFETY: All pointers are into the regions, where nothing of Rust's
        // is; what is written beyond one of them is written to memory that is
        // not accessible.  The callers have no other pointers to give.
        let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
        usize::try_from(result).map_err(|_| {
            let error = std::io::Error::last_os_error().raw_os_error();
            Errno::from_raw_os_error(error.unwrap_or(libc::EIO))
        })
    }

    /// Unmaps what a call to mmap has made.
    pub fn unmap(&mut self, at: usize, size: usize) {
        // SAFETY: The caller has just mapped it, and has never used it.
        let _ = unsafe { mm::munmap(at as *mut _, size) };
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for region in &self.regions {
            // SAFETY: It was mapped when the arena was made, and nobody else
            // has pointers to it.
            let _ = unsafe { mm::munmap(region.base as *mut _, region.size) };
        }
    }
}
