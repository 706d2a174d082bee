// SPDX-License-Identifier: GPL-2.0
/*
 * An RCU reader, as a path walk is one, that stays as long as it is wanted:
 * nothing that it could have seen may be freed meanwhile.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

/* Before the kernel complains of a stall. */
#define LONGEST (15 * HZ)

static bool reading = true;
module_param(reading, bool, 0644);
MODULE_PARM_DESC(reading, "whether the reader is there: 0 ends it, as 15 seconds do");

static DECLARE_COMPLETION(begun);
static struct task_struct *reader;

static int read_for_long(void *unused)
{
	unsigned long end = jiffies + LONGEST;

	rcu_read_lock();
	complete(&begun);
	while (READ_ONCE(reading) && time_before(jiffies, end))
		cpu_relax();
	rcu_read_unlock();
	WRITE_ONCE(reading, false);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 10);
	return 0;
}

static int __init reader_init(void)
{
	reader = kthread_run(read_for_long, NULL, "eventfs_reader");
	if (IS_ERR(reader))
		return PTR_ERR(reader);
	wait_for_completion(&begun);
	return 0;
}
module_init(reader_init);

static void __exit reader_exit(void)
{
	WRITE_ONCE(reading, false);
	kthread_stop(reader);
}
module_exit(reader_exit);

MODULE_DESCRIPTION("Stays in an RCU read-side critical section");
MODULE_LICENSE("GPL");
