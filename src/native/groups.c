// SPDX-License-Identifier: GPL-2.0
/*
 * For src/native.rs: process groups and sessions of the kernel's, which nothing here holds
 * tasklist_lock for.
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "../native.h"

/* The number of the process group of a process. */
int altpid_native_group(struct pid *pid)
{
	struct task_struct *task;
	int nr = 0;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	if (task)
		nr = pid_nr(task_pgrp(task));
	rcu_read_unlock();
	return nr;
}

/* A search among the processes of a process group or session. */
struct search {
	enum pid_type type;
	struct pid *pid;
	bool (*is_it)(struct task_struct *thread, void *data);
	void *data;
	/* Threads that may still be asked. */
	unsigned int left;
};

static bool is_in(const struct search *search, struct task_struct *leader)
{
	return (search->type == PIDTYPE_SID ? task_session(leader) : task_pgrp(leader)) ==
	       search->pid;
}

/* Asks the threads of a process: its leader may have exited. */
static bool is_found(struct search *search, struct task_struct *leader)
{
	struct task_struct *thread;

	if (!is_in(search, leader))
		return false;
	for_each_thread(leader, thread) {
		if (!search->left)
			break;
		search->left--;
		if (search->is_it(thread, search->data))
			return true;
	}
	return false;
}

/*
 * Calls @is_it with threads of a process group or session until it says yes: first those of the
 * process whose number it has, which cannot be on its way out of it into one of its own. Without
 * tasklist_lock a process that changes its group meanwhile leads into another list: then the
 * search begins again.
 */
void altpid_find_in(int nr, bool is_session, bool (*is_it)(struct task_struct *thread, void *data),
		    void *data)
{
	struct search search = {
		.type = is_session ? PIDTYPE_SID : PIDTYPE_PGID,
		.is_it = is_it,
		.data = data,
		.left = 1024,
	};
	struct task_struct *task, *last;

	rcu_read_lock();
	search.pid = find_pid_ns(nr, &init_pid_ns);
	task = search.pid ? pid_task(search.pid, PIDTYPE_TGID) : NULL;
	if (task && is_found(&search, task))
		goto unlock;
again:
	last = NULL;
	do_each_pid_task(search.pid, search.type, task) {
		if (is_found(&search, task))
			goto unlock;
		if (!search.left)
			goto unlock;
		search.left--;
		last = task;
	} while_each_pid_task(search.pid, search.type, task);
	if (last && !is_in(&search, last))
		goto again;
unlock:
	rcu_read_unlock();
}
