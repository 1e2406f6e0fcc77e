// SPDX-License-Identifier: GPL-2.0
/*
 * For src/native/tracing.rs: who traces whom. tasklist_lock is not to be had: what is
 * looked at under RCU may change at once, but for a tracee of the calling thread's that is
 * stopped.
 */
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/uidgid.h>

#include "../native.h"

/* Who traces the calling thread, unless that exits, which ends it. Under RCU. */
struct task_struct *altpid_own_tracer(void)
{
	struct task_struct *tracer = rcu_dereference(current->parent);

	if (!READ_ONCE(current->ptrace) || READ_ONCE(tracer->flags) & PF_EXITING)
		return NULL;
	return tracer;
}

/* The parent of the calling thread. Under RCU. */
struct task_struct *altpid_own_parent(void)
{
	return rcu_dereference(current->real_parent);
}

/* Whether a thread is traced by one of the calling process. */
bool altpid_is_tracee(struct pid *pid)
{
	struct task_struct *task;
	bool is_tracee;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	is_tracee = task && READ_ONCE(task->ptrace) &&
		    same_thread_group(rcu_dereference(task->parent), current);
	rcu_read_unlock();
	return is_tracee;
}

/* Whether the calling thread traces somebody, or with @any one of its process. */
bool altpid_has_tracees(bool any)
{
	struct task_struct *thread;
	bool has = !list_empty(&current->ptraced);

	if (!any || has)
		return has;
	rcu_read_lock();
	for_each_thread(current, thread)
		has |= !list_empty(&thread->ptraced);
	rcu_read_unlock();
	return has;
}

/*
 * The tracee of the calling thread that is stopped and has this number, with the lock of its
 * signals held; under RCU. What it is stopped for is there as long as the lock is held.
 */
static struct task_struct *lock_tracee(int nr, unsigned long *flags)
{
	struct task_struct *task = pid_task(find_pid_ns(nr, &init_pid_ns), PIDTYPE_PID);
	struct sighand_struct *sighand;

	if (!task || !READ_ONCE(task->ptrace) || rcu_access_pointer(task->parent) != current)
		return NULL;
	sighand = rcu_dereference(task->sighand);
	if (!sighand)
		return NULL;
	spin_lock_irqsave(&sighand->siglock, *flags);
	/* lock_task_sighand() */
	if (sighand == rcu_access_pointer(task->sighand) && task->jobctl & JOBCTL_TRACED &&
	    task->last_siginfo)
		return task;
	spin_unlock_irqrestore(&sighand->siglock, *flags);
	return NULL;
}

static void unlock_tracee(struct task_struct *task, unsigned long flags)
{
	spin_unlock_irqrestore(&task->sighand->siglock, flags);
}

/*
 * The PTRACE_EVENT_ that a tracee of the calling thread is stopped for, 0 for none, -1 if it is not
 * stopped.
 */
int altpid_event_of(int nr)
{
	struct task_struct *task;
	unsigned long flags;
	int event = -1;

	rcu_read_lock();
	task = lock_tracee(nr, &flags);
	if (task) {
		event = task->last_siginfo->si_code > 0 ? task->last_siginfo->si_code >> 8 : 0;
		unlock_tracee(task, flags);
	}
	rcu_read_unlock();
	return event;
}

/*
 * A tracee of the calling thread is about to go on with this signal: if it is another one than it
 * has stopped for, what comes along is put in here, with the number @from of the sender, before
 * ptrace_signal() puts in that of the kernel's.
 */
void altpid_give_signal(int nr, int sig, int from, bool by_parent)
{
	struct task_struct *task;
	struct kernel_siginfo *info;
	unsigned long flags;
	kuid_t uid;

	rcu_read_lock();
	task = lock_tracee(nr, &flags);
	if (task) {
		info = task->last_siginfo;
		uid = by_parent ? task_uid(rcu_dereference(task->real_parent)) : current_uid();
		if (info->si_signo != sig) {
			clear_siginfo(info);
			info->si_signo = sig;
			info->si_code = SI_USER;
			info->si_pid = from;
			info->si_uid = from_kuid_munged(task_cred_xxx(task, user_ns), uid);
		}
		unlock_tracee(task, flags);
	}
	rcu_read_unlock();
}

/*
 * The signal that the calling thread sends when it exits. Its parent, if that traces it, is then
 * sent that by the kernel, as soon as it can be waited for.
 */
void altpid_set_exit_signal(int sig)
{
	current->exit_signal = sig;
}

/* The registers with which the calling thread goes back to its program. */
struct pt_regs *altpid_own_regs(void)
{
	return task_pt_regs(current);
}
