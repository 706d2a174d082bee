// SPDX-License-Identifier: GPL-2.0
/*
 * Calls each function of <rust_eventfs.h> with bad arguments, and with valid
 * ones at the limits. Loading fails if a function does not return what the
 * header says.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/string.h>

#include "rust_eventfs.h"

static unsigned int calls;
static unsigned int failures;

/* Names of 255 bytes, and of 256. */
static char longest[256];
static char too_long[257];

static struct eventfs_file *events_dir;
static struct eventfs_file *subsystem;
static struct eventfs_file *plain_dir;
static struct eventfs_file *table_dir;

static void expect(const char *call, long wanted, long got)
{
	calls++;
	if (got == wanted)
		return;
	failures++;
	pr_info("%s: %ld instead of %ld\n", call, got, wanted);
}

/* Expects that @call, which returns a number, returns @wanted. */
#define RETURNS(wanted, call) expect(#call, wanted, call)

/* Expects that @call returns @wanted as an error pointer. */
#define REFUSES(wanted, call) expect(#call, wanted, refused(call))

/* Expects that @call creates a directory, and removes it again. */
#define MAKES(call) expect(#call, 0, refused(call))

/*
 * Returns the error in @made; 0 if it is a directory, which is removed again; or
 * 1 for %NULL, which no function may return.
 */
static long refused(struct eventfs_file *made)
{
	if (!made)
		return 1;
	if (IS_ERR(made))
		return PTR_ERR(made);
	eventfs_remove(made);
	return 0;
}

