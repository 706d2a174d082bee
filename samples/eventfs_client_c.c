// SPDX-License-Identifier: GPL-2.0
/*
 * A module that publishes a tree of its own in eventfs.
 *
 *	client_c/			directories and files created one by one
 *		control			write "add NAME" or "remove NAME" for a queue
 *		wait			reads block until a queue is added or removed
 *		clocks/
 *			boot/, real/	now, reads
 *		queues/
 *			NAME/		created with a table: length, limit, push, overruns
 *	events/client_c/		next to the subsystems of the kernel
 *		queues_changed/		count
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "rust_eventfs.h"

/* Enough for a verb and a name, which has at most 255 bytes. */
#define COMMAND_MAX 300

static struct eventfs_file *client_dir;
static struct eventfs_file *queues_dir;
static struct eventfs_file *subsystem_dir;

/* The number of queues created, and of queues released: equal at the end. */
static atomic_t created = ATOMIC_INIT(0);
static atomic_t released = ATOMIC_INIT(0);

/* The number of queues added or removed so far, and the readers that wait for more. */
static atomic_long_t changes = ATOMIC_LONG_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(changed);
/* Set when the module is unloaded. No reader may wait from then on. */
static bool going;

static void queues_changed(void)
{
	atomic_long_inc(&changes);
	wake_up_all(&changed);
}

/*
 * Files created one by one. Their operations are like those of a character
 * device or a debugfs file, and the macros of <linux/seq_file.h> and
 * <linux/fs.h> work for them. The data passed to eventfs_add_file() is in
 * inode->i_private, and with DEFINE_SHOW_ATTRIBUTE() in m->private.
 */

struct clock {
	const char *name;
	u64 (*now)(void);
	atomic_t reads;
};

static struct clock clocks[] = {
	{ .name = "boot", .now = ktime_get_boottime_ns },
	{ .name = "real", .now = ktime_get_real_ns },
};

static int clock_now_show(struct seq_file *m, void *unused)
{
	struct clock *clock = m->private;

	atomic_inc(&clock->reads);
	seq_printf(m, "%llu\n", clock->now());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(clock_now);

static int clock_reads_show(struct seq_file *m, void *unused)
{
	struct clock *clock = m->private;

	seq_printf(m, "%d\n", atomic_read(&clock->reads));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(clock_reads);

static int changes_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%ld\n", atomic_long_read(&changes));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(changes);

/*
 * A file that blocks. A read returns when a queue has been added or removed
 * since the previous read, or since the open. file->private_data holds the value
 * of changes at that time.
 */

static bool has_news(struct file *file)
{
	return atomic_long_read(&changes) != (long)READ_ONCE(file->private_data);
}

static int wait_open(struct inode *inode, struct file *file)
{
	file->private_data = (void *)atomic_long_read(&changes);
	return stream_open(inode, file);
}

static ssize_t wait_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	char text[24];
	long now;
	int err;

	if ((file->f_flags & O_NONBLOCK) && !has_news(file))
		return -EAGAIN;
	err = wait_event_interruptible(changed, READ_ONCE(going) || has_news(file));
	if (err)
		return err;
	if (READ_ONCE(going))
		return -ENODEV;
	now = atomic_long_read(&changes);
	count = min_t(size_t, count, scnprintf(text, sizeof(text), "%ld\n", now));
	if (copy_to_user(to, text, count))
		return -EFAULT;
	WRITE_ONCE(file->private_data, (void *)now);
	return count;
}

static __poll_t wait_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &changed, table);
	if (READ_ONCE(going))
		return EPOLLERR | EPOLLHUP;
	return has_news(file) ? EPOLLIN | EPOLLRDNORM : 0;
}

static const struct file_operations wait_fops = {
	.open = wait_open,
	.read = wait_read,
	.poll = wait_poll,
};

/*
 * Directories with a table. All queues share one table, so the directory of a
 * queue costs the same few bytes no matter how many files the table has.
 * Callbacks and operations work on the queue. The directory owns it: removal
 * waits for callbacks and operations, then calls queue_release().
 */

