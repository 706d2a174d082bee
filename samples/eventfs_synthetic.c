// SPDX-License-Identifier: GPL-2.0
/*
 * Trees of any size, for tests and benchmarks: the same tree in eventfs, debugfs
 * and sysfs, created by the same command.
 *
 *	synthetic/		in eventfs
 *		control		write "create KIND NAME S E F", "remove KIND NAME"
 *				or "empty KIND NAME"
 *		status		the last command, its result and its duration
 *
 * KIND is eventfs, debugfs or sysfs. The tree is called NAME and is at the root
 * of the mounts, in /sys/kernel/debug or in /sys/kernel. It has S systems
 * (sys_000, ...) of E events (event_000000, ...) of F files (enable, filter,
 * format, hist, id, trigger, file_6, ...). If S is 0, the events are directly in
 * NAME, and "empty" removes them one by one, each by its name, latest first.
 *
 * Files have the same content in all kinds: "0" or "1" in enable, which can be
 * written; the name of the file and the number of its event in all others. In
 * all kinds the operations find their file by a number of the size of a pointer
 * (in sysfs they compute it from the names of the directories), so a comparison
 * measures only what the kinds themselves need.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/kobject.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>

#include "rust_eventfs.h"

#define MAX_TREES 16
#define MAX_EVENTS 1000000
#define MAX_FILES 64
#define MAX_NAME 64
#define MAX_COMMAND 256
#define EVENT_NAME 24

/* The low bits of a file's number are its event, the others its tree. */
#define EVENT_BITS 20

/* The names of all files. */
static char file_names[MAX_FILES][8] = {
	"enable", "filter", "format", "hist", "id", "trigger",
};

/* The table that all events in eventfs share. */
static struct eventfs_entry entries[MAX_FILES];

struct tree;

/**
 * struct kind - a file system in which trees are created
 * @name: its name in commands
 * @create_root: creates the directory of the tree
 * @create_system: creates a directory for events in it
 * @create_event: creates the directory of an event with @tree->files files, in
 *	the system, or in the root if that is %NULL
 * @remove_event: removes the directory of the latest event in the root, which
 *	has this name
 * @remove: removes the tree, complete or not
 */
struct kind {
	const char *name;
	int (*create_root)(struct tree *tree);
	void *(*create_system)(struct tree *tree, const char *name);
	int (*create_event)(struct tree *tree, void *system, const char *name,
			    unsigned long number);
	int (*remove_event)(struct tree *tree, const char *name);
	void (*remove)(struct tree *tree);
};

/**
 * struct amount - size of a tree
 * @directories: number of directories of all levels
 * @files: number of files of all events
 */
struct amount {
	unsigned int directories;
	unsigned int files;
};

/**
 * struct tree - one tree
 * @kind: its file system; %NULL in an unused element of trees
 * @name: its name
 * @systems: number of systems
 * @events: number of events in each system
 * @files: number of files in each event
 * @done: the part of it that exists
 * @enabled: a bit for each event
 * @eventfs: its directory, in eventfs
 * @debugfs: its directory, in debugfs
 * @sysfs: its directory, in sysfs; has all others in its list
 */
struct tree {
	const struct kind *kind;
	char name[MAX_NAME];
	unsigned int systems, events, files;
	struct amount done;
	unsigned long *enabled;
	union {
		struct eventfs_file *eventfs;
		struct dentry *debugfs;
		struct kset *sysfs;
	};
};

/*
 * All trees. A tree is created and removed under the lock. Operations of files
 * do not take it. They can use their tree without, because removal waits for
 * them in all kinds.
 */
static struct tree trees[MAX_TREES];
static DEFINE_MUTEX(trees_lock);
static bool going;

/* The last command, its result and its duration. */
static struct {
	char command[MAX_COMMAND];
	int error;
	struct amount done;
	u64 ns;
} last;
static DEFINE_MUTEX(last_lock);

/* The number of events of a tree with this shape. */
static u64 shape_events(unsigned int systems, unsigned int events)
{
	return (u64)(systems ?: 1) * events;
}

/*
 * Files. In eventfs and debugfs, inode->i_private is the number of the file.
 */

static bool tree_enabled(struct tree *tree, unsigned long event)
{
	return test_bit(event, tree->enabled);
}

