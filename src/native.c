// SPDX-License-Identifier: GPL-2.0
/*
 * For src/native.rs: what Rust cannot reach of the kernel. Inline functions, members of
 * task_struct and signal_struct, tracepoints by their name. The rest is in native/.
 *
 * Everything here that takes a struct task_struct is called by the thread itself, for a child that
 * has not run yet, or under RCU for a task that pid_task() gives.
 */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/task_work.h>
#include <linux/tracepoint.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>

#include <asm/syscall.h>

#include "native.h"

/* Tracepoints. */

static void match_tracepoint(struct tracepoint *tp, void *data)
{
	struct altpid_probe *probe;

	for (probe = data; probe->name; probe++)
		if (!strcmp(tp->name, probe->name))
			probe->tracepoint = tp;
}

/* Registers all probes of an array that ends with one without a name, or none. */
int altpid_register_probes(struct altpid_probe *probes)
{
	struct altpid_probe *probe;
	int err = 0;

	for_each_kernel_tracepoint(match_tracepoint, probes);
	for (probe = probes; probe->name; probe++) {
		err = -EOPNOTSUPP;
		if (!probe->tracepoint)
			break;
		err = tracepoint_probe_register(probe->tracepoint, probe->function, NULL);
		if (err)
			break;
	}
	if (!err)
		return 0;
	while (probe-- > probes)
		tracepoint_probe_unregister(probe->tracepoint, probe->function, NULL);
	return err;
}

void altpid_unregister_probes(struct altpid_probe *probes)
{
	for (; probes->name; probes++)
		tracepoint_probe_unregister(probes->tracepoint, probes->function, NULL);
}

/* Has the probes unregistered in a while if there are still no members then. From everywhere. */

static void retire(struct work_struct *work)
{
	altpid_retire_probes();
}

static DECLARE_DELAYED_WORK(retiring, retire);

void altpid_retire_later(unsigned int seconds)
{
	mod_delayed_work(system_percpu_wq, &retiring, (unsigned long)seconds * HZ);
}

/* Nothing is put off any more, and that under way is over. */
void altpid_retire_never(void)
{
	cancel_delayed_work_sync(&retiring);
}

/*
 * Has the dead forgotten as soon as the kernel has, which takes it some grace periods, and again as
 * long as somebody keeps some, each time later. From everywhere.
 */

static void forget(struct work_struct *work);
static DECLARE_DELAYED_WORK(forgetting, forget);
static unsigned long forget_delay;

static void forget(struct work_struct *work)
{
	if (!altpid_forget())
		return;
	WRITE_ONCE(forget_delay, min_t(unsigned long, 2 * READ_ONCE(forget_delay), HZ));
	queue_delayed_work(system_percpu_wq, &forgetting, READ_ONCE(forget_delay));
}

void altpid_forget_later(void)
{
	WRITE_ONCE(forget_delay, 1);
	queue_delayed_work(system_percpu_wq, &forgetting, 1);
}

void altpid_forget_never(void)
{
	cancel_delayed_work_sync(&forgetting);
}

/*
 * Waits until no probe that was registered runs any more, and no thread that has given back
 * the module as the last thing it did is still on its way out of it.
 */
void altpid_synchronize_probes(void)
{
	tracepoint_synchronize_unregister();
	/* A task that is preempted there has not slept by itself. */
	synchronize_rcu_tasks();
}

/* The module, as long as there are members. */

void altpid_hold_module(void)
{
	__module_get(THIS_MODULE);
}

/*
 * The task work by which a thread that dies leaves its world. Giving back the module is the
 * last thing that is done in it; altpid_synchronize_probes() waits for who has still to return
 * from here.
 *
 * Task works run last in, first out, so that another one of this thread can be behind this one:
 * then it is queued once more, to be run after that.
 */
static void leave_work(struct callback_head *head)
{
	if (altpid_body_exits(head))
		module_put(THIS_MODULE);
	else
		WARN_ON_ONCE(task_work_add(current, head, TWA_NONE));
}

int altpid_queue_exit(struct callback_head *head)
{
	init_task_work(head, leave_work);
	return task_work_add(current, head, TWA_NONE);
}

int altpid_queue_wake(struct task_struct *task, struct callback_head *head)
{
	init_task_work(head, altpid_body_woken);
	return task_work_add(task, head, TWA_SIGNAL);
}

/* The calling thread. */

