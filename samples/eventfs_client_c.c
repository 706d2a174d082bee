// SPDX-License-Identifier: GPL-2.0
/*
 * A module that publishes a tree of its own in eventfs.
 *
 *	client_c/			each directory and file made by its name
 *		control			"add NAME" and "remove NAME" a queue
 *		wait			a read waits until a queue comes or goes
 *		clocks/
 *			boot/, real/	now, reads
 *		queues/
 *			NAME/		made with a table: length, limit, push, overruns
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

/* Longer commands are refused: a name has 255 bytes at most. */
#define COMMAND_MAX 300

static struct eventfs_file *client_dir;
static struct eventfs_file *queues_dir;
static struct eventfs_file *subsystem_dir;

/* How many queues were made, and how many were released; for the curious. */
static atomic_t created = ATOMIC_INIT(0);
static atomic_t released = ATOMIC_INIT(0);

/* How often a queue came or went; who waits for that; and that it is over. */
static atomic_long_t changes = ATOMIC_LONG_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(changed);
static bool going;

static void queues_changed(void)
{
	atomic_long_inc(&changes);
	wake_up_all(&changed);
}

/*
 * Files by name: their operations are those of any character device or debugfs
 * file, and what <linux/seq_file.h> and <linux/fs.h> have for these is good for
 * them. The data given to eventfs_add_file() are in inode->i_private, and with
 * DEFINE_SHOW_ATTRIBUTE() in m->private.
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
 * A file that blocks. Each opener is told of what changes from then on: the
 * number of changes that it knows is in file->private_data.
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
 * Directories with a table: all queues share one, and a queue's directory costs
 * the same few bytes however many files the table has. What the callbacks and
 * the operations work on is the queue, which belongs to its directory: it is
 * freed when the last of them cannot run any more.
 */

struct queue {
	spinlock_t lock; /* for all below */
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
 * A callback says what a file is when somebody looks for it. The mode is 0444
 * if it does not say.
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

/* This file is there only from the first overrun on. */
static int overruns_file(const char *name, umode_t *mode, void **data,
			 const struct file_operations **fops)
{
	struct queue *queue = *data;

	*fops = &queue_overruns_fops;
	guard(spinlock)(&queue->lock);
	return queue->overruns > 0;
}

/* Called once for each entry that has it, so that one of them is enough. */
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
		/* Then nobody has seen it, and it is not released. */
		kfree(queue);
		return PTR_ERR(dir);
	}
	/*
	 * Somebody may already have removed it: @dir and @queue are not to be
	 * used any more without a lock that prevents that. There is no need to:
	 * eventfs knows the queues by their names.
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
 * The write that adds or removes directories may run many times at once, and
 * needs no lock. One that operations of a queue take it must not hold here:
 * removal waits for them.
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
		/* Given an error pointer for a parent, they all return that. */
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
	/* A file works as soon as it is there, so what it needs comes first. */
	return eventfs_add_events_file("control", 0200, client_dir, NULL, &control_fops);
}

static void unpublish(void)
{
	/* Removal waits for who reads: first let them go. */
	WRITE_ONCE(going, true);
	wake_up_all(&changed);
	/*
	 * When this returns nobody adds or removes a queue any more, so that no
	 * pointer below can become stale.
	 */
	if (!IS_ERR_OR_NULL(client_dir))
		eventfs_lookup_and_remove("control", client_dir);
	/* These remove all that is in them, and release the queues. */
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

/* The counters, for who wants to look: /sys/module/eventfs_client_c/parameters/. */
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
MODULE_PARM_DESC(created, "how many queues were made");
module_param_cb(released, &counter_ops, &released, 0444);
MODULE_PARM_DESC(released, "how many queues were released");

MODULE_DESCRIPTION("Publishes a tree in eventfs");
MODULE_LICENSE("GPL");