struct queue {
	spinlock_t lock; /* protects the fields below */
	unsigned int length;
	unsigned int limit;
	unsigned int overruns;
};

static int queue_length_show(struct seq_file *m, void *unused)
{
	struct queue *queue = m->private;

	guard(spinlock)(&queue->lock);
	seq_printf(m, "%u\n", queue->length);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(queue_length);

static int queue_overruns_show(struct seq_file *m, void *unused)
{
	struct queue *queue = m->private;

	guard(spinlock)(&queue->lock);
	seq_printf(m, "%u\n", queue->overruns);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(queue_overruns);

static int queue_limit_get(void *data, u64 *value)
{
	struct queue *queue = data;

	guard(spinlock)(&queue->lock);
	*value = queue->limit;
	return 0;
}

static int queue_limit_set(void *data, u64 value)
{
	struct queue *queue = data;

	guard(spinlock)(&queue->lock);
	if (value < queue->length)
		return -EBUSY;
	if (value > UINT_MAX)
		return -ERANGE;
	queue->limit = value;
	return 0;
}
DEFINE_SIMPLE_ATTRIBUTE(queue_limit_fops, queue_limit_get, queue_limit_set, "%llu\n");

static ssize_t queue_push(struct file *file, const char __user *from, size_t count, loff_t *ppos)
{
	struct queue *queue = file_inode(file)->i_private;

	guard(spinlock)(&queue->lock);
	if (queue->length >= queue->limit) {
		queue->overruns++;
		return -ENOSPC;
	}
	queue->length++;
	return count;
}

static const struct file_operations queue_push_fops = {
	.write = queue_push,
	.llseek = noop_llseek,
};

/*
 * A look-up of a file calls its callback, which reports mode, data and
 * operations. The mode is preset to 0444, the data to that of the directory.
 */

static int length_file(const char *name, umode_t *mode, void **data,
		       const struct file_operations **fops)
{
	*fops = &queue_length_fops;
	return 1;
}

static int limit_file(const char *name, umode_t *mode, void **data,
		      const struct file_operations **fops)
{
	*mode = 0644;
	*fops = &queue_limit_fops;
	return 1;
}

static int push_file(const char *name, umode_t *mode, void **data,
		     const struct file_operations **fops)
{
	*mode = 0200;
	*fops = &queue_push_fops;
	return 1;
}

/* This file exists from the first overrun on. */
static int overruns_file(const char *name, umode_t *mode, void **data,
			 const struct file_operations **fops)
{
	struct queue *queue = *data;

	*fops = &queue_overruns_fops;
	guard(spinlock)(&queue->lock);
	return queue->overruns > 0;
}

/* Each entry's release function is called, so only the first entry has one. */
static void queue_release(const char *name, void *data)
{
	kfree(data);
	atomic_inc(&released);
}

static struct eventfs_file *queue_publish(const char *name, struct queue *queue)
{
	static const struct eventfs_entry files[] = {
		{ "length", length_file, queue_release },
		{ "limit", limit_file },
		{ "push", push_file },
		{ "overruns", overruns_file },
	};

	return eventfs_create_dir(name, queues_dir, files, ARRAY_SIZE(files), queue);
}

static int queue_add(const char *name)
{
	struct eventfs_file *dir;
	struct queue *queue;

	queue = kzalloc_obj(*queue);
	if (!queue)
		return -ENOMEM;
	spin_lock_init(&queue->lock);
	queue->limit = 4;
	dir = queue_publish(name, queue);
	if (IS_ERR(dir)) {
		/* Nothing was published, so queue_release() is not called. */
		kfree(queue);
		return PTR_ERR(dir);
	}
	/*
	 * By now another thread may have removed the directory, and so freed the
	 * queue. Using @dir or @queue would need a lock against that. Nothing
	 * here does: queues are removed by name.
	 */
	atomic_inc(&created);
	queues_changed();
	return 0;
}

static int queue_remove(const char *name)
{
	int err = eventfs_lookup_and_remove(name, queues_dir);

	if (!err)
		queues_changed();
	return err;
}

/*
 * Several writes may add and remove directories at the same time, without a
 * lock. Removal waits for operations of the queue, so a lock that these take must
 * not be held here.
 */
static ssize_t control_write(struct file *file, const char __user *from, size_t count,
			     loff_t *ppos)
{
	char *command, *verb, *name;
	int err = -EINVAL;

	if (count > COMMAND_MAX)
		return -E2BIG;
	command = memdup_user_nul(from, count);
	if (IS_ERR(command))
		return PTR_ERR(command);
	name = strim(command);
	verb = strsep(&name, " ");
	if (name) {
		if (!strcmp(verb, "add"))
			err = queue_add(skip_spaces(name));
		else if (!strcmp(verb, "remove"))
			err = queue_remove(skip_spaces(name));
	}
	kfree(command);
	return err ?: count;
}

static const struct file_operations control_fops = {
	.write = control_write,
	.llseek = noop_llseek,
};

static int publish_clocks(void)
{
	struct eventfs_file *subsystem, *dir;
	struct clock *clock;
	int err;

	subsystem = eventfs_add_subsystem_dir("clocks", client_dir);
	for (clock = clocks; clock < clocks + ARRAY_SIZE(clocks); clock++) {
		/* If the parent is an error pointer, each returns that error. */
		dir = eventfs_add_dir(clock->name, subsystem);
		err = eventfs_add_file("now", 0444, dir, clock, &clock_now_fops);
		if (err)
			return err;
		err = eventfs_add_file("reads", 0444, dir, clock, &clock_reads_fops);
		if (err)
			return err;
	}
	return 0;
}

static int publish(void)
{
	struct eventfs_file *dir;
	int err;

	client_dir = eventfs_create_events_dir("client_c", NULL);
	err = publish_clocks();
	if (err)
		return err;

	subsystem_dir = eventfs_add_subsystem_dir("client_c", EVENTFS_EVENTS);
	dir = eventfs_add_dir("queues_changed", subsystem_dir);
	err = eventfs_add_file("count", 0444, dir, NULL, &changes_fops);
	if (err)
		return err;

	queues_dir = eventfs_add_subsystem_dir("queues", client_dir);
	if (IS_ERR(queues_dir))
		return PTR_ERR(queues_dir);
	err = eventfs_add_events_file("wait", 0444, client_dir, NULL, &wait_fops);
	if (err)
		return err;
	/* A write to this file may come at once, so queues_dir has to be there. */
	return eventfs_add_events_file("control", 0200, client_dir, NULL, &control_fops);
}

static void unpublish(void)
{
	/* Removal waits for readers, so wake them up first. */
	WRITE_ONCE(going, true);
	wake_up_all(&changed);
	/*
	 * When this returns, no write adds or removes a queue, now or later. So
	 * the pointers below stay valid.
	 */
	if (!IS_ERR_OR_NULL(client_dir))
		eventfs_lookup_and_remove("control", client_dir);
	/* Everything in these directories is removed, too, and queues are released. */
	eventfs_remove(subsystem_dir);
	eventfs_remove_events_dir(client_dir);
}

static int __init client_init(void)
{
	int err = publish();

	if (err)
		unpublish();
	return err;
}
module_init(client_init);

static void __exit client_exit(void)
{
	unpublish();
	pr_info("%d queues were made, %d released\n", atomic_read(&created),
		atomic_read(&released));
}
module_exit(client_exit);

/* The counters are shown in /sys/module/eventfs_client_c/parameters/. */
static int counter_set(const char *value, const struct kernel_param *param)
{
	return -EPERM;
}

static int counter_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", atomic_read((atomic_t *)param->arg));
}

static const struct kernel_param_ops counter_ops = {
	.set = counter_set,
	.get = counter_get,
};
module_param_cb(created, &counter_ops, &created, 0444);
MODULE_PARM_DESC(created, "number of queues created");
module_param_cb(released, &counter_ops, &released, 0444);
MODULE_PARM_DESC(released, "number of queues released");

MODULE_DESCRIPTION("Sample: publish a tree in eventfs");
MODULE_LICENSE("GPL");
