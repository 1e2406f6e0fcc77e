// SPDX-License-Identifier: GPL-2.0
/*
 * For src/native/usage.rs: what processes have used, which goes from a child to
 * the parent that waits for it.
 */
#include <linux/rcupdate.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/seqlock.h>
#include <linux/task_io_accounting_ops.h>

#include "../native.h"

/* Of a thread, as accumulate_thread_rusage() and thread_group_cputime_adjusted(). */
static void add_thread(struct altpid_usage *usage, struct task_struct *thread)
{
	u64 utime, stime;

	task_cputime_adjusted(thread, &utime, &stime);
	usage->utime += utime;
	usage->stime += stime;
	usage->min_flt += thread->min_flt;
	usage->maj_flt += thread->maj_flt;
	usage->inblock += task_io_get_inblock(thread);
	usage->oublock += task_io_get_oublock(thread);
	usage->nvcsw += thread->nvcsw;
	usage->nivcsw += thread->nivcsw;
}

/*
 * What the calling process, whose last thread exits, and the children that it has waited for have
 * used: getrusage() with RUSAGE_BOTH. The threads that are gone are counted as their ticks say.
 */
void altpid_own_usage(struct altpid_usage *usage)
{
	struct signal_struct *sig = current->signal;
	struct task_struct *thread;
	unsigned long flags;
	int seq = 0;

retry:
	flags = read_seqbegin_or_lock_irqsave(&sig->stats_lock, &seq);
	*usage = (struct altpid_usage){
		.utime = sig->utime + sig->cutime,
		.stime = sig->stime + sig->cstime,
		.min_flt = sig->min_flt + sig->cmin_flt,
		.maj_flt = sig->maj_flt + sig->cmaj_flt,
		.inblock = sig->inblock + sig->cinblock,
		.oublock = sig->oublock + sig->coublock,
		.nvcsw = sig->nvcsw + sig->cnvcsw,
		.nivcsw = sig->nivcsw + sig->cnivcsw,
		.maxrss = max(sig->maxrss, sig->cmaxrss),
	};
	rcu_read_lock();
	__for_each_thread(sig, thread)
		add_thread(usage, thread);
	rcu_read_unlock();
	if (need_seqretry(&sig->stats_lock, seq)) {
		seq = 1;
		goto retry;
	}
	done_seqretry_irqrestore(&sig->stats_lock, seq, flags);
}

/* The calling process has waited for a child that has used this (wait_task_zombie()). */
void altpid_add_usage(const struct altpid_usage *usage)
{
	struct signal_struct *sig = current->signal;

	write_seqlock_irq(&sig->stats_lock);
	sig->cutime += usage->utime;
	sig->cstime += usage->stime;
	sig->cmin_flt += usage->min_flt;
	sig->cmaj_flt += usage->maj_flt;
	sig->cinblock += usage->inblock;
	sig->coublock += usage->oublock;
	sig->cnvcsw += usage->nvcsw;
	sig->cnivcsw += usage->nivcsw;
	sig->cmaxrss = max_t(unsigned long, sig->cmaxrss, usage->maxrss);
	write_sequnlock_irq(&sig->stats_lock);
}