static void tree_enable(struct tree *tree, unsigned long event, bool value)
{
	assign_bit(event, tree->enabled, value);
}

static void *file_number(struct tree *tree, unsigned long event)
{
	return (void *)((tree - trees) << EVENT_BITS | event);
}

static struct tree *file_tree(struct file *file)
{
	return &trees[(unsigned long)file_inode(file)->i_private >> EVENT_BITS];
}

static unsigned long file_event(struct file *file)
{
	return (unsigned long)file_inode(file)->i_private & (BIT(EVENT_BITS) - 1);
}

static ssize_t enable_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	const char *text = tree_enabled(file_tree(file), file_event(file)) ? "1\n" : "0\n";

	return simple_read_from_buffer(to, count, ppos, text, 2);
}

static ssize_t enable_write(struct file *file, const char __user *from, size_t count,
			    loff_t *ppos)
{
	bool value;
	int err = kstrtobool_from_user(from, count, &value);

	if (err)
		return err;
	tree_enable(file_tree(file), file_event(file), value);
	return count;
}

/*
 * eventfs needs no owner, but debugfs does: there an open file has to pin the
 * module, because its last close calls it.
 */

static const struct file_operations enable_fops = {
	.owner = THIS_MODULE,
	.read = enable_read,
	.write = enable_write,
	.llseek = default_llseek,
};

static ssize_t other_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	char text[MAX_NAME];
	int length;

	/* The name is stable, because nothing here is renamed. */
	length = scnprintf(text, sizeof(text), "%s %lu\n", file_dentry(file)->d_name.name,
			   file_event(file));
	return simple_read_from_buffer(to, count, ppos, text, length);
}

static const struct file_operations other_fops = {
	.owner = THIS_MODULE,
	.read = other_read,
	.llseek = default_llseek,
};

/* eventfs: a directory for each event, with the shared table. */

static int enable_entry(const char *name, umode_t *mode, void **data,
			const struct file_operations **fops)
{
	*mode = 0644;
	*fops = &enable_fops;
	return 1;
}

static int other_entry(const char *name, umode_t *mode, void **data,
		       const struct file_operations **fops)
{
	*mode = 0444;
	*fops = &other_fops;
	return 1;
}

static int eventfs_root(struct tree *tree)
{
	tree->eventfs = eventfs_create_events_dir(tree->name, NULL);
	return PTR_ERR_OR_ZERO(tree->eventfs);
}

static void *eventfs_system(struct tree *tree, const char *name)
{
	return eventfs_add_subsystem_dir(name, tree->eventfs);
}

static int eventfs_event(struct tree *tree, void *system, const char *name,
			 unsigned long number)
{
	return PTR_ERR_OR_ZERO(eventfs_create_dir(name, system ?: tree->eventfs, entries,
						  tree->files, file_number(tree, number)));
}

static int eventfs_remove_event(struct tree *tree, const char *name)
{
	return eventfs_lookup_and_remove(name, tree->eventfs);
}

static void eventfs_remove_tree(struct tree *tree)
{
	eventfs_remove_events_dir(tree->eventfs);
}

/* debugfs: a dentry and an inode for each directory and file. */

static int debugfs_root(struct tree *tree)
{
	tree->debugfs = debugfs_create_dir(tree->name, NULL);
	return PTR_ERR_OR_ZERO(tree->debugfs);
}

static void *debugfs_system(struct tree *tree, const char *name)
{
	return debugfs_create_dir(name, tree->debugfs);
}

static int debugfs_event(struct tree *tree, void *system, const char *name,
			 unsigned long number)
{
	struct dentry *dir = debugfs_create_dir(name, system ?: tree->debugfs), *file;
	unsigned int i;

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	for (i = 0; i < tree->files; i++) {
		file = debugfs_create_file(file_names[i], i ? 0444 : 0644, dir,
					   file_number(tree, number),
					   i ? &other_fops : &enable_fops);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}
	return 0;
}

static int debugfs_remove_event(struct tree *tree, const char *name)
{
	debugfs_lookup_and_remove(name, tree->debugfs);
	return 0;
}

static void debugfs_remove_tree(struct tree *tree)
{
	debugfs_remove(tree->debugfs);
}

/*
 * sysfs: a kobject for each directory, a node for each file. The kobjects are
 * bare, so as small as possible. The root is a kset, which lists them.
 */

static struct kobj_attribute sysfs_files[MAX_FILES];

