/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * altpid: an alternative pid subsystem, the interface of /dev/altpid.
 *
 * Each open of /dev/altpid is one *world*: an initial pid namespace at level 0
 * with its init (pid 1), and every task and namespace made below. The world
 * ends with the last reference to the open file. Errors of open(2): ENFILE when
 * there are as many worlds as there may be (max_worlds of the module), and
 * ENOMEM. Before it comes here open(2) itself may refuse, as it does for every
 * device node: for a lack of permission, of descriptors or of the device.
 *
 * Tasks and namespaces are named by 64-bit ids that are never reused in a
 * world; pids are what tasks look like from a namespace. 0 is never an id. A
 * pidfd (&struct altpid_pidfd_open) is named likewise; it is a handle on a task
 * that stays when the task is gone.
 *
 * Every command takes a pointer to its struct. The first member of each struct
 * is its size as the caller knows it. The rules are those of
 * copy_struct_from_user(): a shorter struct is extended with zeroes, a longer
 * one is taken when what the module does not know is zero and refused with
 * E2BIG otherwise. On return the results are written, as much of them as both
 * sides know.
 *
 * Errors of every command: ENOTTY for an unknown command, EFAULT for memory
 * that cannot be read or written, EINVAL for a size below the first published
 * one, for an unknown flag and for a reserved member that is not zero, E2BIG
 * as above, ESRCH for a task id, ENOENT for a namespace id and EBADF for a pidfd
 * that names nothing (any more), EBUSY for a task that is to do something and is
 * stopped by a signal, or asleep in a call (see below), EINTR, ENOMEM.
 * A command that fails changes nothing in the world; the two exceptions are
 * written down where they are (&ALTPID_IOC_TRANSLATE and &ALTPID_IOC_LIST deliver a
 * prefix, and a result that cannot be written back for EFAULT does not undo what
 * was done).
 *
 * A task is in one system call at a time, as a thread is. A command by which it
 * does something waits while the task is at work in another one, with EINTR when
 * a signal for the caller ends that; it fails with EBUSY while the task is asleep
 * in wait4(2), waitid(2) or sigtimedwait(2), or in a clone with CLONE_VFORK whose
 * child has neither exited nor called exec. Signals for a task that is at work in
 * a call are taken when that is over, but for those that kill it.
 */
#ifndef _UAPI_ALTPID_H
#define _UAPI_ALTPID_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Where the device node is. */
#define ALTPID_DEVICE		"/dev/altpid"

/* The ioctl type. */
#define ALTPID_IOC_TYPE		0xB9

/* MAX_PID_NS_LEVEL + 1: the levels a task can have a number at. */
#define ALTPID_LEVELS		33

/* TASK_COMM_LEN: a name with its terminating NUL. */
#define ALTPID_COMM_LEN		16

/**
 * struct altpid_world - ALTPID_IOC_WORLD: what the world is and holds
 * @size: sizeof(struct altpid_world)
 * @flags: reserved, 0
 * @root_ns: out: id of the initial namespace (level 0)
 * @init: out: id of the world's init: of who is pid 1 of @root_ns. It is another
 *	one after an exec by another thread of init
 * @tasks: out: tasks (threads), zombies among them
 * @zombies: out: tasks that have exited and are not reaped yet
 * @namespaces: out: pid namespaces, dead ones that something still holds
 *	among them
 * @pids: out: numbers' identities (struct pid in the kernel) that exist in the
 *	whole module, numbers handed out or kept by a handle
 * @worlds: out: worlds open in the whole module
 * @max_tasks: out: the most tasks this world may hold; a clone beyond it is
 *	EAGAIN
 * @max_namespaces: out: the most namespaces this world may hold; one more is
 *	ENOSPC
 * @pidfds: out: pidfds that are open
 * @max_pidfds: out: the most that may be open; one more is EMFILE
 */
struct altpid_world {
	__u32 size;
	__u32 flags;
	__u64 root_ns;
	__u64 init;
	__u64 tasks;
	__u64 zombies;
	__u64 namespaces;
	__u64 pids;
	__u64 worlds;
	__u64 max_tasks;
	__u64 max_namespaces;
	__u64 pidfds;
	__u64 max_pidfds;
};

/* In &struct altpid_clone.parent: the parent is outside the world. */
#define ALTPID_OUTSIDE		(~0ULL)

/**
 * struct altpid_clone - ALTPID_IOC_CLONE: clone3(2) done by a task
 * @size: sizeof(struct altpid_clone)
 * @exit_signal: as in struct clone_args, 0 to 64
 * @task: the task that clones
 * @flags: CLONE_* as in struct clone_args. Flags about resources that a virtual
 *	task does not have (files, memory, namespaces other than pid) are
 *	checked against each other as clone3 does, and otherwise of no effect
 * @set_tid: pointer to @set_tid_size numbers (__s32), the most nested
 *	namespace first; 0 when @set_tid_size is 0
 * @set_tid_size: numbers at @set_tid, at most the levels of the namespace the
 *	child is born into
 * @parent: 0: the parent is whom clone3 would take. Otherwise a task id: the
 *	child is born to this task instead, as CLONE_PARENT does with the
 *	caller's parent, or ALTPID_OUTSIDE: it has no parent in this world
 *	(getppid() is 0, nobody waits for it, it vanishes when it exits), as a
 *	kernel thread or a process injected from outside has none. For a
 *	restorer. Not together with CLONE_PARENT or CLONE_THREAD
 * @child: out: id of the new task
 * @pid: out: its number in the active namespace of @task, what clone3 returns
 * @reserved: 0
 * @pidfd: out: with CLONE_PIDFD a pidfd for the child, a thread's with
 *	CLONE_THREAD; else 0. With CLONE_PIDFD_AUTOKILL its closing kills the child.
 *	A caller whose struct ends before this member gets none, and both flags are
 *	of no effect then
 *
 * Mirrors kernel_clone(), copy_process() and alloc_pid(). Everybody in a world is
 * privileged, so that CLONE_PIDFD_AUTOKILL does not need CLONE_NNP. With
 * CLONE_SIGHAND and without CLONE_THREAD the two processes have the dispositions
 * of signals in common, until one of them calls exec. Errors, in the order
 * they are looked for: EINVAL for @set_tid_size above 32 or not matching
 * @set_tid, for a bad @exit_signal and for flags that exclude each other; EFAULT
 * for @set_tid; ESRCH for @task or @parent gone or exited; EINVAL for flags that
 * this task may not use (CLONE_PARENT by an init, CLONE_NEWPID or CLONE_THREAD
 * after unshare) and for a @parent that could not be one: not in the child's
 * namespace nor in one above it; EAGAIN for a task beyond the world's limit;
 * ENOSPC for a namespace beyond level 32 or beyond the world's limit; and from
 * alloc_pid(): EINVAL for more numbers than levels, a number out of range, or a
 * first process that would not be pid 1; EEXIST for a number in use;
 * EAGAIN when a namespace is full; ENOMEM for memory and for a namespace whose
 * init has exited; and EMFILE for a pidfd beyond the world's limit.
 */
struct altpid_clone {
	__u32 size;
	__s32 exit_signal;
	__u64 task;
	__u64 flags;
	__u64 set_tid;
	__u64 set_tid_size;
	__u64 parent;
	__u64 child;
	__s32 pid;
	__u32 reserved;
	__u64 pidfd;
};

/**
 * struct altpid_unshare - ALTPID_IOC_UNSHARE: unshare(2) done by a task
 * @size: sizeof(struct altpid_unshare)
 * @reserved: 0
 * @task: the task
 * @flags: CLONE_NEWPID, or 0
 * @ns: out: id of the new namespace, 0 if none was asked for
 *
 * The task stays where it is; its next child is init of the new namespace.
 * Mirrors ksys_unshare() and copy_pid_ns(). Errors: EINVAL for other flags, alone or
 * together with CLONE_NEWPID (those that unshare(2) knows are about resources that a
 * virtual task has not, or about threads and dispositions, which it never takes apart:
 * ALTPID_REASON_NOT_VIRTUAL; all others ALTPID_REASON_FLAGS), and when the task's
 * children already go to another namespace; ENOSPC beyond level 32 or the world's
 * limit.
 */
struct altpid_unshare {
	__u32 size;
	__u32 reserved;
	__u64 task;
	__u64 flags;
	__u64 ns;
};

/**
 * struct altpid_setns - ALTPID_IOC_SETNS: setns(2) done by a task
 * @size: sizeof(struct altpid_setns)
 * @reserved: 0
 * @task: the task
 * @ns: the namespace its children shall be born into: its own active one or
 *	one below that; 0 with @pidfd
 * @pidfd: instead of @ns: the active namespace of this pidfd's task; else 0
 * @flags: CLONE_NEWPID; for @ns also 0
 *
 * Mirrors pidns_install() and validate_nsset(). Errors: EINVAL for any other
 * namespace and for other @flags; ESRCH for a pidfd whose task has exited.
 * Joining a dead namespace works; the clone that follows is ENOMEM.
 */
struct altpid_setns {
	__u32 size;
	__u32 reserved;
	__u64 task;
	__u64 ns;
	__u64 pidfd;
	__u64 flags;
};

/* In &struct altpid_exit.flags: exit_group(2), not exit(2). */
#define ALTPID_EXIT_GROUP	0x1

