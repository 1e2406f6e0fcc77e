// SPDX-License-Identifier: GPL-2.0
/* Calls that carry the number of somebody else. What they say is the same natively. */
#define _GNU_SOURCE
#include <asm/sockios.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "members.h"

/* A number that nobody has. */
#define NOBODY 12345

static int word = 4711;

static void scheduling(pid_t child)
{
	struct sched_param param = { 0 };
	struct timespec interval;
	cpu_set_t set, got;
	char attr[64] = { 48 };

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CHECK(sched_setaffinity(child, sizeof(set), &set) == 0);
	CHECK(sched_getaffinity(child, sizeof(got), &got) == 0 && CPU_EQUAL(&set, &got));
	CHECK(sched_setscheduler(child, SCHED_BATCH, &param) == 0);
	CHECK(sched_getscheduler(child) == SCHED_BATCH && sched_getscheduler(0) == SCHED_OTHER);
	CHECK(sched_getscheduler(getpid()) == SCHED_OTHER);
	CHECK(sched_setparam(child, &param) == 0 && sched_getparam(child, &param) == 0);
	CHECK(sched_rr_get_interval(child, &interval) == 0);
	CHECK(syscall(SYS_sched_getattr, child, attr, 48, 0) == 0 && attr[4] == SCHED_BATCH);
	CHECK(syscall(SYS_sched_setattr, child, attr, 0) == 0);
	CHECK_ERROR(sched_getscheduler(NOBODY), ESRCH);
	CHECK_ERROR(sched_getscheduler(-1), EINVAL);
	CHECK_ERROR(sched_setaffinity(NOBODY, sizeof(set), &set), ESRCH);
	CHECK(setpriority(PRIO_PROCESS, child, 5) == 0 && getpriority(PRIO_PROCESS, child) == 5);
	CHECK(getpriority(PRIO_PROCESS, 0) == 0);
	CHECK(setpgid(child, child) == 0 && setpriority(PRIO_PGRP, child, 7) == 0);
	CHECK(getpriority(PRIO_PGRP, child) == 7 && getpriority(PRIO_PROCESS, child) == 7);
	CHECK_ERROR(getpriority(PRIO_PROCESS, NOBODY), ESRCH);
	CHECK_ERROR(getpriority(PRIO_PGRP, NOBODY), ESRCH);
	CHECK_ERROR(getpriority(3, child), EINVAL);
	CHECK_ERROR(getpriority(PRIO_PGRP, 0x7fffffff), ESRCH);
	/*
	 * IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP; the class of best effort. A kernel without block
	 * devices has none.
	 */
	if (syscall(SYS_ioprio_get, 1, 0) >= 0) {
		CHECK(syscall(SYS_ioprio_set, 1, child, 2 << 13 | 6) == 0);
		CHECK(syscall(SYS_ioprio_get, 1, child) == (2 << 13 | 6));
		CHECK(syscall(SYS_ioprio_get, 2, child) == (2 << 13 | 6));
		CHECK_ERROR(syscall(SYS_ioprio_get, 1, NOBODY), ESRCH);
	}
}

static void memory(pid_t child)
{
	int here = 0;
	struct iovec local = { &here, sizeof(here) }, remote = { &word, sizeof(word) };
	struct rlimit limit = { 40, 50 }, got;
	void *head;
	size_t length;
	long same;

	CHECK(process_vm_readv(child, &local, 1, &remote, 1, 0) == sizeof(here) && here == 4712);
	here = 4713;
	CHECK(process_vm_writev(child, &local, 1, &remote, 1, 0) == sizeof(here));
	CHECK(process_vm_readv(child, &local, 1, &remote, 1, 0) == sizeof(here) && here == 4713);
	CHECK_ERROR(process_vm_readv(NOBODY, &local, 1, &remote, 1, 0), ESRCH);
	CHECK(prlimit(child, RLIMIT_NOFILE, &limit, NULL) == 0);
	CHECK(prlimit(child, RLIMIT_NOFILE, NULL, &got) == 0 && got.rlim_cur == 40);
	CHECK(prlimit(0, RLIMIT_NOFILE, NULL, &got) == 0 && got.rlim_cur != 40);
	CHECK_ERROR(prlimit(NOBODY, RLIMIT_NOFILE, NULL, &got), ESRCH);
	CHECK(syscall(SYS_get_robust_list, child, &head, &length) == 0 && length == 24);
	CHECK_ERROR(syscall(SYS_get_robust_list, NOBODY, &head, &length), ESRCH);
	/* Kernels can lack it. */
	same = syscall(SYS_kcmp, child, child, 1, 0, 0);
	if (same == 0) {
		CHECK(syscall(SYS_kcmp, getpid(), child, 1, 0, 0) > 0);
		CHECK_ERROR(syscall(SYS_kcmp, getpid(), NOBODY, 1, 0, 0), ESRCH);
	}
}

/* Of a process, as clock_getcpuclockid(3) makes it. */
static clockid_t cpu_clock_of(pid_t pid)
{
	return ~pid * 8 + 2;
}