static struct tree *sysfs_tree(struct kobject *kobj)
{
	struct tree *tree = trees;

	while (READ_ONCE(tree->sysfs) != kobj->kset)
		tree++;
	return tree;
}

static unsigned long number_in(const char *name)
{
	unsigned long number;

	return kstrtoul(strchr(name, '_') + 1, 10, &number) ? 0 : number;
}

static unsigned long sysfs_number(struct tree *tree, struct kobject *kobj)
{
	unsigned long system = 0;

	if (kobj->parent != &kobj->kset->kobj)
		system = number_in(kobject_name(kobj->parent));
	return system * tree->events + number_in(kobject_name(kobj));
}

static ssize_t sysfs_enable_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct tree *tree = sysfs_tree(kobj);

	return sysfs_emit(buf, "%d\n", tree_enabled(tree, sysfs_number(tree, kobj)));
}

static ssize_t sysfs_enable_store(struct kobject *kobj, struct kobj_attribute *attr,
				  const char *buf, size_t count)
{
	struct tree *tree = sysfs_tree(kobj);
	bool value;
	int err = kstrtobool(buf, &value);

	if (err)
		return err;
	tree_enable(tree, sysfs_number(tree, kobj), value);
	return count;
}

static ssize_t sysfs_other_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s %lu\n", attr->attr.name,
			  sysfs_number(sysfs_tree(kobj), kobj));
}

static void sysfs_release(struct kobject *kobj)
{
	kfree(kobj);
}

static const struct kobj_type sysfs_type = {
	.release = sysfs_release,
	.sysfs_ops = &kobj_sysfs_ops,
};

static struct kobject *sysfs_dir(struct tree *tree, struct kobject *parent, const char *name)
{
	struct kobject *kobj = kzalloc_obj(*kobj);
	int err;

	if (!kobj)
		return ERR_PTR(-ENOMEM);
	kobj->kset = tree->sysfs;
	err = kobject_init_and_add(kobj, &sysfs_type, parent, "%s", name);
	if (err) {
		kobject_put(kobj);
		return ERR_PTR(err);
	}
	return kobj;
}

static int sysfs_root(struct tree *tree)
{
	struct kset *root = kset_create_and_add(tree->name, NULL, kernel_kobj);

	/* kset_create_and_add() does not return the reason. */
	if (!root)
		return -ENOMEM;
	WRITE_ONCE(tree->sysfs, root);
	return 0;
}

static void *sysfs_system(struct tree *tree, const char *name)
{
	return sysfs_dir(tree, &tree->sysfs->kobj, name);
}

static int sysfs_event(struct tree *tree, void *system, const char *name, unsigned long number)
{
	struct kobject *kobj = sysfs_dir(tree, system ?: &tree->sysfs->kobj, name);
	unsigned int i;
	int err;

	if (IS_ERR(kobj))
		return PTR_ERR(kobj);
	for (i = 0; i < tree->files; i++) {
		err = sysfs_create_file(kobj, &sysfs_files[i].attr);
		if (err)
			return err;
	}
	return 0;
}

/* A kset finds names only by a walk of its list, so this takes the last one. */
static int sysfs_remove_event(struct tree *tree, const char *name)
{
	struct kobject *kobj = list_last_entry(&tree->sysfs->list, struct kobject, entry);

	kobject_del(kobj);
	kobject_put(kobj);
	return 0;
}

static void sysfs_remove_tree(struct tree *tree)
{
	struct kset *root = tree->sysfs;

	if (!root)
		return;
	/* The latest first, so children before their parents. */
	while (!list_empty(&root->list)) {
		sysfs_remove_event(tree, NULL);
		cond_resched();
	}
	kset_unregister(root);
}

static const struct kind kinds[] = {
	{ "eventfs", eventfs_root, eventfs_system, eventfs_event, eventfs_remove_event,
	  eventfs_remove_tree },
	{ "debugfs", debugfs_root, debugfs_system, debugfs_event, debugfs_remove_event,
	  debugfs_remove_tree },
	{ "sysfs", sysfs_root, sysfs_system, sysfs_event, sysfs_remove_event,
	  sysfs_remove_tree },
};

/* Prints the name of an event. */
static void event_name(char name[EVENT_NAME], unsigned int number)
{
	snprintf(name, EVENT_NAME, "event_%06u", number);
}