/**
 * struct altpid_exit - ALTPID_IOC_EXIT: exit(2) or exit_group(2) of a task
 * @size: sizeof(struct altpid_exit)
 * @flags: ALTPID_EXIT_GROUP or 0
 * @task: the task
 * @code: the exit code; the low 8 bits count
 * @reserved: 0
 *
 * Mirrors do_exit(), exit_notify() and zap_pid_ns_processes(). The world's init
 * cannot exit: EBUSY (a kernel whose init exits panics).
 */
struct altpid_exit {
	__u32 size;
	__u32 flags;
	__u64 task;
	__s32 code;
	__u32 reserved;
};

/**
 * struct altpid_wait - ALTPID_IOC_WAIT: wait4(2) done by a task
 * @size: sizeof(struct altpid_wait)
 * @options: WNOHANG, WUNTRACED, WCONTINUED, __WNOTHREAD, __WCLONE, __WALL
 * @task: the task that waits
 * @pid: as wait4 has it, as seen by @task: > 0 a child, 0 the caller's process
 *	group, -1 any child, < -1 a process group
 * @status: out: the status word
 * @child: out: id that the reaped task had, 0 for none
 * @result: out: what wait4 returns: the child's number in the active namespace
 *	of @task, or 0 with WNOHANG when no child has changed state
 * @reserved: 0
 *
 * Mirrors kernel_wait4() and do_wait(). Without WNOHANG the call sleeps until
 * there is a child to report; a signal to the caller of the ioctl ends it
 * with EINTR and nothing is lost. Errors: EINVAL for unknown options; ECHILD
 * when no child could ever match; ESRCH for INT_MIN as @pid, and when @task
 * itself ends meanwhile.
 */
struct altpid_wait {
	__u32 size;
	__u32 options;
	__u64 task;
	__s32 pid;
	__s32 status;
	__u64 child;
	__s32 result;
	__u32 reserved;
};

/**
 * struct altpid_waitid - ALTPID_IOC_WAITID: waitid(2) done by a task
 * @size: sizeof(struct altpid_waitid)
 * @options: WNOHANG, WNOWAIT, WEXITED, WSTOPPED, WCONTINUED, __WNOTHREAD,
 *	__WCLONE, __WALL
 * @task: the task that waits
 * @which: P_ALL, P_PID, P_PGID or P_PIDFD
 * @id: which, as seen by @task; with P_PGID 0 for the caller's process group;
 *	0 with P_PIDFD
 * @child: out: id of the child that is reported, 0 for none
 * @pid: out: its number in the active namespace of @task
 * @code: out: CLD_EXITED, CLD_KILLED, CLD_STOPPED or CLD_CONTINUED
 * @status: out: the exit code or the signal
 * @reserved: 0
 * @pidfd: with P_PIDFD: which; else 0
 *
 * Mirrors kernel_waitid(). Sleeps as &ALTPID_IOC_WAIT does. Errors: EINVAL for
 * unknown options, none of WEXITED, WSTOPPED and WCONTINUED, another @which and
 * an @id out of range; ECHILD, also for a pidfd of who is no child; EAGAIN where
 * it would sleep for a pidfd with ALTPID_PIDFD_NONBLOCK; EINTR; ESRCH when @task
 * itself ends meanwhile.
 */
struct altpid_waitid {
	__u32 size;
	__u32 options;
	__u64 task;
	__u32 which;
	__s32 id;
	__u64 child;
	__s32 pid;
	__s32 code;
	__s32 status;
	__u32 reserved;
	__u64 pidfd;
};

/* &struct altpid_kill.how */
#define ALTPID_KILL_PID		0	/* kill(2) */
#define ALTPID_KILL_THREAD	1	/* tgkill(2) */
#define ALTPID_KILL_QUEUE	2	/* rt_sigqueueinfo(2) */
#define ALTPID_KILL_TASK	3	/* pidfd_send_signal(2), to a task by its id */
#define ALTPID_KILL_OUTSIDE	4	/* by a process outside of the world */
#define ALTPID_KILL_KERNEL	5	/* by the kernel (SEND_SIG_PRIV) */
#define ALTPID_KILL_FAULT	6	/* by a fault of its own (force_sig_info()) */
#define ALTPID_KILL_PIDFD	7	/* pidfd_send_signal(2) */
#define ALTPID_KILL_TKILL	8	/* tkill(2) */
#define ALTPID_KILL_QUEUE_THREAD 9	/* rt_tgsigqueueinfo(2) */

/*
 * &struct altpid_kill.flags: to whom a signal by a pidfd goes, not as it says,
 * and whether a siginfo is given.
 */
#define ALTPID_SIGNAL_THREAD		0x1	/* PIDFD_SIGNAL_THREAD */
#define ALTPID_SIGNAL_THREAD_GROUP	0x2	/* PIDFD_SIGNAL_THREAD_GROUP */
#define ALTPID_SIGNAL_PROCESS_GROUP	0x4	/* PIDFD_SIGNAL_PROCESS_GROUP */
#define ALTPID_SIGNAL_INFO		0x8	/* @code, @value and @signo are given */

/**
 * struct altpid_kill - ALTPID_IOC_KILL: a signal
 * @size: sizeof(struct altpid_kill)
 * @how: ALTPID_KILL_*
 * @task: the task that sends it; 0 for ALTPID_KILL_OUTSIDE, KERNEL and FAULT
 * @target: for ALTPID_KILL_TASK, OUTSIDE, KERNEL and FAULT: the task it is for;
 *	for ALTPID_KILL_PIDFD the pidfd; else 0
 * @pid: whom it is for, as seen by @task. For ALTPID_KILL_PID as kill(2) has
 *	it: 0 for the caller's process group, -1 for everybody with a number
 *	above 1 but the caller's process, < -1 for a process group. For
 *	ALTPID_KILL_QUEUE a process; for ALTPID_KILL_THREAD, TKILL and
 *	QUEUE_THREAD the tid; else 0
 * @tgid: for ALTPID_KILL_THREAD and QUEUE_THREAD the tgid; else 0
 * @sig: the signal; 0 only asks
 * @code: for ALTPID_KILL_QUEUE and QUEUE_THREAD the si_code; likewise for
 *	ALTPID_KILL_PIDFD with ALTPID_SIGNAL_INFO. Without that one other than 0
 *	is as good as ALTPID_SIGNAL_INFO with @sig as @signo, and 0 is no siginfo.
 *	Else 0
 * @value: with an si_code the si_value; else 0
 * @flags: for ALTPID_KILL_PIDFD 0 or one of ALTPID_SIGNAL_*, with or without
 *	ALTPID_SIGNAL_INFO; else 0. Without one of the others it goes to the process,
 *	and with ALTPID_PIDFD_THREAD to the thread; ALTPID_SIGNAL_PROCESS_GROUP is
 *	for the process group that has the number of the pidfd
 * @signo: with ALTPID_SIGNAL_INFO the si_signo; else 0
 *
 * What it does is done on return: a task takes at once what it does not block,
 * and a handler is counted as called (&struct altpid_signals). Everybody in a
 * world is the same user, so nobody lacks the permission.
 *
 * Mirrors kill_something_info(), do_tkill(), do_rt_sigqueueinfo(),
 * do_rt_tgsigqueueinfo(), do_pidfd_send_signal() and send_signal_locked(), with the
 * immunity of a namespace's init. One deliberate difference: a signal that init would not get
 * never kills it by way of a second thread. Errors: ESRCH for whom there is not
 * (any more); EINVAL for a signal above 64, a @pid or @tgid that is not positive
 * for ALTPID_KILL_THREAD, TKILL and QUEUE_THREAD, a target that the sender cannot
 * see, an @signo that is not @sig, and another @how; EPERM for an @code of the
 * kernel's (not negative, or SI_TKILL) to another process, to another thread for
 * ALTPID_KILL_QUEUE_THREAD and to a process group; EAGAIN when too many real-time
 * signals wait; EBUSY for a fault of the world's init.
 */
struct altpid_kill {
	__u32 size;
	__u32 how;
	__u64 task;
	__u64 target;
	__s32 pid;
	__s32 tgid;
	__s32 sig;
	__s32 code;
	__u64 value;
	__u32 flags;
	__s32 signo;
};

/* &struct altpid_sigaction.handler */
#define ALTPID_SIG_DFL		0	/* the default */
#define ALTPID_SIG_IGN		1	/* ignored */
#define ALTPID_SIG_HANDLER	2	/* calls a handler */
#define ALTPID_SIG_KEEP		3	/* no change */

/* &struct altpid_sigaction.flags, with the values of sigaction(2) */
#define ALTPID_SA_NOCLDSTOP	0x1	/* of SIGCHLD: not for children that stop or continue */
#define ALTPID_SA_NOCLDWAIT	0x2	/* of SIGCHLD: children do not become zombies */
#define ALTPID_SA_RESTART	0x10000000	/* a wait goes on after the handler */
#define ALTPID_SA_NODEFER	0x40000000	/* not blocked while the handler runs */
#define ALTPID_SA_RESETHAND	0x80000000	/* the default again when the handler is called */