/* Why the calling process cannot become a member, 0 if it can. */
int altpid_may_attach(void)
{
	struct signal_struct *signal = current->signal;

#ifndef CLONE_AUTOREAP
	/* No child vanishes when it exits. */
	return ALTPID_CANNOT;
#endif
	/* Locks that probes take would sleep. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return ALTPID_CANNOT;
	if (!task_no_new_privs(current) && !capable(CAP_SYS_ADMIN))
		return ALTPID_NOT_PRIVILEGED;
	if (in_ia32_syscall())
		return ALTPID_NOT_64_BIT;
	if (signal->nr_threads != 1 || !thread_group_leader(current))
		return ALTPID_HAS_THREADS;
	if (!list_empty(&current->children) || !list_empty(&current->ptraced) ||
	    signal->is_child_subreaper)
		return ALTPID_HAS_CHILDREN;
	if (task_active_pid_ns(current) != &init_pid_ns ||
	    current->nsproxy->pid_ns_for_children != &init_pid_ns ||
	    signal->flags & SIGNAL_UNKILLABLE)
		return ALTPID_ELSEWHERE;
	return 0;
}

/* Whether the children of the calling thread are born elsewhere than in the first pid namespace. */
bool altpid_has_children_elsewhere(void)
{
	return current->nsproxy->pid_ns_for_children != &init_pid_ns;
}

void altpid_kill_self(void)
{
	send_sig(SIGKILL, current, 1);
}

bool altpid_is_32_bit(void)
{
	return in_ia32_syscall();
}

/* The effective user of the calling thread, in the first user namespace. */
unsigned int altpid_own_uid(void)
{
	return from_kuid_munged(&init_user_ns, current_euid());
}

/* A user in the first user namespace, as the calling thread calls it. */
unsigned int altpid_uid_here(unsigned int uid)
{
	return from_kuid_munged(current_user_ns(), make_kuid(&init_user_ns, uid));
}

/* Whether the calling thread may do as it likes with processes of others. */
bool altpid_is_admin(void)
{
	return capable(CAP_SYS_ADMIN);
}

bool altpid_has_capability(int capability)
{
	return ns_capable(current_user_ns(), capability);
}

void altpid_comm(struct task_struct *task, char *comm)
{
	strscpy(comm, task->comm, TASK_COMM_LEN);
}

/* How the calling thread, which is dying, ends. */
void altpid_how_ends(struct altpid_end *end)
{
	struct signal_struct *signal = current->signal;

	end->code = current->exit_code;
	end->group = READ_ONCE(signal->flags) & SIGNAL_GROUP_EXIT;
	end->group_code = signal->group_exit_code;
	end->uid = from_kuid_munged(&init_user_ns, current_uid());
}

/* Bodies. */

/*
 * A process that has not run yet becomes a body: when it exits it vanishes, and the kernel tells
 * nobody.
 */
void altpid_make_body(struct task_struct *child)
{
#ifdef CLONE_AUTOREAP
	child->signal->autoreap = 1;
#endif
	child->exit_signal = 0;
}

/* Default actions do not kill or stop an init, or do so again. */
void altpid_set_unkillable(struct task_struct *task)
{
	unsigned long flags;

	/* Its own, or of a child that has not run: it is not freed. */
	spin_lock_irqsave(&task->sighand->siglock, flags);
	task->signal->flags |= SIGNAL_UNKILLABLE;
	spin_unlock_irqrestore(&task->sighand->siglock, flags);
}

/* The calling process is an init that dies: zap_pid_ns_processes(). */
void altpid_ignore_children(void)
{
	spin_lock_irq(&current->sighand->siglock);
	current->sighand->action[SIGCHLD - 1].sa.sa_handler = SIG_IGN;
	spin_unlock_irq(&current->sighand->siglock);
}

/*
 * Whether a child that has not run yet is what was asked for: a thread or a process, a child of the
 * caller's, in the caller's pid namespace, to which the kernel does not tell its number. The flags
 * of clone3(2) may stand in memory that other threads write.
 */
bool altpid_is_as_asked(struct task_struct *child, bool is_thread)
{
	bool is_own;

	rcu_read_lock();
	is_own = same_thread_group(rcu_dereference(child->real_parent), current);
	rcu_read_unlock();
	return same_thread_group(child, current) == is_thread && (is_thread || is_own) &&
	       task_pid(child)->level == task_pid(current)->level && !child->set_child_tid;
}

void altpid_kill_child(struct task_struct *child)
{
	if (thread_group_leader(child))
		altpid_make_body(child);
	send_sig(SIGKILL, child, 1);
}

int altpid_native_nr(struct pid *pid)
{
	return pid_nr(pid);
}

bool altpid_is_last_reference(struct pid *pid)
{
	return refcount_read(&pid->count) == 1;
}

/* What a process does about SIGCHLD. */
int altpid_sigchld(struct pid *pid)
{
	struct sighand_struct *sighand;
	struct task_struct *task;
	int what = 0;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	sighand = task ? rcu_dereference(task->sighand) : NULL;
	if (sighand) {
		struct k_sigaction *ka = &sighand->action[SIGCHLD - 1];
		unsigned long flags = READ_ONCE(ka->sa.sa_flags);

		if (READ_ONCE(ka->sa.sa_handler) == SIG_IGN)
			what |= ALTPID_CHLD_IGNORED;
		if (flags & SA_NOCLDWAIT)
			what |= ALTPID_CHLD_NO_WAIT;
		if (flags & SA_NOCLDSTOP)
			what |= ALTPID_CHLD_NO_STOP;
	}
	rcu_read_unlock();
	return what;
}

/* Whether a process is a child of another one to the kernel too. */
bool altpid_is_native_child(struct pid *child, struct pid *parent)
{
	struct task_struct *task;
	bool is_child = false;

	rcu_read_lock();
	task = pid_task(child, PIDTYPE_PID);
	if (task)
		is_child = task_tgid(rcu_dereference(task->real_parent)) == parent;
	rcu_read_unlock();
	return is_child;
}

/*
 * The signal that a process is stopped by, 0 if it is not, and -EAGAIN when only
 * some of its threads have stopped so far.
 */
int altpid_stopped_by(struct pid *pid)
{
	struct task_struct *task;
	int by = 0;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	if (task && task->signal) {
		struct signal_struct *signal = task->signal;
		unsigned int flags = READ_ONCE(signal->flags);

		if (flags & SIGNAL_GROUP_EXIT)
			by = 0;
		else if (flags & SIGNAL_STOP_STOPPED)
			by = READ_ONCE(signal->group_exit_code) ?: SIGSTOP;
		else if (READ_ONCE(signal->group_stop_count) > 0)
			by = -EAGAIN;
	}
	rcu_read_unlock();
	return by;
}

/* The native numbers of the calling thread and its process, its own while it is there. */

int altpid_own_tid(void)
{
	return task_pid_nr(current);
}

int altpid_own_tgid(void)
{
	return task_tgid_nr(current);
}