/* Whether a long operation has to stop: by a signal, or by the unload. */
static bool give_up(void)
{
	cond_resched();
	return fatal_signal_pending(current) || READ_ONCE(going);
}

/* Creates the events of a system, or of a tree without systems. */
static int create_events(struct tree *tree, void *system, unsigned long first)
{
	char name[EVENT_NAME];
	unsigned int i;
	int err;

	for (i = 0; i < tree->events; i++) {
		if (give_up())
			return -EINTR;
		event_name(name, i);
		err = tree->kind->create_event(tree, system, name, first + i);
		if (err)
			return err;
		tree->done.directories++;
		tree->done.files += tree->files;
	}
	return 0;
}

static int create_all(struct tree *tree)
{
	char name[24];
	unsigned int i;
	void *system;
	int err;

	err = tree->kind->create_root(tree);
	if (err)
		return err;
	tree->done.directories++;
	if (!tree->systems)
		return create_events(tree, NULL, 0);
	for (i = 0; i < tree->systems; i++) {
		if (give_up())
			return -EINTR;
		snprintf(name, sizeof(name), "sys_%03u", i);
		system = tree->kind->create_system(tree, name);
		if (IS_ERR(system))
			return PTR_ERR(system);
		tree->done.directories++;
		err = create_events(tree, system, (unsigned long)i * tree->events);
		if (err)
			return err;
	}
	return 0;
}

static void remove_tree(struct tree *tree)
{
	tree->kind->remove(tree);
	kvfree(tree->enabled);
	memset(tree, 0, sizeof(*tree));
}

static struct tree *find_tree(const struct kind *kind, const char *name)
{
	struct tree *tree;

	for (tree = trees; tree < trees + MAX_TREES; tree++)
		if (tree->kind == kind && (!kind || !strcmp(tree->name, name)))
			return tree;
	return NULL;
}

static int create_tree(struct tree *tree, const struct kind *kind, const char *name,
		       const unsigned int *shape, struct amount *done)
{
	unsigned int systems = shape[0], events = shape[1], files = shape[2];
	int err;

	tree->enabled = kvcalloc(BITS_TO_LONGS(shape_events(systems, events)),
				 sizeof(unsigned long), GFP_KERNEL);
	if (!tree->enabled)
		return -ENOMEM;
	tree->kind = kind;
	strscpy(tree->name, name);
	tree->systems = systems;
	tree->events = events;
	tree->files = files;
	err = create_all(tree);
	*done = tree->done;
	if (err)
		remove_tree(tree);
	return err;
}

/* create KIND NAME S E F */
static int command_create(const struct kind *kind, int argc, char **argv, struct amount *done)
{
	const char *name = argv[2];
	unsigned int shape[3], i;
	struct tree *tree;
	int err;

	if (argc != 6)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(shape); i++) {
		err = kstrtouint(argv[3 + i], 10, &shape[i]);
		if (err)
			return -EINVAL;
	}
	/* So that all kinds return the same error for a bad name. */
	if (!strcmp(name, ".") || !strcmp(name, "..") || strchr(name, '/'))
		return -EINVAL;
	if (strlen(name) >= MAX_NAME || shape[0] > MAX_EVENTS || shape[2] > MAX_FILES ||
	    shape_events(shape[0], shape[1]) > MAX_EVENTS)
		return -E2BIG;
	if (find_tree(kind, name))
		return -EEXIST;
	tree = find_tree(NULL, NULL);
	if (!tree)
		return -ENOSPC;
	return create_tree(tree, kind, name, shape, done);
}

/* remove KIND NAME */
static int command_remove(const struct kind *kind, int argc, char **argv, struct amount *done)
{
	struct tree *tree;

	if (argc != 3)
		return -EINVAL;
	tree = find_tree(kind, argv[2]);
	if (!tree)
		return -ENOENT;
	*done = tree->done;
	remove_tree(tree);
	return 0;
}

/* empty KIND NAME */
static int command_empty(const struct kind *kind, int argc, char **argv, struct amount *done)
{
	char name[EVENT_NAME];
	struct tree *tree;
	int err;

	if (argc != 3)
		return -EINVAL;
	tree = find_tree(kind, argv[2]);
	if (!tree)
		return -ENOENT;
	if (tree->systems)
		return -EINVAL;
	while (tree->events) {
		if (give_up())
			return -EINTR;
		event_name(name, tree->events - 1);
		err = kind->remove_event(tree, name);
		if (err)
			return err;
		tree->events--;
		tree->done.directories--;
		tree->done.files -= tree->files;
		done->directories++;
		done->files += tree->files;
	}
	return 0;
}

