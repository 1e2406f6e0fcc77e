// SPDX-License-Identifier: GPL-2.0
/* ptrace(2). The rules are the kernel's own: it is run natively too, as pid 1 of a namespace. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif

static long trace(int request, pid_t pid, void *addr, long data)
{
	return syscall(SYS_ptrace, request, (long)pid, addr, data);
}

/* wait4(2) for a stop of a tracee, by this signal for this event. */
static int stops(pid_t pid, int signal, int event)
{
	return waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) &&
	       status >> 8 == (signal | event << 8);
}

/* The number that the event has which a tracee is stopped for. */
static long message(pid_t pid)
{
	unsigned long number = 0;

	CHECK(trace(PTRACE_GETEVENTMSG, pid, NULL, (long)&number) == 0);
	return number;
}

static siginfo_t info_of(pid_t pid)
{
	siginfo_t info = { 0 };

	CHECK(trace(PTRACE_GETSIGINFO, pid, NULL, (long)&info) == 0);
	return info;
}

static int goes_on(pid_t pid, int signal)
{
	return trace(PTRACE_CONT, pid, NULL, signal) == 0;
}

/* A child that is traced, stopped by SIGSTOP with these options. */
#define TRACED(pid, options)								\
	for (pid = traced(options); pid == 0; _exit(failures != 0))

static pid_t traced(long options)
{
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(trace(PTRACE_TRACEME, 0, NULL, 0) == 0);
		CHECK_ERROR(trace(PTRACE_TRACEME, 0, NULL, 0), EPERM);
		raise(SIGSTOP);
		return 0;
	}
	CHECK(stops(pid, SIGSTOP, 0));
	CHECK(trace(PTRACE_SETOPTIONS, pid, NULL, options) == 0);
	return pid;
}

/* Who may, and what there is not. */
static void errors(void)
{
	pid_t pid, other;

	CHECK_ERROR(trace(PTRACE_ATTACH, getpid(), NULL, 0), EPERM);
	CHECK_ERROR(trace(PTRACE_ATTACH, 12345678, NULL, 0), ESRCH);
	CHECK_ERROR(trace(PTRACE_ATTACH, 0, NULL, 0), ESRCH);
	CHECK_ERROR(trace(PTRACE_ATTACH, -1, NULL, 0), ESRCH);
	CHILD(pid)
		sleep_for_ever();
	CHECK_ERROR(trace(PTRACE_CONT, pid, NULL, 0), ESRCH);
	CHECK_ERROR(trace(PTRACE_SEIZE, pid, (void *)1, 0), EIO);
	CHECK(trace(PTRACE_SEIZE, pid, NULL, 0) == 0);
	CHECK_ERROR(trace(PTRACE_ATTACH, pid, NULL, 0), EPERM);
	CHILD(other)
		CHECK_ERROR(trace(PTRACE_SEIZE, pid, NULL, 0), EPERM);
	CHECK(exits(other, 0));
	CHECK(waitpid(-1, &status, WNOHANG) == 0);
	CHECK_ERROR(trace(PTRACE_CONT, pid, NULL, 0), ESRCH);
	CHECK(trace(PTRACE_INTERRUPT, pid, NULL, 0) == 0);
	CHECK(stops(pid, SIGTRAP, PTRACE_EVENT_STOP));
	CHECK_ERROR(trace(PTRACE_GETEVENTMSG, pid, NULL, 1), EFAULT);
	CHECK(info_of(pid).si_pid == pid);
	CHECK(trace(PTRACE_DETACH, pid, NULL, 0) == 0 && kill(pid, SIGTERM) == 0);
	CHECK(dies(pid, SIGTERM));
	CHECK_ERROR(waitpid(-1, &status, 0), ECHILD);
}