/**
 * struct altpid_sigaction - ALTPID_IOC_SIGACTION: sigaction(2) done by a task
 * @size: sizeof(struct altpid_sigaction)
 * @sig: the signal
 * @task: the task, whose process it is for
 * @handler: ALTPID_SIG_*; out: what it was before
 * @flags: ALTPID_SA_*, not looked at with ALTPID_SIG_KEEP; out: what they were
 *	before
 * @mask: signals that are blocked while the handler runs, bit 0 being signal 1,
 *	not looked at with ALTPID_SIG_KEEP; out: what it was before. SIGKILL and
 *	SIGSTOP are never in it
 *
 * A handler of a virtual task has returned at once, so that ALTPID_SA_NODEFER and
 * @mask are given back and make no difference. Of ALTPID_SA_RESTART it is
 * &ALTPID_IOC_WAIT and &ALTPID_IOC_WAITID that see something: they sleep on, if the
 * first handler that is called meanwhile has it. A fork has a copy of all of it; an
 * exec leaves of it which signals are ignored. Mirrors do_sigaction() and
 * get_signal(). Errors: EINVAL for a signal that there is not, and a change of
 * SIGKILL or SIGSTOP; ENOMEM.
 */
struct altpid_sigaction {
	__u32 size;
	__s32 sig;
	__u64 task;
	__u32 handler;
	__u32 flags;
	__u64 mask;
};

/* &struct altpid_sigprocmask.how */
#define ALTPID_SIG_BLOCK	0	/* SIG_BLOCK */
#define ALTPID_SIG_UNBLOCK	1	/* SIG_UNBLOCK */
#define ALTPID_SIG_SETMASK	2	/* SIG_SETMASK */

/**
 * struct altpid_sigprocmask - ALTPID_IOC_SIGPROCMASK: sigprocmask(2) done by a
 *	task
 * @size: sizeof(struct altpid_sigprocmask)
 * @how: ALTPID_SIG_BLOCK, ALTPID_SIG_UNBLOCK or ALTPID_SIG_SETMASK
 * @task: the task
 * @set: signals, bit 0 being signal 1; out: what it blocked before. SIGKILL and
 *	SIGSTOP are never blocked
 *
 * Mirrors sigprocmask(). The task takes at once what it no longer blocks.
 * Errors: EINVAL for another @how.
 */
struct altpid_sigprocmask {
	__u32 size;
	__u32 how;
	__u64 task;
	__u64 set;
};

/**
 * struct altpid_sigpending - ALTPID_IOC_SIGPENDING: sigpending(2) done by a task
 * @size: sizeof(struct altpid_sigpending)
 * @reserved: 0
 * @task: the task
 * @set: out: signals that it blocks and that wait for it or for its process,
 *	bit 0 being signal 1
 *
 * Mirrors do_sigpending(). What waits and is not blocked is not in it, natively
 * neither; only of who is stopped there is such.
 */
struct altpid_sigpending {
	__u32 size;
	__u32 reserved;
	__u64 task;
	__u64 set;
};

/**
 * struct altpid_siginfo - what comes with a signal (siginfo_t)
 * @signo: the signal
 * @code: SI_USER, SI_KERNEL, ..., CLD_EXITED, ...
 * @pid: the sender's number as the receiver sees it, 0 for who is not visible
 * @status: of SIGCHLD: the exit code, or the signal
 * @value: of ALTPID_KILL_QUEUE: what was given along
 */
struct altpid_siginfo {
	__s32 signo;
	__s32 code;
	__s32 pid;
	__s32 status;
	__u64 value;
};

/**
 * struct altpid_sigwait - ALTPID_IOC_SIGWAIT: sigtimedwait(2) done by a task
 * @size: sizeof(struct altpid_sigwait)
 * @reserved: 0
 * @task: the task
 * @set: the signals to take one of, bit 0 being signal 1
 * @info: out: the signal, and what came with it
 * @timeout: how long to sleep until there is one, in nanoseconds (rounded up to
 *	ticks of the kernel); 0 not at all, all ones for as long as it takes
 *
 * Mirrors do_sigtimedwait(). Errors: EAGAIN when none of them waits, in that time;
 * EINTR when another signal that the task takes, or one for the caller, ends the
 * sleep; ENOMEM.
 */
struct altpid_sigwait {
	__u32 size;
	__u32 reserved;
	__u64 task;
	__u64 set;
	struct altpid_siginfo info;
	__u64 timeout;
};

/**
 * struct altpid_exec - ALTPID_IOC_EXEC: execve(2) done by a task
 * @size: sizeof(struct altpid_exec)
 * @reserved: 0
 * @task: the task; every other thread of its process ends, and it takes the
 *	numbers of the process at every level. Its id stays
 * @comm: the program's name, as in &struct altpid_set_name
 *
 * Mirrors begin_new_exec() and de_thread(). Errors: EAGAIN when the process is
 * killed meanwhile.
 */
struct altpid_exec {
	__u32 size;
	__u32 reserved;
	__u64 task;
	__u8 comm[ALTPID_COMM_LEN];
};

/*
 * &struct altpid_prctl.option, as in prctl(2). PR_SET_NAME and PR_GET_NAME, which
 * take a string, are commands of their own: &ALTPID_IOC_SET_NAME and
 * &ALTPID_IOC_GET_NAME.
 */
#define ALTPID_PR_SET_PDEATHSIG		1
#define ALTPID_PR_GET_PDEATHSIG		2
#define ALTPID_PR_SET_CHILD_SUBREAPER	36
#define ALTPID_PR_GET_CHILD_SUBREAPER	37

/**
 * struct altpid_prctl - ALTPID_IOC_PRCTL: prctl(2) done by a task
 * @size: sizeof(struct altpid_prctl)
 * @option: ALTPID_PR_*
 * @task: the task
 * @value: what to set; out: what was asked for
 *
 * The parent-death signal is the thread's and is sent when the thread that is
 * its parent ends; a fork does not inherit it. A child subreaper gets the orphans
 * among the descendants of its process, as far as they are at its level. Errors:
 * EINVAL for another @option and for a signal that there is not.
 */
struct altpid_prctl {
	__u32 size;
	__u32 option;
	__u64 task;
	__u64 value;
};

/**
 * struct altpid_reboot - ALTPID_IOC_REBOOT: reboot(2) done by a task inside of a
 *	namespace
 * @size: sizeof(struct altpid_reboot)
 * @cmd: LINUX_REBOOT_CMD_RESTART or RESTART2: init is killed, and its parent
 *	sees SIGHUP as the cause. HALT or POWER_OFF: SIGINT
 * @task: the task, which exits
 *
 * Mirrors reboot_pid_ns(). Errors: EINVAL for another @cmd, before anything else
 * is looked at (at level 0 too, where reboot(2) also knows commands about
 * ctrl-alt-del, kexec and hibernation, which a world does not have); EBUSY at
 * level 0, where a kernel would go down.
 */
struct altpid_reboot {
	__u32 size;
	__u32 cmd;
	__u64 task;
};

/**
 * struct altpid_setsid - ALTPID_IOC_SETSID: setsid(2) done by a task
 * @size: sizeof(struct altpid_setsid)
 * @sid: out: the new session's number in the task's active namespace
 * @task: the task
 *
 * Mirrors ksys_setsid(). Errors: EPERM for a session leader and when a process
 * group with the task's own number exists.
 */
struct altpid_setsid {
	__u32 size;
	__s32 sid;
	__u64 task;
};

/**
 * struct altpid_setpgid - ALTPID_IOC_SETPGID: setpgid(2) done by a task
 * @size: sizeof(struct altpid_setpgid)
 * @pid: whose group, as seen by @task; 0 for its own
 * @task: the task
 * @pgid: the group, as seen by @task; 0 for the number of @pid
 * @reserved: 0
 *
 * Mirrors setpgid(). Errors: EINVAL for a negative @pgid and for a thread that
 * does not lead its group; ESRCH for a @pid that is neither the caller nor a
 * child; EACCES for a child that has called exec; EPERM for another session, a
 * session leader, and a group that is not in the session.
 */
struct altpid_setpgid {
	__u32 size;
	__s32 pid;
	__u64 task;
	__s32 pgid;
	__u32 reserved;
};

/**
 * struct altpid_set_name - ALTPID_IOC_SET_NAME: prctl(PR_SET_NAME) by a task
 * @size: sizeof(struct altpid_set_name)
 * @reserved: 0
 * @task: the task
 * @comm: the name; what is behind the first NUL or the 15th byte is dropped
 *
 * The name is the thread's. A clone inherits it, an exec gives another one.
 * Mirrors __set_task_comm(), by which prctl(2) with PR_SET_NAME sets it.
 */
struct altpid_set_name {
	__u32 size;
	__u32 reserved;
	__u64 task;
	__u8 comm[ALTPID_COMM_LEN];
};

/**
 * struct altpid_get_name - ALTPID_IOC_GET_NAME: prctl(PR_GET_NAME) by a task
 * @size: sizeof(struct altpid_get_name)
 * @reserved: 0
 * @task: the task
 * @comm: out: its name as &ALTPID_IOC_SET_NAME, an exec or the clone has set it,
 *	filled with NULs
 *
 * Mirrors get_task_comm(). What &struct altpid_task tells of a task somebody asks
 * from outside; this the task asks itself, so that it must be alive.
 */