static int run_command(int argc, char **argv, struct amount *done)
{
	const struct kind *kind;

	if (argc < 3)
		return -EINVAL;
	for (kind = kinds; kind < kinds + ARRAY_SIZE(kinds); kind++) {
		if (strcmp(argv[1], kind->name))
			continue;
		if (!strcmp(argv[0], "create"))
			return command_create(kind, argc, argv, done);
		if (!strcmp(argv[0], "remove"))
			return command_remove(kind, argc, argv, done);
		if (!strcmp(argv[0], "empty"))
			return command_empty(kind, argc, argv, done);
	}
	return -EINVAL;
}

static ssize_t control_write(struct file *file, const char __user *from, size_t count,
			     loff_t *ppos)
{
	struct amount done = {};
	char *command, **argv;
	int argc, err;
	u64 ns;

	if (count >= MAX_COMMAND)
		return -E2BIG;
	command = memdup_user_nul(from, count);
	if (IS_ERR(command))
		return PTR_ERR(command);
	argv = argv_split(GFP_KERNEL, command, &argc);
	if (!argv) {
		err = -ENOMEM;
		goto free_command;
	}
	err = mutex_lock_killable(&trees_lock);
	if (err)
		goto free_argv;
	ns = ktime_get_ns();
	err = run_command(argc, argv, &done);
	ns = ktime_get_ns() - ns;
	scoped_guard(mutex, &last_lock) {
		strscpy(last.command, strim(command));
		last.error = err;
		last.done = done;
		last.ns = ns;
	}
	mutex_unlock(&trees_lock);
free_argv:
	argv_free(argv);
free_command:
	kfree(command);
	return err ?: count;
}

static const struct file_operations control_fops = {
	.write = control_write,
	.llseek = noop_llseek,
};

static int status_show(struct seq_file *m, void *unused)
{
	guard(mutex)(&last_lock);
	seq_printf(m, "command: %s\nerror: %d\ndirectories: %u\nfiles: %u\nns: %llu\n",
		   last.command, last.error, last.done.directories, last.done.files, last.ns);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(status);

static struct eventfs_file *synthetic_dir;

/* Fills in the tables that all trees share. */
static void fill_tables(void)
{
	unsigned int i;

	for (i = 0; i < MAX_FILES; i++) {
		struct kobj_attribute *file = &sysfs_files[i];

		if (!file_names[i][0])
			snprintf(file_names[i], sizeof(file_names[i]), "file_%u", i);
		entries[i].name = file_names[i];
		entries[i].callback = i ? other_entry : enable_entry;
		sysfs_attr_init(&file->attr);
		file->attr.name = file_names[i];
		file->attr.mode = i ? 0444 : 0644;
		file->show = i ? sysfs_other_show : sysfs_enable_show;
		file->store = i ? NULL : sysfs_enable_store;
	}
}

static void remove_all(void)
{
	struct tree *tree;

	/* A command that runs stops early. After the removal no other starts. */
	WRITE_ONCE(going, true);
	if (!IS_ERR(synthetic_dir))
		eventfs_lookup_and_remove("control", synthetic_dir);
	for (tree = trees; tree < trees + MAX_TREES; tree++)
		if (tree->kind)
			remove_tree(tree);
	eventfs_remove_events_dir(synthetic_dir);
}

static int __init synthetic_init(void)
{
	int err;

	fill_tables();
	synthetic_dir = eventfs_create_events_dir("synthetic", NULL);
	err = eventfs_add_events_file("status", 0444, synthetic_dir, NULL, &status_fops);
	if (!err)
		err = eventfs_add_events_file("control", 0200, synthetic_dir, NULL,
					      &control_fops);
	if (err)
		remove_all();
	return err;
}
module_init(synthetic_init);

static void __exit synthetic_exit(void)
{
	remove_all();
}
module_exit(synthetic_exit);

MODULE_DESCRIPTION("Sample: trees of any size in eventfs, debugfs and sysfs");
MODULE_LICENSE("GPL");
