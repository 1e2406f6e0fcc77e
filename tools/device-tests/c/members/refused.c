// SPDX-License-Identifier: GPL-2.0
/* What names somebody and is not translated yet. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "members.h"

void refused(void)
{
	struct rlimit limit;
	cpu_set_t set;
	int pair[2];
	socklen_t length = sizeof(limit);
	char self[] = "self", *words[2] = { self };
	struct cmsghdr control[2] = {
		{ .cmsg_len = ~0UL, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS },
	};
	struct msghdr message = { .msg_control = control, .msg_controllen = sizeof(control) };

	/* Its own number is translated, those of others are not let pass. */
	for (pid_t pid = 0; pid <= 1; pid++) {
		CHECK(sched_getaffinity(pid, sizeof(set), &set) == 0);
		CHECK(prlimit(pid, RLIMIT_NOFILE, NULL, &limit) == 0);
		CHECK(getpriority(PRIO_PROCESS, pid) == 0);
	}
	for (pid_t pid = 2; pid < 200; pid++) {
		CHECK_ERROR(sched_getaffinity(pid, sizeof(set), &set), ENOSYS);
		CHECK_ERROR(prlimit(pid, RLIMIT_NOFILE, NULL, &limit), ENOSYS);
		CHECK_ERROR(getpriority(PRIO_PROCESS, pid), ENOSYS);
		CHECK_ERROR(syscall(SYS_pidfd_open, pid, 0), ENOSYS);
	}
	CHECK_ERROR(syscall(SYS_ptrace, 0, 0, 0, 0), ENOSYS);
	CHECK_ERROR(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS);
	CHECK_ERROR(syscall(SYS_reboot, 0, 0, 0, 0), ENOSYS);
	CHECK_ERROR(syscall(SYS_setns, 0, 0), ENOSYS);
	/* Arguments of which the kernel sees the lower half. */
	CHECK_ERROR(syscall(SYS_setns, 0, 1L << 32), ENOSYS);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK_ERROR(syscall(SYS_getsockopt, pair[0], SOL_SOCKET | 1L << 32, SO_PEERCRED,
			    &limit, &length), ENOSYS);
	/* A control message that would end beyond all memory is the kernel's to refuse. */
	CHECK_ERROR(sendmsg(pair[0], &message, 0), EINVAL);
	/* AT_EXECVE_CHECK: it goes on as it was. */
	CHECK(syscall(SYS_execveat, AT_FDCWD, "/proc/self/exe", words, words + 1, 0x10000) == 0);
	CHECK(getpid() == 1);
	CHECK_ERROR(fcntl(0, F_GETOWN), ENOSYS);
	CHECK_ERROR(syscall(473), ENOSYS);
	CHECK_ERROR(syscall(0x40000000 + SYS_getpid), ENOSYS);
}