struct altpid_get_name {
	__u32 size;
	__u32 reserved;
	__u64 task;
	__u8 comm[ALTPID_COMM_LEN];
};

/* &struct altpid_getid.what */
#define ALTPID_GETPID	0	/* getpid(2) */
#define ALTPID_GETTID	1	/* gettid(2) */
#define ALTPID_GETPPID	2	/* getppid(2) */
#define ALTPID_GETPGID	3	/* getpgid(2) */
#define ALTPID_GETSID	4	/* getsid(2) */

/**
 * struct altpid_getid - ALTPID_IOC_GETID: getpid(2), gettid(2), getppid(2),
 *	getpgid(2) or getsid(2) done by a task
 * @size: sizeof(struct altpid_getid)
 * @what: ALTPID_GETPID, ALTPID_GETTID, ALTPID_GETPPID, ALTPID_GETPGID or
 *	ALTPID_GETSID
 * @task: the task
 * @pid: for ALTPID_GETPGID and ALTPID_GETSID whose, as seen by @task, be it a
 *	thread's number or a zombie's; 0 for its own. Else 0
 * @result: out: the number in the active namespace of @task; 0 for a parent, a
 *	process group or a session without one there
 *
 * Mirrors do_getpgid() and its neighbours. Errors: ESRCH for a @pid that no task
 * has; EINVAL for another @what, and for a @pid where there is none to give.
 */
struct altpid_getid {
	__u32 size;
	__u32 what;
	__u64 task;
	__s32 pid;
	__s32 result;
};

/* &struct altpid_pidfd_open.flags, with the values that pidfd_open(2) has */
#define ALTPID_PIDFD_THREAD	0x80	/* for a thread */
#define ALTPID_PIDFD_NONBLOCK	0x800	/* waitid(2) does not sleep */

/**
 * struct altpid_pidfd_open - ALTPID_IOC_PIDFD_OPEN: pidfd_open(2) done by a task
 * @size: sizeof(struct altpid_pidfd_open)
 * @flags: ALTPID_PIDFD_THREAD, ALTPID_PIDFD_NONBLOCK
 * @task: the task; 0 for somebody outside of the world, who says @target
 * @target: for @task 0: the task it is for; else 0
 * @pid: whom it is for, as seen by @task; 0 for @task 0
 * @reserved: 0
 * @pidfd: out: the pidfd
 *
 * A pidfd stays until it is closed or the world ends; tasks have no files that
 * would be closed when they exit. It stands for a struct pid: it is never for
 * another process that gets the same number, follows a process whose thread
 * calls exec, and keeps the namespaces of its task, dead ones too. Mirrors
 * pidfd_open() and pidfd_prepare(). Errors: EINVAL for a @pid that is not
 * positive; ESRCH for whom there is not, or is reaped; ENOENT for a thread that
 * does not lead without ALTPID_PIDFD_THREAD; EMFILE for one beyond the world's
 * limit.
 */
struct altpid_pidfd_open {
	__u32 size;
	__u32 flags;
	__u64 task;
	__u64 target;
	__s32 pid;
	__u32 reserved;
	__u64 pidfd;
};

/**
 * struct altpid_pidfd_close - ALTPID_IOC_PIDFD_CLOSE: close(2) of a pidfd
 * @size: sizeof(struct altpid_pidfd_close)
 * @reserved: 0
 * @pidfd: the pidfd
 *
 * The one of a clone with CLONE_PIDFD_AUTOKILL kills its process: by the kernel's
 * hand, so that an init dies of it whoever closes it. Mirrors
 * pidfs_file_release().
 */
struct altpid_pidfd_close {
	__u32 size;
	__u32 reserved;
	__u64 pidfd;
};

/* &struct altpid_pidfd_info.mask, with the values of PIDFD_GET_INFO */
#define ALTPID_PIDFD_INFO_PID	0x1	/* @pid, @tgid and @ppid */
#define ALTPID_PIDFD_INFO_EXIT	0x8	/* @exit_code */

/**
 * struct altpid_pidfd_info - ALTPID_IOC_PIDFD_INFO: PIDFD_GET_INFO, and what else
 *	a pidfd knows
 * @size: sizeof(struct altpid_pidfd_info)
 * @level: out: the level of the task; @nr has @level + 1 entries
 * @pidfd: the pidfd
 * @task: who asks, 0 for somebody outside of the world, who sees everything
 *	from level 0
 * @mask: ALTPID_PIDFD_INFO_*: what is asked for; out: what there is.
 *	ALTPID_PIDFD_INFO_PID as long as the task is not reaped, asked for or not;
 *	ALTPID_PIDFD_INFO_EXIT when that was asked for and it is reaped
 * @target: out: the id of the task, 0 once it is reaped
 * @ns: out: its active namespace (PIDFD_GET_PID_NAMESPACE), 0 once it exits
 * @ns_for_children: out: where its children are born
 *	(PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE), 0 once it exits
 * @pid: out: its number in the namespace of who asks
 * @tgid: out: likewise that of its process
 * @ppid: out: likewise that of its parent, 0 for one that is not visible
 * @exit_code: out: how it ended, as a status word
 * @nr: out: its number at each level, level 0 first; once it is reaped those that
 *	it had, which others may have by now
 * @reserved: 0
 *
 * Mirrors pidfd_info(). Errors: EREMOTE for a task that is not in the namespace
 * of who asks, nor below; ESRCH for one that is reaped, unless
 * ALTPID_PIDFD_INFO_EXIT is asked for.
 */
struct altpid_pidfd_info {
	__u32 size;
	__u32 level;
	__u64 pidfd;
	__u64 task;
	__u64 mask;
	__u64 target;
	__u64 ns;
	__u64 ns_for_children;
	__s32 pid;
	__s32 tgid;
	__s32 ppid;
	__s32 exit_code;
	__s32 nr[ALTPID_LEVELS];
	__u32 reserved;
};

/* In &struct altpid_poll.flags: do not sleep, as with a timeout of 0. */
#define ALTPID_POLL_NOWAIT	0x1

/* &struct altpid_poll.events, with the values of poll(2) */
#define ALTPID_POLL_IN		0x1	/* the process, or the thread, has exited */
#define ALTPID_POLL_HUP		0x10	/* it is reaped; told whether asked for or not */
#define ALTPID_POLL_NVAL	0x20	/* it was closed during the call; likewise */

/**
 * struct altpid_poll - ALTPID_IOC_POLL: poll(2) of a pidfd
 * @size: sizeof(struct altpid_poll)
 * @flags: ALTPID_POLL_NOWAIT or 0
 * @pidfd: the pidfd
 * @events: ALTPID_POLL_IN, or 0 to be told of ALTPID_POLL_HUP only
 * @revents: out: those that have come true, 0 with ALTPID_POLL_NOWAIT for none
 *
 * Without ALTPID_POLL_NOWAIT the call sleeps until there is one. A leader has not
 * exited as long as a thread of its process is left. Mirrors pidfd_poll(). Errors:
 * EINTR; EBADF also when the pidfd is closed meanwhile.
 */
struct altpid_poll {
	__u32 size;
	__u32 flags;
	__u64 pidfd;
	__u32 events;
	__u32 revents;
};

/* &struct altpid_attach.flags */
#define ALTPID_ATTACH_NEW_NS		0x1	/* in a new namespace below @ns */
#define ALTPID_ATTACH_KILL_ON_CLOSE	0x2	/* the last close kills the members */

/**
 * struct altpid_attach - ALTPID_IOC_ATTACH: the caller becomes a task of the world
 * @size: sizeof(struct altpid_attach)
 * @flags: ALTPID_ATTACH_* or 0
 * @parent: a task that is its parent, or 0 or ALTPID_OUTSIDE: it has none in this world.
 *	Process group and session are those of the parent, or of the world's init
 * @ns: the namespace that it is in, or that the new one is below; 0 for that of
 *	level 0
 * @set_tid: pointer to @set_tid_size numbers (__s32) that it shall have, the most
 *	nested namespace first; 0 when @set_tid_size is 0
 * @set_tid_size: how many, at most the levels of the namespace
 * @task: out: id of its task
 * @pid: out: its number in its namespace
 * @reserved: 0
 *
 * From its next system call on the process, a *member*, and all that it starts are
 * tasks of this world: getpid(2), fork(2), wait4(2), kill(2), setsid(2), setpgid(2),
 * unshare(2) with CLONE_NEWPID and their kin are answered here. The kernel runs
 * and signals it, and the host sees it by its native number (@native_tgid of
 * &struct altpid_task), by which root can kill it as any process. A member acts for
 * itself: a command by which a task does something is EBUSY for it. It leaves the
 * world by exiting; its own parent on the host waits for it as before.
 *
 * As long as a world has members, commands by which something happens in it are
 * for the user that has opened it, and who has CAP_SYS_ADMIN; EPERM for others that
 * have got its descriptor.
 *
 * A world lives as long as a descriptor or a member of it. With
 * ALTPID_ATTACH_KILL_ON_CLOSE the last close kills all members.
 *
 * What members cannot do is ENOSYS for them: any system call that names somebody
 * else by a native number and is not translated yet, 32-bit system calls, those
 * that this kernel has and the module does not know, and io_uring. See
 * docs/members.md.
 *
 * Errors, in the order they are looked for: EINVAL for flags and @reserved;
 * EOPNOTSUPP on a kernel with PREEMPT_RT (ALTPID_REASON_NO_BODIES); EALREADY for a member;
 * EPERM without CAP_SYS_ADMIN and no_new_privs; EINVAL for a 32-bit program, a process
 * with other threads, with children or adopting those of others, and one that is in a
 * pid namespace of the kernel's or sends its children there; EPERM for a world that
 * another user has opened, who could kill the caller by it; EFAULT and EINVAL for @set_tid;
 * ENOENT for @ns; ENOSPC for a namespace too many or too deep; those of alloc_pid()
 * as for ALTPID_IOC_CLONE; ESRCH for @parent; EINVAL for a parent that would not see it; EAGAIN
 * for a task beyond the world's limit; ENOMEM for memory and for a namespace whose
 * init has exited; EOPNOTSUPP for a kernel without the tracepoints. Nothing is changed then.
 */
