// SPDX-License-Identifier: GPL-2.0
/*
 * For src/native.rs: threads by their numbers in the first pid namespace, and whether a number
 * still is that of the thread that had it.
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "../native.h"

/* Under RCU. */
struct task_struct *altpid_find_thread(int nr)
{
	struct pid *pid = find_pid_ns(nr, &init_pid_ns);

	return pid ? pid_task(pid, PIDTYPE_PID) : NULL;
}

bool altpid_is_there(struct pid *pid)
{
	bool is_there;

	rcu_read_lock();
	is_there = pid_task(pid, PIDTYPE_PID);
	rcu_read_unlock();
	return is_there;
}
