// SPDX-License-Identifier: GPL-2.0

//! System calls that have no safe wrapper.
#![allow(unsafe_code)]

use std::ffi::{c_void, CString};
use std::os::fd::BorrowedFd;
use std::ptr;
use std::sync::atomic::AtomicU32;

use rustix::io::{self, Errno};
use rustix::ioctl::{self, Ioctl, IoctlOutput, Opcode};
use rustix::mm::{MapFlags, ProtFlags};

/// Maps the first `length` bytes of a file for reading, and unmaps them.
pub fn map(fd: BorrowedFd<'_>, length: usize) -> io::Result<()> {
    // SAFETY: The kernel chooses an address that is free, so the new mapping
    // replaces no memory in use. Only this function has its address, makes no
    // reference into it, and unmaps exactly this range.
    unsafe {
        let at = rustix::mm::mmap(
            ptr::null_mut(),
            length,
            ProtFlags::READ,
            MapFlags::SHARED,
            fd,
            0,
        )?;
        rustix::mm::munmap(at, length)
    }
}

/// An ioctl request with a pointer to a structure of the caller.
struct Request<'a, T> {
    opcode: Opcode,
    argument: &'a mut T,
}

// SAFETY: Callers pair each opcode with an argument at least as large as the
// structure that the opcode transfers. The pointer comes from a `&mut` that the
// request borrows, so it is valid for the whole call.
unsafe impl<T> Ioctl for Request<'_, T> {
    type Output = ();

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.opcode
    }

    fn as_ptr(&mut self) -> *mut c_void {
        ptr::from_mut(self.argument).cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut c_void) -> io::Result<()> {
        Ok(())
    }
}

/// `struct user_reg` of `linux/user_events.h`.
#[repr(C, packed)]
struct UserReg {
    size: u32,
    enable_bit: u8,
    enable_size: u8,
    flags: u16,
    enable_addr: u64,
    name_args: u64,
    write_index: u32,
}

/// The word in which the kernel sets a bit while the registered event is enabled.
static ENABLED: AtomicU32 = AtomicU32::new(0);

/// Registers the user event `command` and returns its write index.
pub fn user_reg(fd: BorrowedFd<'_>, command: &str) -> io::Result<u32> {
    let command = CString::new(command).map_err(|_| Errno::INVAL)?;
    let mut request = UserReg {
        size: 28,
        enable_bit: 0,
        enable_size: 4,
        flags: 0,
        enable_addr: ptr::from_ref(&ENABLED) as u64,
        name_args: command.as_ptr() as u64,
        write_index: 0,
    };
    // SAFETY: DIAG_IOCSREG takes a `struct user_reg`, which `UserReg` mirrors.
    // The string in it lives until the end of this function. The word at
    // `enable_addr` is a static and atomic, so the kernel may write it at any time.
    unsafe {
        ioctl::ioctl(
            fd,
            Request {
                opcode: ioctl::opcode::read_write::<*const u8>(b'*', 0),
                argument: &mut request,
            },
        )?;
    }
    Ok(request.write_index)
}

/// Makes an ioctl with any number. Its buffer is larger than any structure.
pub fn ioctl(fd: BorrowedFd<'_>, request: u32) -> io::Result<()> {
    let mut buffer = [0_u64; 1024];
    // SAFETY: The structures that the requests of the files under test transfer
    // are all smaller than this buffer, and any bytes are valid in it.
    unsafe {
        ioctl::ioctl(
            fd,
            Request {
                opcode: request,
                argument: &mut buffer,
            },
        )
    }
}
