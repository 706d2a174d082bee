/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module needs of the kernel's C headers and `kernel::bindings` does
 * not have: see `Kbuild` for the names that are taken.
 */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/namei.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/tracefs.h>

/* Constants that are expressions with casts, which bindgen cannot evaluate. */
static const fmode_t EVENTFS_FMODE_READ = FMODE_READ;
static const fmode_t EVENTFS_FMODE_WRITE = FMODE_WRITE;
static const fmode_t EVENTFS_FMODE_LSEEK = FMODE_LSEEK;
static const fmode_t EVENTFS_FMODE_PREAD = FMODE_PREAD;
static const fmode_t EVENTFS_FMODE_PWRITE = FMODE_PWRITE;
static const fmode_t EVENTFS_FMODE_ATOMIC_POS = FMODE_ATOMIC_POS;
static const fmode_t EVENTFS_FMODE_STREAM = FMODE_STREAM;
static const unsigned int EVENTFS_LOOKUP_RCU = LOOKUP_RCU;
static const unsigned int EVENTFS_LOOKUP_REVAL = LOOKUP_REVAL;
static const unsigned int EVENTFS_SLAB_FLAGS = SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT;
static const __poll_t EVENTFS_DEFAULT_POLLMASK = DEFAULT_POLLMASK;
static const __poll_t EVENTFS_POLLFREE = POLLFREE;
static const __poll_t EVENTFS_POLL_DEAD = EPOLLERR | EPOLLHUP;
static const unsigned int EVENTFS_DCACHE_OP_REVALIDATE = DCACHE_OP_REVALIDATE;
static const unsigned int EVENTFS_DCACHE_ENTRY_TYPE = DCACHE_ENTRY_TYPE;
static const unsigned int EVENTFS_PAGE_SHIFT = PAGE_SHIFT;
/* The flags that fcntl(F_SETFL) changes (`SETFL_MASK` of fs/fcntl.c, which is not exported). */
static const unsigned int EVENTFS_SETFL_FLAGS =
	O_APPEND | O_NONBLOCK | O_NDELAY | O_DIRECT | O_NOATIME;
/* The flags of open() that are for creating: not for a file that is there already. */
static const unsigned int EVENTFS_OPEN_CREATE_FLAGS = O_CREAT | O_EXCL | O_NOCTTY;