static int nothing_show(struct seq_file *m, void *unused)
{
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(nothing);

static int entry(const char *name, umode_t *mode, void **data,
		 const struct file_operations **fops)
{
	*fops = &nothing_fops;
	return 1;
}

/* Number of calls of release(), and of those with wrong arguments. */
static int released;
static int wrongly_released;

static void release(const char *name, void *data)
{
	released++;
	if (data != &released || (strcmp(name, "one") && strcmp(name, "two")))
		wrongly_released++;
}

static const struct eventfs_entry table[] = {
	{ "one", entry, release },
	{ "two", entry, release },
	{ "three", entry },
};

/* A directory that the release function of another one removes. */
static struct eventfs_file *left;

static void remove_left(const char *name, void *data)
{
	eventfs_remove(left);
}

static const struct eventfs_entry leaving[] = {
	{ "leaving", entry, remove_left },
};

static struct eventfs_file *with_table(const struct eventfs_entry *entries, int size)
{
	return eventfs_create_dir("new", events_dir, entries, size, &released);
}

/* All functions with a name return @err for this one. */
static void bad_name(const char *name, int err)
{
	struct eventfs_entry entries[] = { { "one", entry, release }, { name, entry, release } };
	unsigned int before = failures;

	REFUSES(err, eventfs_create_events_dir(name, NULL));
	REFUSES(err, eventfs_create_events_dir(name, events_dir));
	REFUSES(err, eventfs_add_subsystem_dir(name, NULL));
	REFUSES(err, eventfs_add_subsystem_dir(name, EVENTFS_EVENTS));
	REFUSES(err, eventfs_add_subsystem_dir(name, events_dir));
	REFUSES(err, eventfs_add_dir(name, subsystem));
	REFUSES(err, eventfs_create_dir(name, NULL, table, ARRAY_SIZE(table), &released));
	REFUSES(err, eventfs_create_dir(name, EVENTFS_EVENTS, NULL, 0, NULL));
	REFUSES(err, eventfs_create_dir(name, plain_dir, table, ARRAY_SIZE(table), &released));
	REFUSES(err, with_table(entries, ARRAY_SIZE(entries)));
	RETURNS(err, eventfs_add_events_file(name, 0444, events_dir, NULL, &nothing_fops));
	RETURNS(err, eventfs_add_file(name, 0444, plain_dir, NULL, &nothing_fops));
	RETURNS(err, eventfs_lookup_and_remove(name, NULL));
	RETURNS(err, eventfs_lookup_and_remove(name, EVENTFS_EVENTS));
	RETURNS(err, eventfs_lookup_and_remove(name, plain_dir));
	if (failures > before)
		pr_info("with the name %.20s\n", name);
}

static void names(void)
{
	bad_name(NULL, -EINVAL);
	bad_name("", -EINVAL);
	bad_name(".", -EINVAL);
	bad_name("..", -EINVAL);
	bad_name("/", -EINVAL);
	bad_name("a/b", -EINVAL);
	bad_name("/a", -EINVAL);
	bad_name("a/", -EINVAL);
	bad_name(too_long, -ENAMETOOLONG);

	MAKES(eventfs_create_events_dir(longest, NULL));
	MAKES(eventfs_add_subsystem_dir(longest, EVENTFS_EVENTS));
	MAKES(eventfs_add_dir(longest, subsystem));
	MAKES(eventfs_add_dir("...", subsystem));
	MAKES(eventfs_add_dir("\n \xff", subsystem));
	RETURNS(0, eventfs_add_file(longest, 0444, plain_dir, NULL, &nothing_fops));
	RETURNS(0, eventfs_lookup_and_remove(longest, plain_dir));
}

/* A parent that is an error pointer: each function returns its error. */
static void error_parents(void)
{
	struct eventfs_file *error;
	int err;

	for (err = -1; err >= -MAX_ERRNO; err -= 1364) {
		error = ERR_PTR(err);
		REFUSES(err, eventfs_create_events_dir("new", error));
		REFUSES(err, eventfs_add_subsystem_dir("new", error));
		REFUSES(err, eventfs_add_dir("new", error));
		REFUSES(err, eventfs_create_dir("new", error, table, ARRAY_SIZE(table), NULL));
		RETURNS(err, eventfs_add_events_file("new", 0444, error, NULL, &nothing_fops));
		RETURNS(err, eventfs_add_file("new", 0444, error, NULL, &nothing_fops));
		RETURNS(err, eventfs_lookup_and_remove("new", error));
		eventfs_remove(error);
		eventfs_remove_events_dir(error);
		eventfs_remove_dir(error);
	}
	eventfs_remove(NULL);
	eventfs_remove_events_dir(NULL);
	eventfs_remove_dir(NULL);
}

static void wrong_parents(void)
{
	REFUSES(-EINVAL, eventfs_add_dir("new", NULL));
	REFUSES(-EINVAL, eventfs_add_dir("new", EVENTFS_EVENTS));
	REFUSES(-EINVAL, eventfs_add_subsystem_dir("new", subsystem));
	REFUSES(-EINVAL, eventfs_add_subsystem_dir("new", plain_dir));
	REFUSES(-EINVAL, eventfs_add_subsystem_dir("new", table_dir));
	RETURNS(-EINVAL, eventfs_add_file("new", 0444, NULL, NULL, &nothing_fops));
	RETURNS(-EINVAL, eventfs_add_file("new", 0444, EVENTFS_EVENTS, NULL, &nothing_fops));
	RETURNS(-EINVAL, eventfs_add_events_file("new", 0444, NULL, NULL, &nothing_fops));
	RETURNS(-EINVAL, eventfs_add_events_file("new", 0444, EVENTFS_EVENTS, NULL,
						 &nothing_fops));
	RETURNS(-EINVAL, eventfs_add_events_file("new", 0444, subsystem, NULL, &nothing_fops));
	RETURNS(-EINVAL, eventfs_add_events_file("new", 0444, plain_dir, NULL, &nothing_fops));
	RETURNS(-EINVAL, eventfs_add_events_file("new", 0444, table_dir, NULL, &nothing_fops));

	/* "Any directory of a module" includes directories of all types. */
	MAKES(eventfs_add_dir("new", events_dir));
	MAKES(eventfs_add_dir("new", subsystem));
	MAKES(eventfs_add_dir("new", plain_dir));
	MAKES(eventfs_add_dir("new", table_dir));
	MAKES(eventfs_create_dir("new", table_dir, NULL, 0, NULL));
	MAKES(eventfs_create_events_dir("new", table_dir));
	MAKES(eventfs_create_events_dir("new_eventfs_dir", EVENTFS_EVENTS));
	MAKES(eventfs_create_dir("new_eventfs_dir", NULL, NULL, 0, NULL));
	MAKES(eventfs_create_dir("new_eventfs_dir", EVENTFS_EVENTS, NULL, 0, NULL));
	RETURNS(0, eventfs_add_file("new", 0444, events_dir, NULL, &nothing_fops));
	RETURNS(0, eventfs_lookup_and_remove("new", events_dir));
	RETURNS(0, eventfs_add_file("new", 0444, table_dir, NULL, &nothing_fops));
	RETURNS(0, eventfs_lookup_and_remove("new", table_dir));
}

/* Names taken by the kernel, by tracefs, or by this module. */
static void taken(void)
{
	REFUSES(-EEXIST, eventfs_create_events_dir("events", NULL));
	REFUSES(-EEXIST, eventfs_create_events_dir("trace", NULL));
	REFUSES(-EEXIST, eventfs_create_events_dir("tracing_on", NULL));
	REFUSES(-EEXIST, eventfs_create_events_dir("options", NULL));
	REFUSES(-EEXIST, eventfs_create_events_dir("bad_calls", NULL));
	REFUSES(-EEXIST, eventfs_create_dir("per_cpu", NULL, table, ARRAY_SIZE(table), NULL));
	REFUSES(-EEXIST, eventfs_add_subsystem_dir("sched", NULL));
	REFUSES(-EEXIST, eventfs_add_subsystem_dir("sched", EVENTFS_EVENTS));
	REFUSES(-EEXIST, eventfs_add_subsystem_dir("enable", EVENTFS_EVENTS));
	REFUSES(-EEXIST, eventfs_add_subsystem_dir("subsystem", events_dir));
	REFUSES(-EEXIST, eventfs_create_dir("sched", EVENTFS_EVENTS, NULL, 0, NULL));
	REFUSES(-EEXIST, eventfs_add_dir("plain", subsystem));
	REFUSES(-EEXIST, eventfs_create_dir("table", subsystem, NULL, 0, NULL));
	/* Names in the table of a directory are taken, too. */
	REFUSES(-EEXIST, eventfs_add_dir("one", table_dir));
	REFUSES(-EEXIST, eventfs_create_dir("three", table_dir, NULL, 0, NULL));
	RETURNS(-EEXIST, eventfs_add_file("two", 0444, table_dir, NULL, &nothing_fops));

	RETURNS(0, eventfs_add_file("file", 0444, plain_dir, NULL, &nothing_fops));
	RETURNS(-EEXIST, eventfs_add_file("file", 0444, plain_dir, NULL, &nothing_fops));
	REFUSES(-EEXIST, eventfs_add_dir("file", plain_dir));
	RETURNS(-EEXIST, eventfs_add_file("plain", 0444, subsystem, NULL, &nothing_fops));
	RETURNS(-EEXIST, eventfs_add_events_file("subsystem", 0444, events_dir, NULL,
						 &nothing_fops));
	RETURNS(0, eventfs_lookup_and_remove("file", plain_dir));
	MAKES(eventfs_add_dir("file", plain_dir));
}

static void bad_modes(void)
{
	static const umode_t bad[] = {
		S_IFDIR | 0755, S_IFLNK | 0777, S_IFCHR | 0600, S_IFBLK | 0600,
		S_IFIFO | 0600, S_IFSOCK | 0600, S_IFMT | 0644,
	};
	static const umode_t good[] = { 0, 0444, 0777, 04755, S_IFREG, S_IFREG | 0644 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		RETURNS(-EINVAL, eventfs_add_file("new", bad[i], plain_dir, NULL,
						  &nothing_fops));
		RETURNS(-EINVAL, eventfs_add_events_file("new", bad[i], events_dir, NULL,
							 &nothing_fops));
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		RETURNS(0, eventfs_add_file("new", good[i], plain_dir, NULL, &nothing_fops));
		RETURNS(0, eventfs_lookup_and_remove("new", plain_dir));
	}
}

static int no_mmap(struct file *file, struct vm_area_struct *vma)
{
	return -ENODEV;
}

static int no_mmap_prepare(struct vm_area_desc *desc)
{
	return -ENODEV;
}

static int no_iterate(struct file *file, struct dir_context *context)
{
	return -ENOTDIR;
}

static int no_uring_cmd(struct io_uring_cmd *cmd, unsigned int flags)
{
	return -EOPNOTSUPP;
}

static int no_lease(struct file *file, int arg, struct file_lease **lease, void **priv)
{
	return -EINVAL;
}

static int nothing_get(void *data, u64 *value)
{
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(debugfs_only_fops, nothing_get, NULL, "%llu\n");

static void bad_operations(void)
{
	static const struct file_operations bad[] = {
		{ .mmap = no_mmap },
		{ .mmap_prepare = no_mmap_prepare },
		{ .iterate_shared = no_iterate },
		{ .uring_cmd = no_uring_cmd },
		{ .setlease = no_lease },
	};
	static const struct file_operations none = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		RETURNS(-EINVAL, eventfs_add_file("new", 0444, plain_dir, NULL, &bad[i]));
		RETURNS(-EINVAL, eventfs_add_events_file("new", 0444, events_dir, NULL,
							 &bad[i]));
	}
	RETURNS(-EINVAL, eventfs_add_file("new", 0444, plain_dir, NULL, &debugfs_only_fops));
	RETURNS(-EINVAL, eventfs_add_file("new", 0444, plain_dir, NULL, NULL));
	RETURNS(-EINVAL, eventfs_add_events_file("new", 0444, events_dir, NULL, NULL));
	RETURNS(0, eventfs_add_file("new", 0444, plain_dir, NULL, &none));
	RETURNS(0, eventfs_lookup_and_remove("new", plain_dir));
}

static void bad_tables(void)
{
	static const struct eventfs_entry no_callback[] = {
		{ "one", entry, release }, { "two", NULL, release },
	};
	static const struct eventfs_entry twice[] = {
		{ "one", entry, release }, { "two", entry }, { "one", entry },
	};

	REFUSES(-EINVAL, with_table(table, -1));
	REFUSES(-EINVAL, with_table(table, INT_MIN));
	REFUSES(-EINVAL, with_table(NULL, -1));
	REFUSES(-EINVAL, with_table(NULL, 1));
	REFUSES(-EINVAL, with_table(NULL, INT_MAX));
	REFUSES(-EINVAL, with_table(no_callback, 2));
	REFUSES(-EINVAL, with_table(twice, 3));
	/* A function that fails calls no release function. */
	expect("releases", 0, released);

	MAKES(with_table(NULL, 0));
	MAKES(with_table(table, 0));
	expect("releases", 0, released);
	MAKES(with_table(twice, 2));
	expect("releases", 1, released);
	MAKES(with_table(table, 1));
	expect("releases", 2, released);
	MAKES(with_table(table, ARRAY_SIZE(table)));
	expect("releases", 4, released);
	released = 0;
}

static void not_found(void)
{
	RETURNS(-ENOENT, eventfs_lookup_and_remove("nothing", NULL));
	RETURNS(-ENOENT, eventfs_lookup_and_remove("nothing", EVENTFS_EVENTS));
	RETURNS(-ENOENT, eventfs_lookup_and_remove("nothing", events_dir));
	RETURNS(-ENOENT, eventfs_lookup_and_remove("nothing", plain_dir));
	RETURNS(-ENOENT, eventfs_lookup_and_remove(longest, table_dir));
	/* Neither are the kernel's, entries of a table, and another module's. */
	RETURNS(-ENOENT, eventfs_lookup_and_remove("events", NULL));
	RETURNS(-ENOENT, eventfs_lookup_and_remove("tracing_on", NULL));
	RETURNS(-ENOENT, eventfs_lookup_and_remove("sched", EVENTFS_EVENTS));
	RETURNS(-ENOENT, eventfs_lookup_and_remove("enable", EVENTFS_EVENTS));
	RETURNS(-ENOENT, eventfs_lookup_and_remove("one", table_dir));
	RETURNS(-ENOENT, eventfs_lookup_and_remove("client_c", NULL));
	RETURNS(-ENOENT, eventfs_lookup_and_remove("client_c", EVENTFS_EVENTS));
}

/* Each way to remove a directory removes everything in it. */
static void removal(void)
{
	struct eventfs_file *dir, *inner;
	unsigned int depth;

	dir = eventfs_add_dir("dir", subsystem);
	inner = eventfs_create_dir("inner", dir, table, ARRAY_SIZE(table), &released);
	RETURNS(0, eventfs_add_file("file", 0444, inner, NULL, &nothing_fops));
	RETURNS(0, eventfs_lookup_and_remove("dir", subsystem));
	expect("releases of what was in it", 2, released);
	RETURNS(-ENOENT, eventfs_lookup_and_remove("dir", subsystem));

	dir = with_table(table, ARRAY_SIZE(table));
	RETURNS(0, PTR_ERR_OR_ZERO(dir));
	eventfs_remove_dir(dir);
	expect("releases by eventfs_remove_dir()", 4, released);

	dir = eventfs_create_events_dir("bad_calls_2", NULL);
	inner = eventfs_create_dir("inner", dir, table, ARRAY_SIZE(table), &released);
	RETURNS(0, PTR_ERR_OR_ZERO(inner));
	eventfs_remove_events_dir(dir);
	expect("releases by eventfs_remove_events_dir()", 6, released);

	dir = eventfs_create_dir("bad_calls_2", EVENTFS_EVENTS, table, ARRAY_SIZE(table),
				 &released);
	RETURNS(0, PTR_ERR_OR_ZERO(dir));
	RETURNS(0, eventfs_lookup_and_remove("bad_calls_2", EVENTFS_EVENTS));
	expect("releases by name", 8, released);

	/* A release function may remove something else. */
	left = eventfs_create_dir("left", plain_dir, table, ARRAY_SIZE(table), &released);
	dir = eventfs_create_dir("leaves", plain_dir, leaving, ARRAY_SIZE(leaving), NULL);
	RETURNS(0, PTR_ERR_OR_ZERO(dir));
	eventfs_remove(dir);
	expect("releases by a release function", 10, released);
	RETURNS(-ENOENT, eventfs_lookup_and_remove("left", plain_dir));

	/* Depth is not limited, as the length of names is. */
	dir = eventfs_add_dir("deep", plain_dir);
	for (depth = 1, inner = dir; depth < 1000; depth++)
		inner = eventfs_add_dir("deep", inner);
	RETURNS(0, PTR_ERR_OR_ZERO(inner));
	eventfs_remove(dir);
	RETURNS(-ENOENT, eventfs_lookup_and_remove("deep", plain_dir));
}

static int __init bad_calls_init(void)
{
	memset(longest, 'n', sizeof(longest) - 1);
	memset(too_long, 'n', sizeof(too_long) - 1);

	events_dir = eventfs_create_events_dir("bad_calls", NULL);
	subsystem = eventfs_add_subsystem_dir("subsystem", events_dir);
	plain_dir = eventfs_add_dir("plain", subsystem);
	table_dir = eventfs_create_dir("table", subsystem, table, ARRAY_SIZE(table), &released);
	if (IS_ERR(plain_dir) || IS_ERR(table_dir)) {
		pr_info("the directories cannot be made\n");
		eventfs_remove(events_dir);
		return -EINVAL;
	}
	names();
	error_parents();
	wrong_parents();
	taken();
	bad_modes();
	bad_operations();
	bad_tables();
	not_found();
	removal();

	released = 0;
	eventfs_remove(events_dir);
	expect("releases at the end", 2, released);
	expect("releases of something else", 0, wrongly_released);
	RETURNS(-ENOENT, eventfs_lookup_and_remove("bad_calls", NULL));
	pr_info("%u calls, %u failures\n", calls, failures);
	return failures ? -EINVAL : 0;
}
module_init(bad_calls_init);

static void __exit bad_calls_exit(void)
{
}
module_exit(bad_calls_exit);

MODULE_DESCRIPTION("Test: call the functions of eventfs with bad arguments");
MODULE_LICENSE("GPL");
