// SPDX-License-Identifier: GPL-2.0
/*
 * Pidfds, signals that are queued, and robust mutexes: what is kept of a process beside its
 * number. What is said is the same natively.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

#define NOBODY 12345
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
/* PIDFD_GET_INFO with the first struct that there was. */
struct info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, users[8];
	int32_t exit_code;
};

#define GET_INFO _IOWR(0xff, 11, struct info)

static int pidfd_open(pid_t pid, unsigned int flags)
{
	return syscall(SYS_pidfd_open, pid, flags);
}

static int send_by(int fd, int signal, siginfo_t *info, unsigned int flags)
{
	return syscall(SYS_pidfd_send_signal, fd, signal, info, flags);
}

static pid_t clone_with(uint64_t flags, int *pidfd)
{
	struct {
		uint64_t flags, pidfd, words[2], signal, more[6];
	} how = { .flags = flags, .pidfd = (uintptr_t)pidfd, .signal = SIGCHLD };

	return syscall(SYS_clone3, &how, sizeof(how));
}

static void pidfds(void)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
	struct info about = { .mask = 1 };
	struct pollfd poller;
	int fd, go[2];
	pid_t child;
	char byte;

	CHECK(pipe(go) == 0);
	CHILD(child) {
		CHECK(setpgid(0, 0) == 0);
		CHECK(read(go[0], &byte, 1) == 1);
		_exit(23);
	}
	fd = pidfd_open(child, 0);
	CHECK(fd >= 0);
	poller = (struct pollfd){ .fd = fd, .events = POLLIN };
	CHECK(poll(&poller, 1, 0) == 0);
	CHECK(send_by(fd, 0, NULL, 0) == 0);
	CHECK_ERROR(send_by(fd, 65, NULL, 0), EINVAL);
	CHECK_ERROR(send_by(fd, 0, NULL, 8), EINVAL);
	CHECK_ERROR(send_by(fd, 0, NULL, 3), EINVAL);
	CHECK_ERROR(send_by(go[0], 0, NULL, 0), EBADF);
	CHECK_ERROR(send_by(99, 0, NULL, 0), EBADF);
	CHECK_ERROR(send_by(fd, SIGUSR2, &info, 0), EINVAL);
	info.si_code = SI_USER;
	CHECK_ERROR(send_by(fd, SIGUSR1, &info, 0), EPERM);
	CHECK(ioctl(fd, GET_INFO, &about) == 0);
	CHECK(about.pid == (uint32_t)child && about.tgid == about.pid);
	CHECK(about.ppid == (uint32_t)getpid());
	CHECK(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED | WNOHANG, NULL) == 0);
	CHECK(info.si_pid == 0);
	CHECK(write(go[1], "", 1) == 1);
	CHECK(poll(&poller, 1, -1) == 1 && poller.revents & POLLIN);
	CHECK(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED | WNOWAIT, NULL) == 0);
	CHECK(info.si_pid == child && info.si_status == 23);
	/* As long as it is a zombie. */
	CHECK(send_by(fd, SIGTERM, NULL, 0) == 0);
	CHECK(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL) == 0);
	CHECK_ERROR(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL), ECHILD);
	CHECK_ERROR(send_by(fd, 0, NULL, 0), ESRCH);
	close(fd);
	CHECK_ERROR(pidfd_open(NOBODY, 0), ESRCH);
	CHECK_ERROR(pidfd_open(child, 0), ESRCH);
	CHECK_ERROR(pidfd_open(0, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_waitid, P_PIDFD, go[0], &info, WEXITED, NULL), EBADF);
	CHECK_ERROR(syscall(SYS_waitid, P_PIDFD, -1, &info, WEXITED, NULL), EINVAL);
	CHECK_ERROR(syscall(SYS_waitid, P_PIDFD, 99, &info, 0, NULL), EINVAL);
	CHECK_ERROR(setns(99, CLONE_NEWPID), EBADF);
	CHECK_ERROR(setns(go[0], CLONE_NEWPID), EINVAL);
	CHECK_ERROR(setns(go[0], 0), EINVAL);
	/* To a process group. */
	CHILD(child) {
		setpgid(0, 0);
		if (fork() == 0)
			sleep_for_ever();
		CHECK(write(go[1], "", 1) == 1);
		sleep_for_ever();
	}
	CHECK(read(go[0], &byte, 1) == 1);
	fd = pidfd_open(child, O_NONBLOCK);
	CHECK_ERROR(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL), EAGAIN);
	CHECK(send_by(fd, SIGKILL, NULL, 4) == 0 && dies(child, SIGKILL));
	/* As pid 1 this one has the child of the child as well. */
	CHECK(waitpid(-1, &status, __WALL) > 0 && WTERMSIG(status) == SIGKILL);
	close(fd);
	/* One's own, which is not one's child. */
	fd = pidfd_open(getpid(), 0);
	CHECK_ERROR(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL), ECHILD);
	handle(SIGUSR1, 0);
	CHECK(send_by(fd, SIGUSR1, NULL, 0) == 0 && received == SIGUSR1);
	CHECK(last.si_pid == getpid() && last.si_code == SI_USER);
	/* PIDFD_SELF_THREAD */
	CHECK(send_by(-10000, SIGUSR1, NULL, 0) == 0 && last.si_code == SI_TKILL);
	close(fd);
	/* A clone with one, as runtimes make it. */
	child = clone_with(CLONE_PIDFD, &fd);
	if (child == 0)
		_exit(5);
	CHECK(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL) == 0);
	CHECK(info.si_pid == child && info.si_status == 5);
	close(fd);
}

