// SPDX-License-Identifier: GPL-2.0
/*
 * For src/native.rs: whether a number in the first pid namespace still is that of the thread that
 * had it.
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "../native.h"

/* Whether a number is now that of somebody else than a thread that may be gone. */
bool altpid_is_taken(struct pid *pid)
{
	struct pid *now;

	rcu_read_lock();
	now = find_pid_ns(pid_nr(pid), &init_pid_ns);
	rcu_read_unlock();
	return now && now != pid;
}

/* Whether a thread is there, if only as a zombie. */
bool altpid_is_there(struct pid *pid)
{
	bool is_there;

	rcu_read_lock();
	is_there = pid_task(pid, PIDTYPE_PID);
	rcu_read_unlock();
	return is_there;
}
