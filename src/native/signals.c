// SPDX-License-Identifier: GPL-2.0
/*
 * For src/native.rs: signals that altpid sends, and what comes along with those of others.
 */
#include <linux/cred.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "../native.h"

/* What altpid sends from this CPU, for the probe of signal_generate to put into the queue. */
struct staged {
	struct pid *pid;
	/* One of altpid's own, or one that a member has queued. */
	const struct altpid_signal *signal;
	const struct kernel_siginfo *queued;
};

static DEFINE_PER_CPU(struct staged, staged);

/*
 * Whether this CPU sends to a task, which is the thread that is asked first. In the exec of
 * another thread that can get the number of its process meanwhile.
 */
static bool is_staged(struct task_struct *task)
{
	struct pid *pid = in_task() ? this_cpu_read(staged.pid) : NULL;

	return pid && (pid == task_pid(task) || pid == task_tgid(task));
}

/*
 * Sends a signal to a process as the kernel does, so that nobody's permission
 * counts. What comes along is put in by altpid_sent(), which the tracepoint calls
 * on this very CPU with the lock of the receiver's signals held.
 */
int altpid_send(struct pid *pid, const struct altpid_signal *signal)
{
	int err;

	preempt_disable();
	this_cpu_write(staged.signal, signal);
	this_cpu_write(staged.queued, NULL);
	this_cpu_write(staged.pid, pid);
	err = kill_pid(pid, signal->signo, 1);
	this_cpu_write(staged.pid, NULL);
	preempt_enable();
	return err;
}

/*
 * The calling thread sends a signal to a process or thread with what comes along, the first
 * sizeof(struct kernel_siginfo) bytes of a siginfo_t. To a process only kill_pid() is to be had,
 * and the rest is put in as above; when it finds no memory for that the signal comes without.
 */
int altpid_queue(struct pid *pid, int sig, const void *given, bool thread)
{
	struct kernel_siginfo info;
	struct task_struct *task;
	int err;

	BUILD_BUG_ON(sizeof(info) != 48);
	memcpy(&info, given, sizeof(info));
	info.si_signo = sig;
	if (!thread) {
		preempt_disable();
		this_cpu_write(staged.signal, NULL);
		this_cpu_write(staged.queued, &info);
		this_cpu_write(staged.pid, pid);
		/* Who says to itself that the kernel sends it is believed: send_signal_locked(). */
		err = kill_pid(pid, sig, info.si_code == SI_KERNEL);
		this_cpu_write(staged.pid, NULL);
		preempt_enable();
		return err;
	}
	err = kill_pid(pid, 0, 0);
	task = get_pid_task(pid, PIDTYPE_PID);
	if (!task)
		return -ESRCH;
	if (!err && sig)
		err = send_sig_info(sig, &info, task);
	put_task_struct(task);
	return err;
}

/* Sends a signal to a thread, as tgkill(2). The caller has asked for permission. */
int altpid_send_thread(struct pid *pid, int sig)
{
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	struct kernel_siginfo info;
	int err;

	if (!task)
		return -ESRCH;
	clear_siginfo(&info);
	info.si_signo = sig;
	info.si_code = SI_TKILL;
	info.si_pid = task_tgid_nr(current);
	info.si_uid = from_kuid_munged(current_user_ns(), current_uid());
	err = sig ? send_sig_info(sig, &info, task) : 0;
	put_task_struct(task);
	return err;
}

/* Whether the siginfo of a SIGCHLD is that of do_notify_parent_cldstop(). */
bool altpid_tells_of_job(const void *info)
{
	const struct kernel_siginfo *given = info;

	/* is_si_special() */
	return given > SEND_SIG_PRIV &&
	       (given->si_code == CLD_STOPPED || given->si_code == CLD_CONTINUED);
}

/*
 * The mark of a member that has a parent-death signal. It stands in the kernel's own field for
 * that, which commit_creds() and begin_new_exec() clear, and is no signal: group_send_sig_info()
 * says EINVAL when the native parent dies.
 */
#define PDEATH_MARK 0x10000

void altpid_mark_pdeath(bool has_one)
{
	BUILD_BUG_ON(PDEATH_MARK <= _NSIG);
	WRITE_ONCE(current->pdeath_signal, has_one ? PDEATH_MARK : 0);
}

bool altpid_has_pdeath_mark(void)
{
	return READ_ONCE(current->pdeath_signal) == PDEATH_MARK;
}

/* Whether a thread has the mark; one that is gone kept it. */
bool altpid_keeps_pdeath_mark(struct pid *pid)
{
	struct task_struct *task;
	bool keeps = true;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	if (task)
		keeps = READ_ONCE(task->pdeath_signal) == PDEATH_MARK;
	rcu_read_unlock();
	return keeps;
}

/*
 * Whether the calling thread has signals to take, also some that another thread of its process was
 * woken for: as copy_process(), it takes them then itself, and its system call can be made again.
 * What was sent before the caller took the tree lock is seen.
 */
bool altpid_has_signals(void)
{
	u64 waiting = READ_ONCE(current->signal->shared_pending.signal.sig[0]) |
		      READ_ONCE(current->pending.signal.sig[0]);
	unsigned long flags;

	if (!signal_pending(current) && waiting & ~current->blocked.sig[0]) {
		spin_lock_irqsave(&current->sighand->siglock, flags);
		recalc_sigpending();
		spin_unlock_irqrestore(&current->sighand->siglock, flags);
	}
	return signal_pending(current);
}