/* A pidfd that is opened when its process is dead already. */
static void of_the_dead(void)
{
	siginfo_t info;
	struct pollfd poller = { .events = POLLIN };
	pid_t child;
	int fd;

	CHILD(child)
		_exit(31);
	CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
	fd = pidfd_open(child, 0);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	poller.fd = fd;
	CHECK(poll(&poller, 1, -1) == 1 && poller.revents == POLLIN);
	CHECK(send_by(fd, SIGTERM, NULL, 0) == 0);
	CHECK_ERROR(pidfd_open(child, 7), EINVAL);
	CHECK_ERROR(setns(fd, CLONE_NEWUTS), ESRCH);
	CHECK(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL) == 0);
	CHECK(info.si_pid == child && info.si_status == 31);
	CHECK_ERROR(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL), ECHILD);
	CHECK_ERROR(send_by(fd, SIGTERM, NULL, 0), ESRCH);
	CHECK(poll(&poller, 1, 0) == 1 && poller.revents & POLLIN && poller.revents & POLLHUP);
	CHECK_ERROR(pidfd_open(child, 0), ESRCH);
	close(fd);
}

/* Who may not look into a process does not join its namespace either. */
static void not_joined(void)
{
	pid_t init = clone_with(CLONE_NEWPID, NULL), child;
	int fd;

	if (init == 0)
		sleep_for_ever();
	fd = pidfd_open(init, 0);
	CHILD(child) {
		CHECK(setgid(1000) == 0 && setuid(1000) == 0);
		CHECK_ERROR(setns(fd, CLONE_NEWPID), EPERM);
		if (unshare(CLONE_NEWUSER) == 0)
			CHECK_ERROR(setns(fd, CLONE_NEWPID), EPERM);
	}
	CHECK(exits(child, 0));
	CHECK(kill(init, SIGKILL) == 0 && dies(init, SIGKILL));
	close(fd);
}

/* Children are born where a pidfd says. */
static void joined(void)
{
	pid_t joins, init, inner;
	int fd;

	CHILD(joins) {
		init = clone_with(CLONE_NEWPID, NULL);
		if (init == 0)
			sleep_for_ever();
		fd = pidfd_open(init, 0);
		CHECK(setns(fd, CLONE_NEWPID) == 0);
		CHILD(inner)
			CHECK(getpid() == 2 && getppid() == 0);
		CHECK(exits(inner, 0));
		CHECK_ERROR(setns(fd, 0), EINVAL);
		CHECK(setns(fd, CLONE_NEWPID | CLONE_NEWUTS) == 0);
		CHECK(kill(init, SIGKILL) == 0 && dies(init, SIGKILL));
		CHECK_ERROR(setns(fd, CLONE_NEWPID), ESRCH);
		CHECK_ERROR(fork(), ENOMEM);
	}
	CHECK(exits(joins, 0));
}

