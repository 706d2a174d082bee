// SPDX-License-Identifier: GPL-2.0
/*
 * Publishes a file with operations of another module, eventfs_lender.
 */
#include <linux/module.h>

#include "eventfs_lender.h"
#include "rust_eventfs.h"

static struct eventfs_file *dir;

static int __init borrower_init(void)
{
	int err;

	dir = eventfs_create_dir("borrower", NULL, NULL, 0, NULL);
	err = eventfs_add_file("file", 0444, dir, NULL, &eventfs_lent_fops);
	if (err)
		eventfs_remove(dir);
	return err;
}
module_init(borrower_init);

static void __exit borrower_exit(void)
{
	eventfs_remove(dir);
}
module_exit(borrower_exit);

MODULE_DESCRIPTION("Test: publish a file with operations of another module");
MODULE_LICENSE("GPL");