/* The numbers in what is told of forks, execs and ends. */
static void events(void)
{
	long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
		       PTRACE_O_TRACEEXIT | PTRACE_O_TRACEVFORKDONE;
	siginfo_t info;
	pid_t pid, child;

	TRACED(pid, options) {
		CHILD(child)
			_exit(5);
		CHECK(exits(child, 5));
		child = vfork();
		if (child == 0) {
			execl(self, self, "whoami", NULL);
			_exit(9);
		}
		CHECK(exits(child, 40));
	}
	CHECK(goes_on(pid, 0) && stops(pid, SIGTRAP, PTRACE_EVENT_FORK));
	child = message(pid);
	CHECK(child == pid + 1);
	info = info_of(pid);
	CHECK(info.si_pid == pid && info.si_code == (SIGTRAP | PTRACE_EVENT_FORK << 8));
	CHECK(stops(child, SIGSTOP, 0));
	CHECK(goes_on(child, 0) && goes_on(pid, 0));
	CHECK(stops(child, SIGTRAP, PTRACE_EVENT_EXIT) && message(child) == 5 << 8);
	CHECK(goes_on(child, 0));
	CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_pid == child && info.si_code == CLD_EXITED && info.si_status == 5);
	/* Its parent waits for it, and is not told before its tracer has waited. */
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(exits(child, 5));
	CHECK_ERROR(waitpid(child, &status, 0), ECHILD);
	CHECK(stops(pid, SIGCHLD, 0));
	info = info_of(pid);
	CHECK(info.si_pid == child && info.si_code == CLD_EXITED);
	CHECK(goes_on(pid, 0) && stops(pid, SIGTRAP, PTRACE_EVENT_VFORK));
	child = message(pid);
	CHECK(child == pid + 2);
	CHECK(stops(child, SIGSTOP, 0));
	CHECK(goes_on(child, 0) && goes_on(pid, 0));
	CHECK(stops(child, SIGTRAP, PTRACE_EVENT_EXEC) && message(child) == child);
	CHECK(stops(pid, SIGTRAP, PTRACE_EVENT_VFORK_DONE) && message(pid) == child);
	CHECK(goes_on(child, 0) && goes_on(pid, 0));
	CHECK(stops(child, SIGTRAP, PTRACE_EVENT_EXIT) && message(child) == 40 << 8);
	CHECK(goes_on(child, 0) && exits(child, 40));
	CHECK(stops(pid, SIGCHLD, 0) && goes_on(pid, SIGCHLD));
	CHECK(stops(pid, SIGTRAP, PTRACE_EVENT_EXIT) && message(pid) == 0);
	CHECK(goes_on(pid, 0) && exits(pid, 0));
}

/* Who has sent what a tracee gets, and what it is given in its place. */
static void siginfos(void)
{
	struct {
		unsigned long off;
		unsigned int flags;
		int nr;
	} first = { 0, 1, 1 };
	siginfo_t info;
	pid_t pid;

	TRACED(pid, 0) {
		sigset_t blocked;

		handle(SIGUSR1, 0);
		raise(SIGUSR1);
		CHECK(received == SIGUSR1 && last.si_pid == getpid() && last.si_code == SI_TKILL);
		handle(SIGUSR2, 0);
		raise(SIGUSR1);
		CHECK(received == SIGUSR2 && last.si_pid == getppid() && last.si_code == SI_USER);
		raise(SIGUSR1);
		CHECK(received == SIGUSR2 && last.si_pid == 77 && last.si_code == SI_QUEUE);
		sigemptyset(&blocked);
		sigaddset(&blocked, SIGALRM);
		sigprocmask(SIG_BLOCK, &blocked, NULL);
		kill(getpid(), SIGALRM);
		raise(SIGSTOP);
	}
	CHECK(goes_on(pid, 0) && stops(pid, SIGUSR1, 0));
	CHECK(info_of(pid).si_pid == pid && goes_on(pid, SIGUSR1));
	CHECK(stops(pid, SIGUSR1, 0) && goes_on(pid, SIGUSR2));
	CHECK(stops(pid, SIGUSR1, 0));
	info = info_of(pid);
	info.si_signo = SIGUSR2;
	info.si_code = SI_QUEUE;
	info.si_pid = 77;
	CHECK(trace(PTRACE_SETSIGINFO, pid, NULL, (long)&info) == 0);
	CHECK(info_of(pid).si_pid == 77 && goes_on(pid, SIGUSR2));
	CHECK(stops(pid, SIGSTOP, 0));
	CHECK(trace(PTRACE_PEEKSIGINFO, pid, &first, (long)&info) == 1);
	CHECK(info.si_signo == SIGALRM && info.si_pid == pid && info.si_code == SI_USER);
	CHECK(kill(pid, SIGCONT) == 0 && goes_on(pid, 0));
	CHECK(stops(pid, SIGCONT, 0) && info_of(pid).si_pid == getpid());
	CHECK(goes_on(pid, 0) && exits(pid, 0));
	/* What the tracer itself is told. */
	handle(SIGCHLD, SA_RESTART);
	TRACED(pid, 0)
		raise(SIGUSR1);
	CHECK(received == SIGCHLD && last.si_pid == pid && last.si_code == CLD_TRAPPED);
	received = 0;
	CHECK(goes_on(pid, 0) && stops(pid, SIGUSR1, 0));
	CHECK(received == SIGCHLD && last.si_pid == pid && last.si_status == SIGUSR1);
	received = 0;
	CHECK(goes_on(pid, 0) && exits(pid, 0));
	CHECK(received == SIGCHLD && last.si_pid == pid && last.si_code == CLD_EXITED);
	signal(SIGCHLD, SIG_DFL);
}