struct altpid_attach {
	__u32 size;
	__u32 flags;
	__u64 parent;
	__u64 ns;
	__u64 set_tid;
	__u64 set_tid_size;
	__u64 task;
	__s32 pid;
	__u32 reserved;
};

/* &struct altpid_task.state */
#define ALTPID_TASK_RUNNING	0	/* alive */
#define ALTPID_TASK_STOPPED	1	/* stopped by a signal */
#define ALTPID_TASK_ZOMBIE	2	/* exited, not reaped yet */
#define ALTPID_TASK_EXITING	3	/* exiting; an init waits for its namespace */

/* &struct altpid_task.flags */
#define ALTPID_TASK_LEADER	0x1	/* leads its thread group */
#define ALTPID_TASK_REAPER	0x2	/* child_reaper of its namespace */
#define ALTPID_TASK_OUTSIDE	0x4	/* its parent is outside the world */
#define ALTPID_TASK_AUTOREAP	0x8	/* vanishes when it exits */
#define ALTPID_TASK_SUBREAPER	0x10	/* takes orphaned descendants */
#define ALTPID_TASK_VFORK	0x20	/* sleeps in a clone with CLONE_VFORK */
#define ALTPID_TASK_MEMBER	0x40	/* a real thread is behind it */

/**
 * struct altpid_task - ALTPID_IOC_TASK: everything about one task
 * @size: sizeof(struct altpid_task)
 * @state: out: ALTPID_TASK_RUNNING, ...
 * @task: the task
 * @leader: out: the leader of its thread group
 * @parent: out: its real parent, 0 for none in this world
 * @ns: out: its active namespace, where its own numbers come from
 * @ns_for_children: out: where its children are born, 0 once it has exited
 * @flags: out: ALTPID_TASK_LEADER, ...
 * @level: out: level of @ns; the vectors have @level + 1 entries
 * @exit_code: out: status word as wait4 reports it, for a zombie; of a leader
 *	whose threads live on, that of its own exit
 * @exit_signal: out: signal to the parent at exit, -1 for a thread
 * @nr_threads: out: threads of its group, exited ones not counted
 * @reserved: 0
 * @comm: out: its name
 * @pid: out: its number at each level, level 0 first; 0 behind @level
 * @tgid: out: likewise of its thread group
 * @pgid: out: likewise of its process group, 0 where that has none
 * @sid: out: likewise of its session, 0 where that has none
 * @native_pid: out: of a member the number of its thread in the first pid namespace
 *	of the machine, else 0
 * @native_tgid: out: likewise of its process
 */
struct altpid_task {
	__u32 size;
	__u32 state;
	__u64 task;
	__u64 leader;
	__u64 parent;
	__u64 ns;
	__u64 ns_for_children;
	__u32 flags;
	__u32 level;
	__s32 exit_code;
	__s32 exit_signal;
	__u32 nr_threads;
	__u32 reserved;
	__u8 comm[ALTPID_COMM_LEN];
	__s32 pid[ALTPID_LEVELS];
	__s32 tgid[ALTPID_LEVELS];
	__s32 pgid[ALTPID_LEVELS];
	__s32 sid[ALTPID_LEVELS];
	__s32 native_pid;
	__s32 native_tgid;
};

/**
 * struct altpid_signals - ALTPID_IOC_SIGNALS: a task and its signals
 * @size: sizeof(struct altpid_signals)
 * @received: out: how many signals its handlers were called for
 * @task: the task
 * @blocked: out: signals it blocks, bit 0 being signal 1 (SigBlk)
 * @pending: out: signals that wait for it (SigPnd)
 * @shared: out: signals that wait for any thread of its process (ShdPnd)
 * @ignored: out: signals its process ignores (SigIgn)
 * @handled: out: signals its process has handlers for (SigCgt)
 * @last: out: the last signal that a handler was called for, and what came with
 *	it
 *
 * As /proc/PID/status has them. A virtual task runs no code, so that its
 * handlers do nothing else but be counted.
 */
struct altpid_signals {
	__u32 size;
	__u32 received;
	__u64 task;
	__u64 blocked;
	__u64 pending;
	__u64 shared;
	__u64 ignored;
	__u64 handled;
	struct altpid_siginfo last;
};

/* &struct altpid_ns.state */
#define ALTPID_NS_AWAITING_INIT	0	/* no pid 1 yet */
#define ALTPID_NS_ACTIVE	1	/* pid 1 lives */
#define ALTPID_NS_DYING		2	/* pid 1 has exited, and is not reaped */
#define ALTPID_NS_DEAD		3	/* nobody is left, something holds it */

/*
 * In &struct altpid_ns.flags: the namespace has active references
 * (__ns_ref_active), so that listns(2) lists it. The outermost one always has
 * some; another one as long as a number of somebody born there is in use, be it
 * a zombie's, a process group's or a session's, or the children of a task would
 * be born there. A pidfd and a namespace below keep a namespace, and do not make it
 * active.
 */
#define ALTPID_NS_REF_ACTIVE	0x1

/**
 * struct altpid_ns - ALTPID_IOC_NS: everything about one namespace
 * @size: sizeof(struct altpid_ns)
 * @state: out: ALTPID_NS_AWAITING_INIT, ...
 * @ns: the namespace
 * @parent: out: the namespace above, 0 for the world's root
 * @child_reaper: out: the task that is its init, 0 for none
 * @level: out: 0 for the world's root
 * @pid_max: out: numbers end before this one (kernel.pid_max)
 * @last_pid: out: the last number given in order (kernel.ns_last_pid)
 * @nr_pids: out: numbers in use (pid_allocated without PIDNS_ADDING)
 * @map_bytes: out: memory its table of numbers takes, in bytes
 * @flags: out: ALTPID_NS_REF_ACTIVE or 0
 * @reserved: out: 0
 */
struct altpid_ns {
	__u32 size;
	__u32 state;
	__u64 ns;
	__u64 parent;
	__u64 child_reaper;
	__u32 level;
	__s32 pid_max;
	__s32 last_pid;
	__u32 nr_pids;
	__u64 map_bytes;
	__u32 flags;
	__u32 reserved;
};

/* &struct altpid_ns_set.what */
#define ALTPID_NS_PID_MAX	1	/* kernel.pid_max */
#define ALTPID_NS_LAST_PID	2	/* kernel.ns_last_pid */

/**
 * struct altpid_ns_set - ALTPID_IOC_NS_SET: write a sysctl of a namespace
 * @size: sizeof(struct altpid_ns_set)
 * @what: ALTPID_NS_PID_MAX or ALTPID_NS_LAST_PID
 * @ns: the namespace
 * @value: the value
 *
 * Mirrors the sysctl tables of kernel/pid.c and pid_ns_ctl_handler(). Errors:
 * EINVAL for a pid_max outside of 301 (8 for each possible CPU, if that is
 * more) to 4194304, for a last_pid outside of 0 to pid_max, and for another
 * @what.
 */
struct altpid_ns_set {
	__u32 size;
	__u32 what;
	__u64 ns;
	__s64 value;
};

/* &struct altpid_ns_get.what, with the numbers of the ioctls of nsfs */
#define ALTPID_NS_GET_PARENT		0x2	/* the namespace above */
#define ALTPID_NS_GET_PID_FROM_PIDNS	0x6	/* of a number there, as the task sees it */
#define ALTPID_NS_GET_TGID_FROM_PIDNS	0x7	/* likewise of its process */
#define ALTPID_NS_GET_PID_IN_PIDNS	0x8	/* of a number the task sees, as seen there */
#define ALTPID_NS_GET_TGID_IN_PIDNS	0x9	/* likewise of its process */

/**
 * struct altpid_ns_get - ALTPID_IOC_NS_GET: ioctl(2) of a namespace's file, done by
 *	a task
 * @size: sizeof(struct altpid_ns_get)
 * @what: ALTPID_NS_GET_*
 * @task: the task
 * @ns: the namespace
 * @nr: the number of a task or thread: in @ns for ALTPID_NS_GET_PID_FROM_PIDNS and
 *	TGID_FROM_PIDNS, as seen by @task for PID_IN_PIDNS and TGID_IN_PIDNS; 0 for
 *	ALTPID_NS_GET_PARENT; out: the number that was asked for
 * @reserved: 0
 * @parent: out: for ALTPID_NS_GET_PARENT the namespace above @ns; else 0
 *
 * Mirrors ns_ioctl() and pidns_get_parent(). Errors: EPERM for a parent that is not
 * the active namespace of @task nor below that, and for the parent of the world's
 * own; ESRCH for a number that no task has, and for a task that is not visible where
 * it would be seen from; EINVAL for another @what, and a @nr together with
 * ALTPID_NS_GET_PARENT.
 */
