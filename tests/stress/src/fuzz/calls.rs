// SPDX-License-Identifier: GPL-2.0

//! The system calls of the fuzzer, and the kinds of their arguments.

use libc::c_long;

/// The kind of an argument.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The descriptor of the open file.
    File,
    /// A path that exists.
    Path,
    /// A random path that does not exist.
    Missing,
    /// A random name.
    Name,
    /// A pointer to data, or a bad pointer.
    Buffer,
    /// A pointer like [`Kind::Buffer`], or a small number.
    Optional,
    /// The size of a buffer.
    Size,
    /// An offset in a file.
    Offset,
    /// A pointer to an array of `struct iovec`.
    Iovec,
    /// The length of that array.
    IovecCount,
    /// Any number, for an argument that is not a pointer.
    Any,
    /// A small number.
    Small,
    /// A number with one bit set, or none.
    Bit,
    /// This number always.
    Constant(usize),
    /// The reading end of a pipe.
    PipeOut,
    /// The writing end of the pipe.
    PipeIn,
}

/// The results that a call may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Any result.
    Any,
    /// An error.
    Fails,
    /// An error or a descriptor.
    Descriptor,
    /// An error or a mapping with the size in the second argument.
    Mapping,
}

/// A system call.
pub struct Call {
    /// Its name.
    pub name: &'static str,
    /// Its number.
    pub number: c_long,
    /// The results that it may have.
    pub rule: Rule,
    /// The kinds of its arguments.
    pub arguments: &'static [Kind],
}

/// An entry of the tables.
const fn call(name: &'static str, number: c_long, rule: Rule, arguments: &'static [Kind]) -> Call {
    Call {
        name,
        number,
        rule,
        arguments,
    }
}

/// The working directory, for calls that take a directory.
const CWD: Kind = Kind::Constant(libc::AT_FDCWD as usize);

/// Calls on an open file.
pub const FILE_CALLS: &[Call] = {
    use Kind::{
        Any as N, Bit, Buffer, Constant, File, Iovec, IovecCount, Name, Offset, Optional, PipeIn,
        PipeOut, Size, Small,
    };
    use Rule::{Any, Fails, Mapping};
    const NOTHING: Kind = Constant(0);
    const SPLICE: Kind = Constant(libc::SPLICE_F_NONBLOCK as usize);
    &[
        call("read", libc::SYS_read, Any, &[File, Buffer, Size]),
        call(
            "pread",
            libc::SYS_pread64,
            Any,
            &[File, Buffer, Size, Offset],
        ),
        call("readv", libc::SYS_readv, Any, &[File, Iovec, IovecCount]),
        call(
            "preadv2",
            libc::SYS_preadv2,
            Any,
            &[File, Iovec, IovecCount, Offset, NOTHING, Bit],
        ),
        call("write", libc::SYS_write, Any, &[File, Buffer, Size]),
        call("write", libc::SYS_write, Any, &[File, Buffer, Size]),
        call(
            "pwrite",
            libc::SYS_pwrite64,
            Any,
            &[File, Buffer, Size, Offset],
        ),
        call("writev", libc::SYS_writev, Any, &[File, Iovec, IovecCount]),
        call(
            "pwritev2",
            libc::SYS_pwritev2,
            Any,
            &[File, Iovec, IovecCount, Offset, NOTHING, Bit],
        ),
        call("lseek", libc::SYS_lseek, Any, &[File, Offset, Small]),
        call("ioctl", libc::SYS_ioctl, Any, &[File, N, Optional]),
        call("getdents", libc::SYS_getdents64, Any, &[File, Buffer, Size]),
        call("fstat", libc::SYS_fstat, Any, &[File, Buffer]),
        call("fstatfs", libc::SYS_fstatfs, Any, &[File, Buffer]),
        call("ftruncate", libc::SYS_ftruncate, Any, &[File, Offset]),
        call(
            "fallocate",
            libc::SYS_fallocate,
            Fails,
            &[File, Bit, Offset, Offset],
        ),
        call("fsync", libc::SYS_fsync, Any, &[File]),
        call(
            "fadvise",
            libc::SYS_fadvise64,
            Any,
            &[File, Offset, Size, Small],
        ),
        call("readahead", libc::SYS_readahead, Any, &[File, Offset, Size]),
        call(
            "sendfile",
            libc::SYS_sendfile,
            Any,
            &[PipeIn, File, Optional, Size],
        ),
        call(
            "splice from",
            libc::SYS_splice,
            Any,
            &[File, Optional, PipeIn, NOTHING, Size, SPLICE],
        ),
        call(
            "splice to",
            libc::SYS_splice,
            Any,
            &[PipeOut, NOTHING, File, Optional, Size, SPLICE],
        ),
        call(
            "copy_file_range",
            libc::SYS_copy_file_range,
            Any,
            &[File, Optional, File, Optional, Size, NOTHING],
        ),
        call(
            "mmap",
            libc::SYS_mmap,
            Mapping,
            &[NOTHING, Size, Small, Small, File, Offset],
        ),
        call(
            "fgetxattr",
            libc::SYS_fgetxattr,
            Any,
            &[File, Name, Buffer, Size],
        ),
        call(
            "fsetxattr",
            libc::SYS_fsetxattr,
            Fails,
            &[File, Name, Buffer, Size, Small],
        ),
        call(
            "finit_module",
            libc::SYS_finit_module,
            Fails,
            &[File, Name, NOTHING],
        ),
        call(
            "quotactl_fd",
            libc::SYS_quotactl_fd,
            Any,
            &[File, N, NOTHING, Buffer],
        ),
    ]
};