/* What a tracer sees of system calls that are answered or changed. */
static void calls(void)
{
	static const long expected[] = {
		SYS_getppid, SYS_fork, SYS_wait4, SYS_kill, SYS_exit_group, 0,
	};
	struct user_regs_struct regs;
	pid_t pid;

	TRACED(pid, PTRACE_O_TRACESYSGOOD) {
		pid_t child;

		syscall(SYS_getppid, 1, 2, 3, 4, 5, 6);
		child = syscall(SYS_fork);
		if (child == 0)
			_exit(3);
		syscall(SYS_wait4, child, &status, __WALL, NULL, 5, 6);
		syscall(SYS_kill, getppid(), 0);
		syscall(SYS_exit_group, 4);
	}
	CHECK(trace(PTRACE_SYSCALL, pid, NULL, 0) == 0);
	for (size_t at = 0; expected[at] != 0;) {
		struct __ptrace_syscall_info info = { 0 };

		CHECK(waitpid(pid, &status, 0) == pid);
		if (!WIFSTOPPED(status))
			break;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			CHECK(trace(PTRACE_SYSCALL, pid, NULL, WSTOPSIG(status)) == 0);
			continue;
		}
		CHECK(info_of(pid).si_pid == pid);
		CHECK(trace(PTRACE_GETREGS, pid, NULL, (long)&regs) == 0);
		CHECK(trace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), (long)&info) > 0);
		if ((long)regs.orig_rax != expected[at]) {
			CHECK(trace(PTRACE_SYSCALL, pid, NULL, 0) == 0);
			continue;
		}
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			CHECK(info.entry.nr == (unsigned long)expected[at]);
			at += expected[at] == SYS_exit_group;
		} else if ((int)info.exit.rval != -512) {
			/* A wait that is interrupted by SIGCHLD is made again. */
			CHECK(info.op == PTRACE_SYSCALL_INFO_EXIT);
			switch (expected[at]) {
			case SYS_getppid:
				CHECK(info.exit.rval == getpid());
				CHECK(regs.rdi == 1 && regs.r9 == 6);
				break;
			case SYS_fork:
				CHECK(info.exit.rval == pid + 1);
				break;
			case SYS_wait4:
				CHECK(info.exit.rval == pid + 1 && (int)regs.rdi == pid + 1);
				CHECK((unsigned int)regs.rdx == __WALL);
				CHECK(regs.r8 == 5 && regs.r9 == 6);
				break;
			case SYS_kill:
				CHECK(info.exit.rval == 0 && (int)regs.rdi == getpid());
				break;
			}
			at++;
		}
		CHECK(trace(PTRACE_SYSCALL, pid, NULL, 0) == 0);
	}
	CHECK(exits(pid, 4));
}

static void *call_exec(void *nothing)
{
	(void)nothing;
	execl(self, self, "whoami", NULL);
	_exit(9);
}

static void *end(void *nothing)
{
	return nothing;
}