struct altpid_ns_get {
	__u32 size;
	__u32 what;
	__u64 task;
	__u64 ns;
	__s32 nr;
	__u32 reserved;
	__u64 parent;
};

/* &struct altpid_find.type, as enum pid_type */
#define ALTPID_PIDTYPE_PID	0
#define ALTPID_PIDTYPE_TGID	1
#define ALTPID_PIDTYPE_PGID	2
#define ALTPID_PIDTYPE_SID	3

/* In &struct altpid_find.flags: the first one in use at or behind @nr. */
#define ALTPID_FIND_GE		0x1

/**
 * struct altpid_find - ALTPID_IOC_FIND: whom does a number name?
 * @size: sizeof(struct altpid_find)
 * @flags: ALTPID_FIND_GE or 0
 * @ns: the namespace the number is meant in
 * @nr: the number; out: the number found
 * @type: ALTPID_PIDTYPE_*: as what it must be in use
 * @task: out: the task whose number it is; for a process group and a session the
 *	leader of a process in it, who may be dead and not reaped
 * @reserved: 0
 *
 * Mirrors find_pid_ns(), find_ge_pid() and pid_task(). Errors: ESRCH for a
 * number that is not in use as @type; EINVAL for another @type.
 */
struct altpid_find {
	__u32 size;
	__u32 flags;
	__u64 ns;
	__s32 nr;
	__u32 type;
	__u64 task;
	__u64 reserved;
};

/**
 * struct altpid_translate - ALTPID_IOC_TRANSLATE: numbers of one namespace as
 *	seen from another
 * @size: sizeof(struct altpid_translate)
 * @count: how many; out: how many were done
 * @from: the namespace they are meant in
 * @to: the namespace to see them from
 * @nrs: pointer to @count numbers (__s32); each is replaced by what it is in
 *	@to: 0 where it is not visible there, -ESRCH where it is not in use in
 *	@from
 *
 * Mirrors pid_nr_ns(find_pid_ns(nr, from), to). A signal ends a long call early;
 * @count then says how far it got.
 */
struct altpid_translate {
	__u32 size;
	__u32 count;
	__u64 from;
	__u64 to;
	__u64 nrs;
};

/* &struct altpid_list.what */
#define ALTPID_LIST_TASKS	1
#define ALTPID_LIST_NAMESPACES	2
#define ALTPID_LIST_BLOCKERS	3

/* In &struct altpid_list.flags: only namespaces with ALTPID_NS_REF_ACTIVE. */
#define ALTPID_LIST_REF_ACTIVE	0x1

/* &struct altpid_blocker.reason */
#define ALTPID_BLOCKER_ALIVE	1	/* has not exited */
#define ALTPID_BLOCKER_ZOMBIE	2	/* has exited, and is not reaped */
#define ALTPID_BLOCKER_NUMBER	3	/* a group or session has the number */
#define ALTPID_BLOCKER_FOR_CHILDREN 4	/* its children would be born there */
#define ALTPID_BLOCKER_NAMESPACE 5	/* a namespace right below */
#define ALTPID_BLOCKER_PIDFD	6	/* a pidfd of a task that was there */

/**
 * struct altpid_blocker - one thing that keeps a namespace from going
 * @size: out: sizeof(struct altpid_blocker)
 * @reason: out: ALTPID_BLOCKER_*
 * @task: out: who it is; for ALTPID_BLOCKER_NUMBER a process in the process
 *	group or session that has the number; for ALTPID_BLOCKER_PIDFD 0 once it
 *	is reaped; 0 for ALTPID_BLOCKER_NAMESPACE
 * @other: out: for ALTPID_BLOCKER_ZOMBIE the task that it waits for: its parent,
 *	or a live thread of its process; for ALTPID_BLOCKER_NAMESPACE the id of
 *	the namespace; for ALTPID_BLOCKER_PIDFD the pidfd
 * @nr: out: the number in the namespace that is asked about, for
 *	ALTPID_BLOCKER_PIDFD the one that its task had; 0 where it is not for a
 *	number
 * @reserved: out: 0
 *
 * The first three are what the init of a dying namespace waits for; all are
 * what a dead one is held by.
 */
struct altpid_blocker {
	__u32 size;
	__u32 reason;
	__u64 task;
	__u64 other;
	__s32 nr;
	__u32 reserved;
};

/**
 * struct altpid_list - ALTPID_IOC_LIST: all tasks, all namespaces, or what keeps
 *	one from going
 * @size: sizeof(struct altpid_list)
 * @what: ALTPID_LIST_TASKS, ALTPID_LIST_NAMESPACES or ALTPID_LIST_BLOCKERS
 * @ns: only what is visible from this namespace, 0 for all; for
 *	ALTPID_LIST_BLOCKERS the namespace that is asked about
 * @cursor: 0 to begin; out: to be given back for the next part, ~0 when there
 *	is none
 * @entries: pointer to room for @count entries, struct altpid_task, struct
 *	altpid_ns or struct altpid_blocker
 * @count: room; out: how many entries were written
 * @entry_size: size of an entry as the caller knows it, at most a page; a smaller
 *	one than the module's leaves out the end of each, so that the vectors of
 *	tasks need not be copied
 * @flags: of namespaces ALTPID_LIST_REF_ACTIVE or 0: only those that listns(2)
 *	lists; else 0
 * @reserved: 0
 *
 * What exists during the whole listing is in it exactly once, whatever comes
 * and goes meanwhile. Without ALTPID_LIST_REF_ACTIVE a namespace that only a
 * pidfd or only a namespace below it keeps is listed as well, which listns(2)
 * does not do. Errors: EINVAL for another @what, for @flags that do not go with
 * it, and for an @entry_size below 16, E2BIG for one above a page.
 */
