// SPDX-License-Identifier: GPL-2.0
/*
 * A module with odd callbacks that does not clean up after itself. eventfs has to
 * cope with both.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "rust_eventfs.h"

static bool fail_init;
module_param(fail_init, bool, 0444);
MODULE_PARM_DESC(fail_init, "fail to load after everything is published");

static bool forget;
module_param(forget, bool, 0444);
MODULE_PARM_DESC(forget, "remove nothing when unloaded");

static bool crossed;
module_param(crossed, bool, 0444);
MODULE_PARM_DESC(crossed, "also publish a directory whose release function removes an older one");

static struct eventfs_file *top;
static struct eventfs_file *subsystem;
/* Its release function removes an older directory. */
static struct eventfs_file *crossing;

static int name_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%s\n", (const char *)m->private);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(name);

static int refuse_mmap(struct file *file, struct vm_area_struct *vma)
{
	return -ENODEV;
}

static const struct file_operations mmap_fops = {
	.open = name_open,
	.read = seq_read,
	.mmap = refuse_mmap,
	.release = single_release,
};

static int is_fine(const char *name, umode_t *mode, void **data,
		   const struct file_operations **fops)
{
	/* Mode and data keep their presets. */
	if (*mode != 0444 || *fops)
		return 0;
	*fops = &name_fops;
	return 1;
}

static int has_data(const char *name, umode_t *mode, void **data,
		    const struct file_operations **fops)
{
	*mode = S_IFREG | 0640;
	*data = (void *)name;
	*fops = &name_fops;
	return 1;
}

static int is_absent(const char *name, umode_t *mode, void **data,
		     const struct file_operations **fops)
{
	*fops = &name_fops;
	return 0;
}

static int is_negative(const char *name, umode_t *mode, void **data,
		       const struct file_operations **fops)
{
	*fops = &name_fops;
	return -ENOMEM;
}

static int has_nothing(const char *name, umode_t *mode, void **data,
		       const struct file_operations **fops)
{
	return 1;
}

static int has_mmap(const char *name, umode_t *mode, void **data,
		    const struct file_operations **fops)
{
	*fops = &mmap_fops;
	return 1;
}

static int is_directory(const char *name, umode_t *mode, void **data,
			const struct file_operations **fops)
{
	*mode = S_IFDIR | 0755;
	*fops = &name_fops;
	return 1;
}

static void noted(const char *name, void *data)
{
	pr_info("released %s of %s\n", name, (const char *)data);
}

static const struct eventfs_entry odd[] = {
	{ "fine", is_fine, noted },
	{ "data", has_data },
	{ "absent", is_absent, noted },
	{ "negative", is_negative },
	{ "nothing", has_nothing },
	{ "mmap", has_mmap },
	{ "directory", is_directory },
};

static void remove_data(const char *name, void *data)
{
	eventfs_remove(data);
}

static const struct eventfs_entry removing[] = {
	{ "absent", is_absent, remove_data },
};

static int publish(void)
{
	struct eventfs_file *outer, *inner, *dir;
	int err;

	if (crossed) {
		dir = eventfs_add_subsystem_dir("careless_older", EVENTFS_EVENTS);
		crossing = eventfs_create_dir("careless_newer", EVENTFS_EVENTS, removing,
					      ARRAY_SIZE(removing), dir);
	}
	top = eventfs_create_events_dir("careless", NULL);
	err = eventfs_add_events_file("file", 0444, top, "top", &name_fops);
	if (err)
		return err;
	outer = eventfs_create_dir("outer", top, odd, ARRAY_SIZE(odd), "outer");
	inner = eventfs_create_dir("inner", outer, odd, ARRAY_SIZE(odd), "inner");
	dir = eventfs_add_dir("dir", inner);
	err = eventfs_add_file("file", 0444, dir, "dir", &name_fops);
	if (err)
		return err;
	subsystem = eventfs_add_subsystem_dir("careless", EVENTFS_EVENTS);
	dir = eventfs_add_dir("event", subsystem);
	return eventfs_add_file("file", 0444, dir, "event", &name_fops);
}

static void unpublish(void)
{
	eventfs_remove(subsystem);
	eventfs_remove(top);
	eventfs_remove(crossing);
}

static int __init careless_init(void)
{
	int err = publish();

	if (err) {
		unpublish();
		return err;
	}
	pr_info("published\n");
	return fail_init ? -EIO : 0;
}
module_init(careless_init);

static void __exit careless_exit(void)
{
	if (!forget)
		unpublish();
}
module_exit(careless_exit);

MODULE_DESCRIPTION("Test: leave directories and files in eventfs");
MODULE_LICENSE("GPL");