/*
 * The calling thread takes no signal but SIGKILL until it is let go on, so that fork does not fail
 * for one when the task of the child is there already. Returns what it had blocked before.
 */
u64 altpid_hold_signals(void)
{
	sigset_t all, before;

	siginitsetinv(&all, sigmask(SIGKILL));
	sigprocmask(SIG_SETMASK, &all, &before);
	return before.sig[0];
}

void altpid_let_go_on(u64 blocked)
{
	sigset_t set;

	siginitset(&set, blocked);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

/* Likewise a child that has not run yet, which has what its parent had blocked. */
void altpid_let_child_go_on(struct task_struct *child, u64 blocked)
{
	unsigned long flags;

	spin_lock_irqsave(&child->sighand->siglock, flags);
	siginitset(&child->blocked, blocked);
	/* It looks what there is. */
	set_tsk_thread_flag(child, TIF_SIGPENDING);
	spin_unlock_irqrestore(&child->sighand->siglock, flags);
}

/* What a siginfo says of its sender, or of the child that it is about: siginfo_layout(). */
enum naming {
	NAMES_NOBODY,
	/* The kernel has put the number in. */
	NAMED_BY_KERNEL,
	/* The sender has: rt_sigqueueinfo(2). */
	NAMED_BY_SENDER,
};

static enum naming names_somebody(const struct kernel_siginfo *info)
{
	switch (info->si_code) {
	case SI_USER:
	case SI_TKILL:
	case SI_MESGQ:
		return NAMED_BY_KERNEL;
	case SI_TIMER:
	case SI_SIGIO:
		return NAMES_NOBODY;
	case CLD_EXITED:
	case CLD_KILLED:
	case CLD_DUMPED:
	case CLD_TRAPPED:
	case CLD_STOPPED:
	case CLD_CONTINUED:
		return info->si_signo == SIGCHLD ? NAMED_BY_KERNEL : NAMES_NOBODY;
	default:
		return info->si_code < 0 ? NAMED_BY_SENDER : NAMES_NOBODY;
	}
}

/* The signal that was just queued for a task, if it was. */
static struct sigqueue *last_queued(int sig, struct task_struct *task, bool group)
{
	struct sigpending *pending = group ? &task->signal->shared_pending : &task->pending;
	struct sigqueue *q;

	if (sig == SIGKILL || list_empty(&pending->list))
		return NULL;
	q = list_last_entry(&pending->list, struct sigqueue, list);
	return q->info.si_signo == sig ? q : NULL;
}

/*
 * The kernel's number of whom a SIGCHLD of the kernel's is about that was queued for a member, 0
 * if it is none: a tracee, or a child that has stopped. Its lock of signals is held.
 */
int altpid_child_of_signal(int sig, struct task_struct *task, bool group)
{
	struct sigqueue *q = sig == SIGCHLD ? last_queued(sig, task, group) : NULL;

	return q && q->info.si_code > 0 && names_somebody(&q->info) == NAMED_BY_KERNEL ?
	       q->info.si_pid : 0;
}

/*
 * A signal was queued for a member, whose lock of signals is held: if altpid sends
 * it what comes along is put in; otherwise @nr, which is what the receiver calls
 * the calling process, takes the place of a native number. So it is right wherever
 * it is taken: by a handler, sigtimedwait(2), or a signalfd.
 */
void altpid_sent(int sig, struct task_struct *task, bool group, int nr)
{
	struct sigqueue *q = last_queued(sig, task, group);
	const struct altpid_signal *signal = NULL;
	bool staging;

	if (!q)
		return;
	staging = is_staged(task);
	if (staging)
		signal = this_cpu_read(staged.signal);
	if (staging && this_cpu_read(staged.queued) && q->info.si_code == SI_USER)
		copy_siginfo(&q->info, this_cpu_read(staged.queued));
	if (!signal || signal->signo != sig || q->info.si_code != SI_KERNEL) {
		/* What a member says of itself is a number of altpid's. */
		switch (names_somebody(&q->info)) {
		case NAMED_BY_SENDER:
			if (nr)
				break;
			fallthrough;
		case NAMED_BY_KERNEL:
			/* ptrace_signal() has put it back, which has been here. */
			if (task == current && current->ptrace && q->info.si_code <= 0 &&
			    q->info.si_pid != task_tgid_nr(current))
				break;
			q->info.si_pid = nr;
			break;
		case NAMES_NOBODY:
			break;
		}
		return;
	}
	if (signal->code == SI_KERNEL)
		return;
	q->info.si_code = signal->code;
	q->info.si_pid = signal->pid;
	rcu_read_lock();
	q->info.si_uid = from_kuid_munged(task_cred_xxx(task, user_ns),
					  make_kuid(&init_user_ns, signal->uid));
	rcu_read_unlock();
	if (sig == SIGCHLD || signal->code > 0)
		q->info.si_status = signal->status;
}

/*
 * Whether a signal for a member was ignored because its process is an init, and not because that
 * dies already, or because it was sent once more for that. The lock of its signals is held.
 */
bool altpid_is_immune(struct task_struct *task)
{
	unsigned int flags = task->signal->flags;

	if (is_staged(task) && this_cpu_read(staged.signal))
		return false;
	return flags & SIGNAL_UNKILLABLE && !(flags & SIGNAL_GROUP_EXIT) &&
	       !(task->flags & PF_EXITING);
}