struct altpid_list {
	__u32 size;
	__u32 what;
	__u64 ns;
	__u64 cursor;
	__u64 entries;
	__u32 count;
	__u32 entry_size;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct altpid_audit - ALTPID_IOC_AUDIT: check every invariant of the world
 * @size: sizeof(struct altpid_audit)
 * @broken: out: how many broken invariants were met
 * @tasks: out: tasks looked at
 * @numbers: out: numbers looked at
 * @what: out: the first broken one in words, NUL terminated
 * @skipped: out: lists and counts that were left out because others had changed
 *	the world meanwhile; 0 when everything was compared
 * @reserved: out: 0
 *
 * Others get on meanwhile: a large world is looked at in pieces. What is found to
 * be broken is broken, whatever they do; what exists all the time is looked at.
 * What needs the whole world of one moment is compared if nobody has changed it
 * in between, as is always so for a world of a few hundred tasks, and else
 * counted in @skipped.
 */
struct altpid_audit {
	__u32 size;
	__u32 broken;
	__u64 tasks;
	__u64 numbers;
	__u8 what[128];
	__u32 skipped;
	__u32 reserved;
};

/* Why an operation failed: &struct altpid_failure.reason, &struct altpid_op.reason */
#define ALTPID_REASON_NONE		0	/* nothing but the errno is known */
#define ALTPID_REASON_FLAGS		1	/* EINVAL: flags unknown or exclusive */
#define ALTPID_REASON_TASK_GONE		2	/* ESRCH: the task is reaped, or never was */
#define ALTPID_REASON_TASK_EXITED	3	/* ESRCH: the task has exited, or is about to */
#define ALTPID_REASON_TASK_STOPPED	4	/* EBUSY: the task is stopped */
#define ALTPID_REASON_WORLD_INIT	5	/* EBUSY: a kernel would go down with its init */
#define ALTPID_REASON_TASK_LIMIT	6	/* EAGAIN: the world has as many tasks as it may */
#define ALTPID_REASON_NS_GONE		7	/* ENOENT: the namespace is gone, or never was */
#define ALTPID_REASON_NS_DEAD		8	/* ENOMEM: the init there, or above, has exited */
#define ALTPID_REASON_NS_FULL		9	/* EAGAIN: no number below a pid_max is free */
#define ALTPID_REASON_NS_DEPTH		10	/* ENOSPC: it would be below level 32 */
#define ALTPID_REASON_NS_LIMIT		11	/* ENOSPC: the world has as many as it may */
#define ALTPID_REASON_NS_NOT_BELOW	12	/* EINVAL: neither the task's own nor below it */
#define ALTPID_REASON_NO_MEMORY		13	/* ENOMEM: there is no memory */
#define ALTPID_REASON_SET_TID_SIZE	14	/* EINVAL: more numbers than levels, or no array */
#define ALTPID_REASON_SET_TID_RANGE	15	/* EINVAL: a number not within pid_max */
#define ALTPID_REASON_SET_TID_USED	16	/* EEXIST: a number is in use */
#define ALTPID_REASON_NOT_INIT		17	/* EINVAL: the first process has to be pid 1 */
#define ALTPID_REASON_EXIT_SIGNAL	18	/* EINVAL: not an exit signal, with these flags */
#define ALTPID_REASON_CHILDREN_ELSEWHERE 19	/* EINVAL: unshared; setns back first */
#define ALTPID_REASON_INIT_PARENT	20	/* EINVAL: an init has no siblings */
#define ALTPID_REASON_AUTOREAP_PARENT	21	/* EINVAL: nor has who vanishes at exit */
#define ALTPID_REASON_PARENT_BLIND	22	/* EINVAL: the parent would not see the child */
#define ALTPID_REASON_NO_NUMBER		23	/* ESRCH: nobody has it, as the task sees it */
#define ALTPID_REASON_NO_CHILD		24	/* ECHILD: no child matches */
#define ALTPID_REASON_OPTIONS		25	/* EINVAL: options of a wait */
#define ALTPID_REASON_SIGNAL		26	/* EINVAL: no such signal, or a fixed one */
#define ALTPID_REASON_SIGNAL_CODE	27	/* EPERM: the si_code is the kernel's */
#define ALTPID_REASON_SIGNAL_QUEUE	28	/* EAGAIN: too many real-time signals wait */
#define ALTPID_REASON_INVISIBLE		29	/* EINVAL: the sender does not see the target */
#define ALTPID_REASON_SESSION_LEADER	30	/* EPERM: it leads a session */
#define ALTPID_REASON_GROUP_EXISTS	31	/* EPERM: a process group has its number */
#define ALTPID_REASON_OTHER_SESSION	32	/* EPERM: it is of another session */
#define ALTPID_REASON_NO_GROUP		33	/* EPERM: no such process group */
#define ALTPID_REASON_NOT_LEADER	34	/* EINVAL: a thread that does not lead */
#define ALTPID_REASON_NOT_CHILD		35	/* ESRCH: neither the caller nor a child of it */
#define ALTPID_REASON_HAS_EXECED	36	/* EACCES: it has called exec */
#define ALTPID_REASON_KILLED		37	/* EAGAIN: the process was killed meanwhile */
#define ALTPID_REASON_RANGE		38	/* EINVAL: the value is out of range */
#define ALTPID_REASON_PIDFD_GONE	39	/* EBADF: the pidfd is closed, or never was */
#define ALTPID_REASON_PIDFD_LIMIT	40	/* EMFILE: the world has as many as it may */
#define ALTPID_REASON_REAPED		41	/* ESRCH: the task of the pidfd is reaped */
#define ALTPID_REASON_NOT_PROCESS	42	/* ENOENT: the pidfd would be a thread's */
#define ALTPID_REASON_REMOTE		43	/* EREMOTE: who asks does not see the task */
#define ALTPID_REASON_NS_NOT_INSIDE	44	/* EPERM: not the task's own, nor below it */
#define ALTPID_REASON_NOT_VIRTUAL	45	/* EINVAL: nothing that a task here can unshare */
#define ALTPID_REASON_SIGNAL_INFO	46	/* EINVAL: the siginfo is of another signal */
#define ALTPID_REASON_TASK_BUSY		47	/* EBUSY: the task is in another call */
#define ALTPID_REASON_MEMBER		48	/* EBUSY: a real process, which acts for itself */
#define ALTPID_REASON_HAS_THREADS	49	/* EINVAL: the caller has other threads */
#define ALTPID_REASON_HAS_CHILDREN	50	/* EINVAL: the caller has children or adopts some */
#define ALTPID_REASON_IS_MEMBER		51	/* EALREADY: the caller is a member */
#define ALTPID_REASON_NOT_PRIVILEGED	52	/* EPERM: neither CAP_SYS_ADMIN nor no_new_privs */
#define ALTPID_REASON_ELSEWHERE		53	/* EINVAL: the caller has a native pid namespace */
#define ALTPID_REASON_NOT_64_BIT	54	/* EINVAL: the caller is a 32-bit program */
#define ALTPID_REASON_NO_BODIES		55	/* EOPNOTSUPP: this kernel cannot have members */
#define ALTPID_REASON_NOT_OWNER		56	/* EPERM: a world with members is its user's */

/*
 * ALTPID_REASONS - the reasons as a list: X(name, errno, text) for each but NONE,
 *	in order from 1. The texts in a program, for one:
 *
 *	#define TEXT(name, err, text) [ALTPID_REASON_##name] = text,
 *	static const char *const texts[] = { ALTPID_REASONS(TEXT) };
 */
#define ALTPID_REASONS(X) \
	X(FLAGS, EINVAL, "flags unknown or exclusive") \
	X(TASK_GONE, ESRCH, "the task is reaped, or never was") \
	X(TASK_EXITED, ESRCH, "the task has exited, or is about to") \
	X(TASK_STOPPED, EBUSY, "the task is stopped") \
	X(WORLD_INIT, EBUSY, "a kernel would go down with its init") \
	X(TASK_LIMIT, EAGAIN, "the world has as many tasks as it may") \
	X(NS_GONE, ENOENT, "the namespace is gone, or never was") \
	X(NS_DEAD, ENOMEM, "the init there, or above, has exited") \
	X(NS_FULL, EAGAIN, "no number below a pid_max is free") \
	X(NS_DEPTH, ENOSPC, "it would be below level 32") \
	X(NS_LIMIT, ENOSPC, "the world has as many as it may") \
	X(NS_NOT_BELOW, EINVAL, "neither the task's own nor below it") \
	X(NO_MEMORY, ENOMEM, "there is no memory") \
	X(SET_TID_SIZE, EINVAL, "more numbers than levels, or no array") \
	X(SET_TID_RANGE, EINVAL, "a number not within pid_max") \
	X(SET_TID_USED, EEXIST, "a number is in use") \
	X(NOT_INIT, EINVAL, "the first process has to be pid 1") \
	X(EXIT_SIGNAL, EINVAL, "not an exit signal, with these flags") \
	X(CHILDREN_ELSEWHERE, EINVAL, "unshared; setns back first") \
	X(INIT_PARENT, EINVAL, "an init has no siblings") \
	X(AUTOREAP_PARENT, EINVAL, "nor has who vanishes at exit") \
	X(PARENT_BLIND, EINVAL, "the parent would not see the child") \
	X(NO_NUMBER, ESRCH, "nobody has it, as the task sees it") \
	X(NO_CHILD, ECHILD, "no child matches") \
	X(OPTIONS, EINVAL, "options of a wait") \
	X(SIGNAL, EINVAL, "no such signal, or a fixed one") \
	X(SIGNAL_CODE, EPERM, "the si_code is the kernel's") \
	X(SIGNAL_QUEUE, EAGAIN, "too many real-time signals wait") \
	X(INVISIBLE, EINVAL, "the sender does not see the target") \
	X(SESSION_LEADER, EPERM, "it leads a session") \
	X(GROUP_EXISTS, EPERM, "a process group has its number") \
	X(OTHER_SESSION, EPERM, "it is of another session") \
	X(NO_GROUP, EPERM, "no such process group") \
	X(NOT_LEADER, EINVAL, "a thread that does not lead") \
	X(NOT_CHILD, ESRCH, "neither the caller nor a child of it") \
	X(HAS_EXECED, EACCES, "it has called exec") \
	X(KILLED, EAGAIN, "the process was killed meanwhile") \
	X(RANGE, EINVAL, "the value is out of range") \
	X(PIDFD_GONE, EBADF, "the pidfd is closed, or never was") \
	X(PIDFD_LIMIT, EMFILE, "the world has as many as it may") \
	X(REAPED, ESRCH, "the task of the pidfd is reaped") \
	X(NOT_PROCESS, ENOENT, "the pidfd would be a thread's") \
	X(REMOTE, EREMOTE, "who asks does not see the task") \
	X(NS_NOT_INSIDE, EPERM, "not the task's own, nor below it") \
	X(NOT_VIRTUAL, EINVAL, "nothing that a task here can unshare") \
	X(SIGNAL_INFO, EINVAL, "the siginfo is of another signal") \
	X(TASK_BUSY, EBUSY, "the task is in another call") \
	X(MEMBER, EBUSY, "a real process, which acts for itself") \
	X(HAS_THREADS, EINVAL, "the caller has other threads") \
	X(HAS_CHILDREN, EINVAL, "the caller has children or adopts some") \
	X(IS_MEMBER, EALREADY, "the caller is a member") \
	X(NOT_PRIVILEGED, EPERM, "neither CAP_SYS_ADMIN nor no_new_privs") \
	X(ELSEWHERE, EINVAL, "the caller has a native pid namespace") \
	X(NOT_64_BIT, EINVAL, "the caller is a 32-bit program") \
	X(NO_BODIES, EOPNOTSUPP, "this kernel cannot have members") \
	X(NOT_OWNER, EPERM, "a world with members is its user's")

/**
 * struct altpid_failure - ALTPID_IOC_FAILURE: why the caller's last command
 *	failed
 * @size: sizeof(struct altpid_failure)
 * @cmd: out: the command
 * @error: out: its errno, negative
 * @reason: out: ALTPID_REASON_*
 *
 * Tells of the last command of this world that failed for the calling thread,
 * and of none of a thread that had its number before. Errors: ENODATA when there
 * was none, or too many of other threads since.
 */
struct altpid_failure {
	__u32 size;
	__u32 cmd;
	__s32 error;
	__u32 reason;
};

/**
 * struct altpid_op - one operation of an array
 * @cmd: its command
 * @error: out: 0, or its errno, negative; operations that were not reached are
 *	left as they are
 * @arg: pointer to its struct
 * @made: out: the id that it had to give: of the task that a clone made, a wait
 *	told of or a find found, of the namespace that an unshare made or that
 *	is a parent asked for, of the pidfd that was opened; else 0
 * @reason: out: ALTPID_REASON_*
 * @reserved: 0
 */
struct altpid_op {
	__u32 cmd;
	__s32 error;
	__u64 arg;
	__u64 made;
	__u32 reason;
	__u32 reserved;
};

/*
 * The id in &struct altpid_op.made of operation @index of the same array, one
 * that was done before. It can stand wherever the struct of an operation takes
 * the id of a task, a namespace or a pidfd; no id has this bit in its lower half.
 */
#define ALTPID_MADE_BY		0x80000000ULL
#define ALTPID_MADE(index)	(ALTPID_MADE_BY | (index))

/* In &struct altpid_batch.flags: an operation that fails is not the end. */
#define ALTPID_BATCH_GO_ON	0x1

/**
 * struct altpid_batch - ALTPID_IOC_BATCH: an array of operations in one call
 * @size: sizeof(struct altpid_batch)
 * @flags: ALTPID_BATCH_GO_ON or 0
 * @ops: pointer to @count &struct altpid_op
 * @count: how many; out: how many were done, the one that failed and was the end
 *	not among them
 * @failed: out: how many of those that were tried failed
 *
 * Each operation is what a call of its own would be. Without ALTPID_BATCH_GO_ON
 * the first that fails is the end of it, and the call succeeds all the same:
 * @count and @failed say what happened. A signal ends the call early, between
 * two operations; the one that sleeps then fails with EINTR. Errors: EINVAL for
 * unknown flags. Of an operation: EINVAL for an ALTPID_IOC_BATCH inside, for a
 * reserved member that is not zero, and for an ALTPID_MADE() that is not of an
 * earlier operation, or of one that has made nothing.
 */
struct altpid_batch {
	__u32 size;
	__u32 flags;
	__u64 ops;
	__u32 count;
	__u32 failed;
};

/* &struct altpid_event.type */
#define ALTPID_EVENT_CLONE	1	/* a task is born */
#define ALTPID_EVENT_EXEC	2	/* a process has become another program */
#define ALTPID_EVENT_EXIT	3	/* a task begins to exit */
#define ALTPID_EVENT_REAP	4	/* a task is gone, and its id names nothing any more */
#define ALTPID_EVENT_REPARENT	5	/* a process has another parent */
#define ALTPID_EVENT_STOP	6	/* a process is stopped by a signal */
#define ALTPID_EVENT_CONTINUE	7	/* a stopped process goes on */
#define ALTPID_EVENT_NS_BORN	8	/* a namespace is there */
#define ALTPID_EVENT_NS_DYING	9	/* its init begins to take it along */
#define ALTPID_EVENT_NS_DEAD	10	/* its last number is free */
#define ALTPID_EVENT_LOST	11	/* the reader was too slow */

/**
 * struct altpid_event - what read(2) gives: one thing that happened
 * @seq: its number; the first event of a world is 0
 * @type: ALTPID_EVENT_*
 * @status: for ALTPID_EVENT_EXIT and REAP the status word, for STOP and CONTINUE
 *	the signal; else 0
 * @task: whom it happened to: the new task, for REPARENT, STOP and CONTINUE the
 *	leader of the process, for NS_BORN who made it, for NS_DYING its init; 0
 *	for NS_DEAD and LOST
 * @other: for CLONE and REPARENT the parent, 0 for none in this world; for
 *	NS_BORN the namespace above; else 0
 * @ns: the active namespace of @task, or the namespace that it happened to
 * @pid: the number of @task at level 0
 * @nr: its number in @ns; 0 for NS_BORN and NS_DEAD, and so is @pid
 * @value: for CLONE the flags; for ALTPID_EVENT_EXIT how many other threads of its
 *	process live on, so that 0 is the exit of the process; for LOST how many
 *	events; else 0
 * @reserved: 0
 *
 * A read gives as many whole events as there are and fit, and sleeps until there
 * is one, unless the descriptor is O_NONBLOCK or it is a preadv2(2) with
 * RWF_NOWAIT. The file position is the number of
 * the next event times the size of an event: pread(2) reads from any number, so
 * that each of several readers can go its own way. The last events are kept
 * (max_events of the module) from the first read of a world on; what happened
 * before, or was overwritten, is told of by one ALTPID_EVENT_LOST, whose @seq is
 * that of the last event lost. poll(2) gives POLLIN when a read(2) at the file
 * position of the descriptor would not sleep, and keeps events as a read does.
 * Errors of a read: EAGAIN when there is nothing to read and
 * it must not sleep, EINTR, EFAULT, ENOMEM, and EINVAL for less room than an event and
 * for another position.
 */
struct altpid_event {
	__u64 seq;
	__u32 type;
	__s32 status;
	__u64 task;
	__u64 other;
	__u64 ns;
	__s32 pid;
	__s32 nr;
	__u64 value;
	__u64 reserved;
};

/*
 * Each takes a pointer to its struct. They are _IO() and not _IOWR(), which would
 * put the size of the struct into the number: a struct that grows is the same
 * command, and says its size in its first member.
 */
#define ALTPID_IOC_WORLD	_IO(ALTPID_IOC_TYPE, 0x00)
#define ALTPID_IOC_CLONE	_IO(ALTPID_IOC_TYPE, 0x01)
#define ALTPID_IOC_UNSHARE	_IO(ALTPID_IOC_TYPE, 0x02)
#define ALTPID_IOC_SETNS	_IO(ALTPID_IOC_TYPE, 0x03)
#define ALTPID_IOC_EXIT		_IO(ALTPID_IOC_TYPE, 0x04)
#define ALTPID_IOC_WAIT		_IO(ALTPID_IOC_TYPE, 0x05)
#define ALTPID_IOC_SETSID	_IO(ALTPID_IOC_TYPE, 0x06)
#define ALTPID_IOC_SETPGID	_IO(ALTPID_IOC_TYPE, 0x07)
#define ALTPID_IOC_SET_NAME	_IO(ALTPID_IOC_TYPE, 0x08)
#define ALTPID_IOC_KILL		_IO(ALTPID_IOC_TYPE, 0x09)
#define ALTPID_IOC_SIGACTION	_IO(ALTPID_IOC_TYPE, 0x0a)
#define ALTPID_IOC_SIGPROCMASK	_IO(ALTPID_IOC_TYPE, 0x0b)
#define ALTPID_IOC_SIGWAIT	_IO(ALTPID_IOC_TYPE, 0x0c)
#define ALTPID_IOC_EXEC		_IO(ALTPID_IOC_TYPE, 0x0d)
#define ALTPID_IOC_PRCTL	_IO(ALTPID_IOC_TYPE, 0x0e)
#define ALTPID_IOC_REBOOT	_IO(ALTPID_IOC_TYPE, 0x0f)
#define ALTPID_IOC_WAITID	_IO(ALTPID_IOC_TYPE, 0x10)
#define ALTPID_IOC_PIDFD_OPEN	_IO(ALTPID_IOC_TYPE, 0x11)
#define ALTPID_IOC_PIDFD_CLOSE	_IO(ALTPID_IOC_TYPE, 0x12)
#define ALTPID_IOC_POLL		_IO(ALTPID_IOC_TYPE, 0x13)
#define ALTPID_IOC_GETID	_IO(ALTPID_IOC_TYPE, 0x14)
#define ALTPID_IOC_SIGPENDING	_IO(ALTPID_IOC_TYPE, 0x15)
#define ALTPID_IOC_GET_NAME	_IO(ALTPID_IOC_TYPE, 0x16)
#define ALTPID_IOC_ATTACH	_IO(ALTPID_IOC_TYPE, 0x17)
#define ALTPID_IOC_TASK		_IO(ALTPID_IOC_TYPE, 0x40)
#define ALTPID_IOC_NS		_IO(ALTPID_IOC_TYPE, 0x41)
#define ALTPID_IOC_NS_SET	_IO(ALTPID_IOC_TYPE, 0x42)
#define ALTPID_IOC_FIND		_IO(ALTPID_IOC_TYPE, 0x43)
#define ALTPID_IOC_TRANSLATE	_IO(ALTPID_IOC_TYPE, 0x44)
#define ALTPID_IOC_LIST		_IO(ALTPID_IOC_TYPE, 0x45)
#define ALTPID_IOC_AUDIT	_IO(ALTPID_IOC_TYPE, 0x46)
#define ALTPID_IOC_SIGNALS	_IO(ALTPID_IOC_TYPE, 0x47)
#define ALTPID_IOC_FAILURE	_IO(ALTPID_IOC_TYPE, 0x48)
#define ALTPID_IOC_PIDFD_INFO	_IO(ALTPID_IOC_TYPE, 0x49)
#define ALTPID_IOC_NS_GET	_IO(ALTPID_IOC_TYPE, 0x4a)
#define ALTPID_IOC_BATCH	_IO(ALTPID_IOC_TYPE, 0x80)

#endif /* _UAPI_ALTPID_H */
