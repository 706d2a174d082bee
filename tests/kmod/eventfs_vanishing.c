// SPDX-License-Identifier: GPL-2.0
/*
 * A directory that is removed during a look-up in it. The callback of its file
 * starts the removal, waits until the directory is dead, and then reports that
 * the file exists. So each time the removal has marked the directory and searched
 * for dentries before the file gets one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include "rust_eventfs.h"

static bool again;
module_param(again, bool, 0444);
MODULE_PARM_DESC(again, "publish another directory before the callback returns");

static struct eventfs_file *dir;
static bool asked;
static bool released_early;
/* The data of the directory whose callback runs, or %NULL. */
static void *inside;
/* Number of calls of the callback. One more is the data of the next directory. */
static long times;

static struct eventfs_file *publish(void);

static int nothing_show(struct seq_file *m, void *unused)
{
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(nothing);

/* Removal waits for the callback, so it runs in a work item. */
static void remove_dir(struct work_struct *work)
{
	eventfs_remove(dir);
}

static DECLARE_WORK(removal, remove_dir);

static int file_here(const char *name, umode_t *mode, void **data,
		     const struct file_operations **fops)
{
	int err;

	WRITE_ONCE(inside, *data);
	times++;
	if (!xchg(&asked, true))
		schedule_work(&removal);
	/*
	 * Nothing can be added to a dead directory. It stays in memory until this
	 * callback returns.
	 */
	do {
		err = eventfs_add_file("new", 0444, dir, NULL, &nothing_fops);
		msleep(20);
	} while (!err || err == -EEXIST);
	/* The look-up starts again, and finds a new directory of this kind. */
	if (again) {
		struct eventfs_file *next;

		do {
			next = publish();
			msleep(20);
		} while (next == ERR_PTR(-EEXIST));
		if (!IS_ERR(next)) {
			dir = next;
			WRITE_ONCE(asked, false);
		}
	}
	WRITE_ONCE(inside, NULL);
	*fops = &nothing_fops;
	return 1;
}

static void release(const char *name, void *data)
{
	if (READ_ONCE(inside) == data)
		released_early = true;
}

static const struct eventfs_entry entries[] = {
	{ "here", file_here, release },
};

static struct eventfs_file *publish(void)
{
	return eventfs_create_dir("vanishing", NULL, entries, ARRAY_SIZE(entries),
				  (void *)(times + 1));
}

static int __init vanishing_init(void)
{
	dir = publish();
	return PTR_ERR_OR_ZERO(dir);
}
module_init(vanishing_init);

static void __exit vanishing_exit(void)
{
	if (!xchg(&asked, true))
		eventfs_remove(dir);
	flush_work(&removal);
	pr_info("asked for %ld times, released %s\n", times,
		released_early ? "early" : "in time");
}
module_exit(vanishing_exit);

MODULE_DESCRIPTION("Test: remove a directory of eventfs during a look-up");
MODULE_LICENSE("GPL");
