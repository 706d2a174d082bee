// SPDX-License-Identifier: GPL-2.0
/*
 * Exports file operations, which eventfs_borrower uses for a file of its own.
 */
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/wait.h>

#include "eventfs_lender.h"

static int lent_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "lent\n");
	return 0;
}

static int lent_open(struct inode *inode, struct file *file)
{
	return single_open(file, lent_show, NULL);
}

/* Never woken up. */
static DECLARE_WAIT_QUEUE_HEAD(never);

static __poll_t lent_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &never, table);
	return 0;
}

const struct file_operations eventfs_lent_fops = {
	.owner = THIS_MODULE,
	.open = lent_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.poll = lent_poll,
	.release = single_release,
};
EXPORT_SYMBOL_GPL(eventfs_lent_fops);

MODULE_DESCRIPTION("Test: export file operations to another module");
MODULE_LICENSE("GPL");