/* Threads are tracees of their own, and one that calls exec becomes its process. */
static void threads(void)
{
	pid_t pid, thread;
	pthread_t id;

	TRACED(pid, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC) {
		pthread_create(&id, NULL, end, NULL);
		pthread_join(id, NULL);
		pthread_create(&id, NULL, call_exec, NULL);
		sleep_for_ever();
	}
	CHECK(goes_on(pid, 0) && stops(pid, SIGTRAP, PTRACE_EVENT_CLONE));
	thread = message(pid);
	CHECK(thread == pid + 1 && stops(thread, SIGSTOP, 0));
	CHECK(goes_on(thread, 0) && goes_on(pid, 0));
	CHECK(waitpid(thread, &status, __WALL) == thread && WIFEXITED(status));
	CHECK_ERROR(waitpid(thread, &status, __WALL), ECHILD);
	CHECK(stops(pid, SIGTRAP, PTRACE_EVENT_CLONE));
	thread = message(pid);
	CHECK(thread == pid + 2 && stops(thread, SIGSTOP, 0));
	CHECK(goes_on(pid, 0) && goes_on(thread, 0));
	CHECK(stops(pid, SIGTRAP, PTRACE_EVENT_EXEC) && message(pid) == thread);
	CHECK_ERROR(trace(PTRACE_CONT, thread, NULL, 0), ESRCH);
	CHECK_ERROR(waitpid(thread, &status, __WALL), ECHILD);
	CHECK(goes_on(pid, 0) && exits(pid, 40));
	CHECK_ERROR(waitpid(-1, &status, __WALL), ECHILD);
}

/* A tracer that is not the parent, its end, and the end of a tracee that its parent waits for. */
static void tracers(void)
{
	int ready[2];
	pid_t pid, tracer;
	char byte;

	for (int kills = 0; kills < 2; kills++) {
		CHECK(pipe(ready) == 0);
		CHILD(pid)
			sleep_for_ever();
		CHILD(tracer) {
			CHECK(trace(PTRACE_SEIZE, pid, NULL, kills ? PTRACE_O_EXITKILL : 0) == 0);
			CHECK(trace(PTRACE_INTERRUPT, pid, NULL, 0) == 0);
			CHECK(stops(pid, SIGTRAP, PTRACE_EVENT_STOP));
			CHECK(write(ready[1], "", 1) == 1);
			sleep_for_ever();
		}
		CHECK(read(ready[0], &byte, 1) == 1);
		CHECK(waitpid(pid, &status, WNOHANG) == 0);
		CHECK(kill(tracer, SIGKILL) == 0 && dies(tracer, SIGKILL));
		if (!kills) {
			CHECK(waitpid(pid, &status, WNOHANG | WUNTRACED) == 0);
			CHECK(kill(pid, SIGTERM) == 0);
		}
		CHECK(dies(pid, kills ? SIGKILL : SIGTERM));
		close(ready[0]);
		close(ready[1]);
	}
	/* It dies while it is traced, and its tracer does not wait for it before it exits. */
	CHECK(pipe(ready) == 0);
	CHILD(pid)
		sleep_for_ever();
	CHILD(tracer) {
		siginfo_t info;

		CHECK(trace(PTRACE_SEIZE, pid, NULL, 0) == 0);
		CHECK(kill(pid, SIGKILL) == 0);
		CHECK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == pid);
		CHECK(write(ready[1], "", 1) == 1);
		info.si_pid = 0;
		CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == 0);
		CHECK(info.si_pid == pid);
		sleep_for_ever();
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	CHECK(waitpid(pid, &status, WNOHANG) == 0 && kill(pid, 0) == 0);
	CHECK(kill(tracer, SIGKILL) == 0 && dies(tracer, SIGKILL));
	CHECK(dies(pid, SIGKILL));
	CHECK_ERROR(waitpid(-1, &status, 0), ECHILD);
}

static void *wait_for(void *pid)
{
	int other;

	return (void *)(long)(waitpid((pid_t)(long)pid, &other, __WALL) == (pid_t)(long)pid &&
			      WIFSTOPPED(other) && WSTOPSIG(other) == SIGTRAP);
}