/// Calls on paths.
pub const NAME_CALLS: &[Call] = {
    use Kind::{
        Any as N, Bit, Buffer, Constant, Missing, Name, Offset, Optional, Path, Size, Small,
    };
    use Rule::{Any, Descriptor, Fails};
    const NOTHING: Kind = Constant(0);
    const CREATE: Kind = Constant((libc::O_CREAT | libc::O_EXCL | libc::O_RDWR) as usize);
    const TMPFILE: Kind = Constant((libc::O_TMPFILE | libc::O_RDWR) as usize);
    const READ: Kind = Constant((libc::O_RDONLY | libc::O_NONBLOCK) as usize);
    &[
        call("stat missing", libc::SYS_stat, Fails, &[Missing, Buffer]),
        call("stat", libc::SYS_stat, Any, &[Path, Buffer]),
        call("statx", libc::SYS_statx, Any, &[CWD, Path, Bit, N, Buffer]),
        call("statfs", libc::SYS_statfs, Any, &[Path, Buffer]),
        call("access missing", libc::SYS_access, Fails, &[Missing, Small]),
        call("access", libc::SYS_access, Any, &[Path, Small]),
        call(
            "open missing",
            libc::SYS_openat,
            Fails,
            &[CWD, Missing, READ, NOTHING],
        ),
        call(
            "create",
            libc::SYS_openat,
            Fails,
            &[CWD, Missing, CREATE, N],
        ),
        call(
            "open tmpfile",
            libc::SYS_openat,
            Fails,
            &[CWD, Path, TMPFILE, N],
        ),
        call("mkdir", libc::SYS_mkdir, Fails, &[Missing, N]),
        call("mkdir existing", libc::SYS_mkdir, Fails, &[Path, N]),
        call("mknod", libc::SYS_mknod, Fails, &[Missing, N, N]),
        call("symlink", libc::SYS_symlink, Fails, &[Name, Missing]),
        call("link", libc::SYS_link, Fails, &[Path, Missing]),
        call("rename", libc::SYS_rename, Fails, &[Path, Missing]),
        call(
            "rename onto",
            libc::SYS_renameat2,
            Fails,
            &[CWD, Missing, CWD, Path, Bit],
        ),
        call(
            "exchange",
            libc::SYS_renameat2,
            Fails,
            &[CWD, Path, CWD, Missing, Small],
        ),
        call("unlink", libc::SYS_unlink, Fails, &[Path]),
        call("unlink missing", libc::SYS_unlink, Fails, &[Missing]),
        call("rmdir", libc::SYS_rmdir, Fails, &[Path]),
        call("readlink", libc::SYS_readlink, Fails, &[Path, Buffer, Size]),
        call(
            "setxattr",
            libc::SYS_setxattr,
            Fails,
            &[Path, Name, Buffer, Size, Small],
        ),
        call(
            "getxattr",
            libc::SYS_getxattr,
            Any,
            &[Path, Name, Buffer, Size],
        ),
        call("listxattr", libc::SYS_listxattr, Any, &[Path, Buffer, Size]),
        call("removexattr", libc::SYS_removexattr, Fails, &[Path, Name]),
        call("chmod", libc::SYS_chmod, Any, &[Path, N]),
        call("lchown", libc::SYS_lchown, Any, &[Path, N, N]),
        call(
            "utimensat",
            libc::SYS_utimensat,
            Any,
            &[CWD, Path, Optional, Bit],
        ),
        call("truncate", libc::SYS_truncate, Any, &[Path, Offset]),
        call(
            "name_to_handle",
            libc::SYS_name_to_handle_at,
            Any,
            &[CWD, Path, Buffer, Buffer, Bit],
        ),
        call(
            "open_by_handle",
            libc::SYS_open_by_handle_at,
            Descriptor,
            &[CWD, Buffer, READ],
        ),
        call(
            "open_tree",
            libc::SYS_open_tree,
            Descriptor,
            &[CWD, Path, Bit],
        ),
        call("fspick", libc::SYS_fspick, Descriptor, &[CWD, Path, Small]),
        call("swapon", libc::SYS_swapon, Fails, &[Path, NOTHING]),
    ]
};
