// SPDX-License-Identifier: GPL-2.0
/*
 * For src/native.rs: robust futexes, which hold altpid's number of the thread.
 *
 * exit_robust_list() in kernel/futex/core.c tells the waiters of a dying thread by the words that
 * hold its number, which is the kernel's then. So the words of its own list are changed
 * before: sched_process_exit comes before exit_mm(), sched_prepare_exec before exec_mmap(). There
 * nothing can be faulted in; a word that is not in memory stays what it is.
 */
#include <linux/futex.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include <asm/futex.h>

#include "../native.h"

#ifdef CONFIG_FUTEX

/* Of a pointer of struct robust_list: that the lock is of another kind. */
#ifndef FUTEX_ROBUST_MOD_MASK
#define FUTEX_ROBUST_MOD_MASK 1UL
#endif

static bool fetch(unsigned long *entry, unsigned long *kind, const void __user *at)
{
	unsigned long word;

	if (copy_from_user_nofault(&word, at, sizeof(word)))
		return false;
	*entry = word & ~FUTEX_ROBUST_MOD_MASK;
	*kind = word & FUTEX_ROBUST_MOD_MASK;
	return true;
}

static void give_native(unsigned long word, u32 nr, u32 native)
{
	u32 __user *uaddr = (u32 __user *)word;
	u32 value, before;
	int tries;

	if (word & 3 || !access_ok(uaddr, sizeof(*uaddr)))
		return;
	pagefault_disable();
	if (!__get_user(value, uaddr))
		/* Others may set FUTEX_WAITERS meanwhile. */
		for (tries = 0; tries < 16 && (value & FUTEX_TID_MASK) == nr; tries++) {
			if (futex_atomic_cmpxchg_inatomic(&before, uaddr, value,
							  (value & ~FUTEX_TID_MASK) | native))
				break;
			if (before == value)
				break;
			value = before;
		}
	pagefault_enable();
}

/*
 * The calling thread, which calls itself @nr, dies or calls exec. The kernel looks for the number
 * that it has behind the exec, and one that does not lead its process takes over another: its
 * words stay what they are, natively as well.
 */
void altpid_give_native_words(u32 nr)
{
	struct robust_list_head __user *head = current->futex.robust_list;
	u32 native = task_pid_nr(current);
	unsigned long entry, kind, pending, pending_kind;
	int limit = ROBUST_LIST_LIMIT;
	long offset;

	if (!(current->flags & PF_EXITING) && !thread_group_leader(current))
		return;
	if (!head || copy_from_user_nofault(&offset, &head->futex_offset, sizeof(offset)) ||
	    !fetch(&pending, &pending_kind, &head->list_op_pending) ||
	    !fetch(&entry, &kind, &head->list.next))
		return;
	if (pending && !pending_kind)
		give_native(pending + offset, nr, native);
	while (entry != (unsigned long)&head->list && limit--) {
		if (entry != pending && !kind)
			give_native(entry + offset, nr, native);
		if (!fetch(&entry, &kind, (void __user *)entry))
			return;
	}
}

#else

void altpid_give_native_words(u32 nr) { }

#endif
