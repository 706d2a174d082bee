/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The C headers for the bindings that `kernel::bindings` lacks. `Kbuild` lists
 * the names.
 */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/namei.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/tracefs.h>

/* Constants that are expressions with casts, which bindgen cannot evaluate. */
static const unsigned int EVENTFS_LOOKUP_RCU = LOOKUP_RCU;
static const unsigned int EVENTFS_LOOKUP_REVAL = LOOKUP_REVAL;
static const unsigned int EVENTFS_SLAB_FLAGS = SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT;
static const __poll_t EVENTFS_POLLFREE = POLLFREE;
static const __poll_t EVENTFS_POLL_DEAD = EPOLLERR | EPOLLHUP;
static const unsigned int EVENTFS_DCACHE_OP_REVALIDATE = DCACHE_OP_REVALIDATE;
static const unsigned int EVENTFS_PAGE_SHIFT = PAGE_SHIFT;
