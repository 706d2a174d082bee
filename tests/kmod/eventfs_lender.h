/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _EVENTFS_LENDER_H
#define _EVENTFS_LENDER_H

#include <linux/fs.h>

extern const struct file_operations eventfs_lent_fops;

#endif /* _EVENTFS_LENDER_H */