/* An init whose namespace is rebooted. */
static void rebooted(void)
{
	pid_t init = clone_with(CLONE_NEWPID, NULL), child;

	if (init == 0) {
		CHECK_ERROR(reboot(0), EINVAL);
		CHILD(child)
			reboot(RB_POWER_OFF);
		sleep_for_ever();
	}
	/* LINUX_REBOOT_CMD_POWER_OFF */
	CHECK(dies(init, SIGINT));
}

static void queued(void)
{
	sigset_t set;
	siginfo_t info = { .si_signo = SIGRTMIN, .si_code = SI_USER };
	pid_t child;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 7 }) == 0);
	CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 8 }) == 0);
	CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 1 && info.si_int == 7);
	CHECK(info.si_code == SI_QUEUE && info.si_pid == getpid() && info.si_uid == getuid());
	CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 1 && info.si_int == 8);
	CHECK(pthread_sigqueue(pthread_self(), SIGUSR2, (union sigval){ .sival_int = 9 }) == 0);
	CHECK(sigwaitinfo(&set, &info) == SIGUSR2 && info.si_int == 9 && info.si_pid == getpid());
	CHILD(child)
		CHECK(sigqueue(getppid(), SIGUSR2, (union sigval){ .sival_int = 10 }) == 0);
	CHECK(sigwaitinfo(&set, &info) == SIGUSR2 && info.si_int == 10 && info.si_pid == child);
	CHECK(exits(child, 0));
	info.si_code = SI_USER;
	CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, NOBODY, SIGUSR2, &info), EPERM);
	/* A code that is not known, with more than is known. */
	info.si_code = 0x55;
	((char *)&info)[100] = 1;
	CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, &info), E2BIG);
	((char *)&info)[100] = 0;
	info.si_code = SI_QUEUE;
	CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, NOBODY, SIGUSR2, &info), ESRCH);
	CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, NULL), EFAULT);
	CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info), EINVAL);
	CHECK_ERROR(syscall(SYS_rt_tgsigqueueinfo, 0, gettid(), SIGUSR2, &info), EINVAL);
	CHECK_ERROR(syscall(SYS_rt_tgsigqueueinfo, NOBODY, gettid(), SIGUSR2, &info), ESRCH);
}

/* Where the handler says which thread has taken the signal. */
static int taken[2];

static void take(int signal, siginfo_t *info, void *context)
{
	pid_t tid = gettid();

	(void)signal;
	(void)context;
	last = *info;
	CHECK(write(taken[1], &tid, sizeof(tid)) == sizeof(tid));
}

static pid_t taker(void)
{
	pid_t tid;
	ssize_t got;

	do
		got = read(taken[0], &tid, sizeof(tid));
	while (got < 0 && errno == EINTR);
	return tid;
}

/* Says its number, and then only takes signals, but one. */
static void *takes(void *unused)
{
	pid_t tid = gettid();
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	CHECK(write(taken[1], &tid, sizeof(tid)) == sizeof(tid));
	sleep_for_ever();
	return unused;
}