static void clocks(pid_t child)
{
	struct timespec now;
	clockid_t clock;
	timer_t timer;
	struct sigevent event = {
		.sigev_signo = SIGRTMIN,
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_value.sival_int = 9,
	};
	struct itimerspec soon = { .it_value.tv_nsec = 1 };
	sigset_t set;
	siginfo_t info;

	CHECK(clock_getcpuclockid(child, &clock) == 0 && clock < 0);
	CHECK(clock_gettime(clock, &now) == 0 && clock_getres(clock, &now) == 0);
	CHECK(clock_getcpuclockid(NOBODY, &clock) == ESRCH);
	CHECK_ERROR(clock_gettime(cpu_clock_of(NOBODY), &now), EINVAL);
	CHECK(clock_gettime(cpu_clock_of(getpid()), &now) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* sigev_notify_thread_id */
	((int *)&event)[4] = gettid();
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
	CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_int == 9);
	CHECK(timer_delete(timer) == 0);
	/* Another process is none of its threads. */
	((int *)&event)[4] = child;
	CHECK_ERROR(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
	CHECK(((int *)&event)[4] == child);
}

static void capabilities(pid_t child)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, child };
	struct __user_cap_data_struct own[2], data[2];

	CHECK(syscall(SYS_capget, &header, data) == 0 && header.pid == child);
	CHECK_ERROR(syscall(SYS_capset, &header, data), EPERM);
	header.pid = getpid();
	CHECK(syscall(SYS_capget, &header, own) == 0 && syscall(SYS_capset, &header, own) == 0);
	header.pid = NOBODY;
	CHECK_ERROR(syscall(SYS_capget, &header, data), ESRCH);
	header.version = 0;
	CHECK_ERROR(syscall(SYS_capget, &header, data), EINVAL);
	CHECK(header.version == _LINUX_CAPABILITY_VERSION_3 && header.pid == NOBODY);
}

static void owners(pid_t child)
{
	struct f_owner_ex owner = { F_OWNER_TID, gettid() };
	struct flock lock = { .l_type = F_WRLCK, .l_pid = 99 };
	int fd = memfd_create("owned", 0), pair[2], nr;
	const struct f_owner_ex *read_only;
	pid_t holder;

	CHECK(fcntl(fd, F_SETOWN, child) == 0 && fcntl(fd, F_GETOWN) == child);
	CHECK(fcntl(fd, F_SETOWN, -child) == 0 && fcntl(fd, F_GETOWN) == -child);
	CHECK(fcntl(fd, F_GETOWN_EX, &owner) == 0 && owner.type == F_OWNER_PGRP);
	CHECK(owner.pid == child);
	owner = (struct f_owner_ex){ F_OWNER_TID, gettid() };
	CHECK(fcntl(fd, F_SETOWN_EX, &owner) == 0 && fcntl(fd, F_GETOWN) == gettid());
	CHECK_ERROR(fcntl(fd, F_SETOWN, NOBODY), ESRCH);
	CHECK_ERROR(fcntl(fd, F_SETOWN, INT_MIN), EINVAL);
	CHECK(fcntl(fd, F_GETOWN) == gettid());
	CHECK(fcntl(fd, F_SETOWN, 0) == 0 && fcntl(fd, F_GETOWN) == 0);
	CHECK_ERROR(fcntl(99, F_GETOWN), EBADF);
	CHECK_ERROR(fcntl(fd, F_GETOWN_EX, NULL), EFAULT);
	/* What the kernel only reads may be read-only. */
	read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(fcntl(fd, F_SETOWN_EX, read_only) == 0);
	CHECK_ERROR(fcntl(fd, F_GETOWN_EX, read_only), EFAULT);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	nr = child;
	CHECK(ioctl(pair[0], FIOSETOWN, &nr) == 0);
	nr = 0;
	CHECK(ioctl(pair[0], FIOGETOWN, &nr) == 0 && nr == child);
	nr = -child;
	CHECK(ioctl(pair[0], SIOCSPGRP, &nr) == 0);
	nr = 0;
	CHECK(ioctl(pair[0], SIOCGPGRP, &nr) == 0 && nr == -child);
	CHECK(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK && lock.l_pid == 99);
	CHILD(holder) {
		struct flock held = { .l_type = F_WRLCK };

		CHECK(fcntl(fd, F_SETLK, &held) == 0);
		sleep_for_ever();
	}
	do {
		lock = (struct flock){ .l_type = F_WRLCK };
		CHECK(fcntl(fd, F_GETLK, &lock) == 0);
	} while (lock.l_type == F_UNLCK);
	CHECK(lock.l_pid == holder);
	CHECK(kill(holder, SIGKILL) == 0 && dies(holder, SIGKILL));
	/* Of an open file description it says -1. */
	lock = (struct flock){ .l_type = F_WRLCK };
	CHECK(fcntl(fd, F_OFD_SETLK, &lock) == 0 && fcntl(fd, F_GETLK, &lock) == 0);
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

void border(void)
{
	int ready[2];
	char byte;
	pid_t child;

	CHECK(pipe(ready) == 0);
	CHILD(child) {
		word++;
		CHECK(write(ready[1], "", 1) == 1);
		sleep_for_ever();
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	scheduling(child);
	memory(child);
	clocks(child);
	capabilities(child);
	owners(child);
	CHECK(kill(child, SIGKILL) == 0 && dies(child, SIGKILL));
	/* Without Yama there is none. */
	if (prctl(PR_SET_PTRACER, 0, 0, 0, 0) == 0) {
		CHECK(prctl(PR_SET_PTRACER, getpid(), 0, 0, 0) == 0);
		CHECK_ERROR(prctl(PR_SET_PTRACER, NOBODY, 0, 0, 0), EINVAL);
	}
}
