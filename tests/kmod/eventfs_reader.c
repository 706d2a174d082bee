// SPDX-License-Identifier: GPL-2.0
/*
 * A long RCU read-side critical section, as of a path walk. Until it ends, nothing
 * that it could have found may be freed.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

/* Less than the timeout of RCU's stall detector. */
#define LONGEST (15 * HZ)

static bool reading = true;
module_param(reading, bool, 0644);
MODULE_PARM_DESC(reading, "whether the reader runs; 0, or 15 seconds, end it");

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

MODULE_DESCRIPTION("Test: stay in an RCU read-side critical section");
MODULE_LICENSE("GPL");
