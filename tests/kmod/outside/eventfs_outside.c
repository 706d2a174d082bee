// SPDX-License-Identifier: GPL-2.0
/*
 * A module that is built outside this tree. It includes nothing but the header,
 * which has to be complete.
 */
#include <rust_eventfs.h>

static struct eventfs_file *dir;

static int answer_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "42\n");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(answer);

static int answer_file(const char *name, umode_t *mode, void **data,
		       const struct file_operations **fops)
{
	*fops = &answer_fops;
	return 1;
}

static const struct eventfs_entry entries[] = {
	{ "answer", answer_file },
};

static int __init outside_init(void)
{
	dir = eventfs_create_dir("outside", NULL, entries, ARRAY_SIZE(entries), NULL);
	return PTR_ERR_OR_ZERO(dir);
}
module_init(outside_init);

static void __exit outside_exit(void)
{
	eventfs_remove_dir(dir);
}
module_exit(outside_exit);

MODULE_DESCRIPTION("Test: use eventfs from outside its tree");
MODULE_LICENSE("GPL");