/* Who sleeps in a wait when there is a tracee from then on. */
static void late_tracees(void)
{
	pthread_t id;
	void *is_right;
	pid_t pid;

	CHILD(pid)
		sleep_for_ever();
	pthread_create(&id, NULL, wait_for, (void *)(long)pid);
	usleep(20000);
	CHECK(trace(PTRACE_SEIZE, pid, NULL, 0) == 0);
	CHECK(trace(PTRACE_INTERRUPT, pid, NULL, 0) == 0);
	CHECK(pthread_join(id, &is_right) == 0 && is_right);
	CHECK(kill(pid, SIGKILL) == 0 && dies(pid, SIGKILL));
	CHILD(pid) {
		usleep(20000);
		CHECK(trace(PTRACE_TRACEME, 0, NULL, 0) == 0);
		raise(SIGUSR1);
	}
	CHECK(stops(pid, SIGUSR1, 0) && goes_on(pid, 0) && exits(pid, 0));
	CHILD(pid) {
		usleep(20000);
		CHECK(trace(PTRACE_TRACEME, 0, NULL, 0) == 0);
		raise(SIGUSR1);
	}
	CHECK(waitpid(-1, &status, 0) == pid && WIFSTOPPED(status));
	CHECK(goes_on(pid, 0) && exits(pid, 0));
	/* A group stop of a tracee is told once. */
	CHILD(pid)
		sleep_for_ever();
	CHECK(trace(PTRACE_SEIZE, pid, NULL, 0) == 0);
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(stops(pid, SIGSTOP, 0) && goes_on(pid, SIGSTOP));
	CHECK(stops(pid, SIGSTOP, PTRACE_EVENT_STOP));
	CHECK(waitpid(-1, &status, WNOHANG | WUNTRACED) == 0);
	CHECK(trace(PTRACE_LISTEN, pid, NULL, 0) == 0 && kill(pid, SIGCONT) == 0);
	CHECK(stops(pid, SIGTRAP, PTRACE_EVENT_STOP) && goes_on(pid, 0));
	CHECK(stops(pid, SIGCONT, 0) && goes_on(pid, SIGCONT));
	CHECK(kill(pid, SIGKILL) == 0 && dies(pid, SIGKILL));
}

static void *wait_for_any(void *pid)
{
	pid_t traced = __atomic_load_n((pid_t *)pid, __ATOMIC_ACQUIRE);
	long got;

	CHECK(trace(PTRACE_SEIZE, traced, NULL, 0) == 0);
	__atomic_store_n((pid_t *)pid, 0, __ATOMIC_RELEASE);
	got = waitpid(-1, NULL, __WALL);
	return (void *)got;
}

/* A tracee that is nobody's child here is waited for, and another thread has a child. */
static int childless(pid_t traced)
{
	pid_t pid = traced;
	pthread_t id;
	pid_t child;
	void *got;

	pthread_create(&id, NULL, wait_for_any, &pid);
	while (__atomic_load_n(&pid, __ATOMIC_ACQUIRE))
		sched_yield();
	usleep(20000);
	child = fork();
	if (!child)
		_exit(0);
	/* Who sleeps for ever is ended by it. */
	alarm(20);
	CHECK(pthread_join(id, &got) == 0 && got == (void *)(long)child);
	return failures != 0;
}

static void waits_of_tracers(void)
{
	pid_t pid, tracer;

	CHILD(pid)
		sleep_for_ever();
	tracer = fork();
	if (!tracer)
		_exit(childless(pid));
	CHECK(exits(tracer, 0));
	CHECK(kill(pid, SIGKILL) == 0 && dies(pid, SIGKILL));
	/* A wait has waited for a tracee, and has no place for what that has used. */
	CHILD(pid)
		sleep_for_ever();
	CHILD(tracer) {
		CHECK(trace(PTRACE_SEIZE, pid, NULL, 0) == 0);
		CHECK(kill(pid, SIGKILL) == 0);
		CHECK_ERROR(syscall(SYS_wait4, pid, &status, __WALL, 8), EFAULT);
		sleep_for_ever();
	}
	alarm(60);
	CHECK(dies(pid, SIGKILL));
	alarm(0);
	CHECK(kill(tracer, SIGKILL) == 0 && dies(tracer, SIGKILL));
}

void tracing(void)
{
	errors();
	events();
	siginfos();
	calls();
	threads();
	tracers();
	late_tracees();
	waits_of_tracers();
}