/* A signal for a process by the number of a thread: that takes it if it wants it. */
static void by_a_thread(void)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE, .si_value.sival_int = 11 };
	struct sigaction action = { .sa_sigaction = take };
	pid_t child, own, tid, sender;
	pthread_t thread;
	sigset_t none;
	int fd;

	sigemptyset(&none);
	CHILD(child) {
		own = getpid();
		sigprocmask(SIG_SETMASK, &none, NULL);
		CHECK(pipe(taken) == 0);
		/* In the handler it wants the next one already. */
		action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER;
		sigaction(SIGUSR1, &action, NULL);
		sigaction(SIGUSR2, &action, NULL);
		CHECK(pthread_create(&thread, NULL, takes, NULL) == 0);
		tid = taker();
		CHECK(tid != own);
		CHECK(kill(tid, SIGUSR1) == 0 && taker() == tid);
		CHECK(last.si_code == SI_USER && last.si_pid == own);
		CHECK(kill(own, SIGUSR1) == 0 && taker() == own);
		CHECK(kill(tid, SIGUSR2) == 0 && taker() == own);
		CHECK(syscall(SYS_rt_sigqueueinfo, tid, SIGUSR1, &info) == 0 && taker() == tid);
		CHECK(last.si_code == SI_QUEUE && last.si_int == 11);
		/* PIDFD_THREAD, PIDFD_SIGNAL_THREAD_GROUP */
		fd = pidfd_open(tid, O_EXCL);
		CHECK(fd >= 0 && send_by(fd, SIGUSR1, NULL, 2) == 0 && taker() == tid);
		CHECK(last.si_code == SI_USER && last.si_pid == own);
		info.si_int = 12;
		CHECK(send_by(fd, SIGUSR1, &info, 2) == 0 && taker() == tid);
		CHECK(last.si_code == SI_QUEUE && last.si_int == 12);
		CHECK(send_by(fd, SIGUSR2, NULL, 2) == 0 && taker() == own);
		/* By somebody else. */
		CHILD(sender)
			CHECK(kill(tid, SIGUSR1) == 0);
		CHECK(taker() == tid && last.si_pid == sender);
		CHECK(exits(sender, 0));
		CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, NULL) == 0);
		/* Who joins a thread does so a little before its number is gone. */
		while (kill(tid, 0) == 0)
			sched_yield();
		CHECK_ERROR(kill(tid, 0), ESRCH);
		CHECK_ERROR(send_by(fd, 0, NULL, 2), ESRCH);
	}
	CHECK(exits(child, 0));
}

static pthread_mutex_t *mutex;

static void *lock_and_exit(void *unused)
{
	pthread_mutex_lock(mutex);
	return unused;
}

static void *lock_and_exec(void *tid)
{
	*(pid_t *)tid = gettid();
	pthread_mutex_lock(mutex);
	execl("/proc/self/exe", self, "whoami", NULL);
	return NULL;
}

static void robust(void)
{
	pthread_mutexattr_t attributes;
	pthread_t thread;
	pid_t *tid;
	pid_t child;

	mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(mutex, &attributes);
	CHECK(pthread_create(&thread, NULL, lock_and_exit, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(pthread_mutex_lock(mutex) == EOWNERDEAD);
	CHECK(pthread_mutex_consistent(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
	CHILD(child) {
		lock_and_exit(NULL);
		kill(getpid(), SIGKILL);
	}
	CHECK(dies(child, SIGKILL));
	CHECK(pthread_mutex_lock(mutex) == EOWNERDEAD);
	CHECK(pthread_mutex_consistent(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
	CHILD(child) {
		lock_and_exit(NULL);
		/* One that fails changes nothing. */
		CHECK_ERROR(execl("/dev/null", "null", NULL), EACCES);
		CHECK(pthread_mutex_unlock(mutex) == 0);
		lock_and_exit(NULL);
		execl("/proc/self/exe", self, "whoami", NULL);
	}
	CHECK(exits(child, 40));
	CHECK(pthread_mutex_lock(mutex) == EOWNERDEAD);
	CHECK(pthread_mutex_consistent(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
	/* The kernel does not find that of a thread that takes over the number of its leader. */
	tid = (pid_t *)(mutex + 1);
	CHILD(child) {
		pthread_create(&thread, NULL, lock_and_exec, tid);
		sleep_for_ever();
	}
	CHECK(exits(child, 40));
	CHECK(*tid != child && (*(pid_t *)mutex & 0x3fffffff) == *tid);
}

void handles(void)
{
	pidfds();
	of_the_dead();
	joined();
	not_joined();
	rebooted();
	queued();
	by_a_thread();
	robust();
}

/* A pidfd on somebody who is not in this world. */
void stranger(int fd)
{
	struct info about = { .mask = 1 };
	siginfo_t info;

	CHECK_ERROR(syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED | WNOHANG, NULL), ECHILD);
	CHECK_ERROR(send_by(fd, 0, NULL, 0), EINVAL);
	CHECK_ERROR(setns(fd, CLONE_NEWPID), EINVAL);
	CHECK_ERROR(ioctl(fd, GET_INFO, &about), ESRCH);
	CHECK(about.pid == 0 && about.tgid == 0 && about.ppid == 0);
}
