// SPDX-License-Identifier: GPL-2.0
/* What names somebody and is not translated yet. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

void refused(void)
{
	char self[] = "self", *words[2] = { self };
	struct cmsghdr control[2] = {
		{ .cmsg_len = ~0UL, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS },
	};
	struct msghdr message = { .msg_control = control, .msg_controllen = sizeof(control) };
	int pair[2], futex = 0;
	siginfo_t info;
	pid_t zombies;

	CHECK_ERROR(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS);
	CHECK_ERROR(syscall(SYS_setns, 99, 0), EBADF);
	/* FUTEX_LOCK_PI; arguments of which the kernel sees the lower half. */
	CHECK_ERROR(syscall(SYS_futex, &futex, 6 | 1L << 32, 0, NULL, NULL, 0), ENOSYS);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	/* A control message that would end beyond all memory is the kernel's to refuse. */
	CHECK_ERROR(sendmsg(pair[0], &message, 0), EINVAL);
	/* AT_EXECVE_CHECK: it goes on as it was. */
	CHECK(syscall(SYS_execveat, AT_FDCWD, "/proc/self/exe", words, words + 1, 0x10000) == 0);
	CHECK(getpid() == 1);
	/* Natively zombies are members of their process group; here they have no body. */
	CHILD(zombies)
		CHECK(setpgid(0, 0) == 0);
	CHECK(waitid(P_PID, zombies, &info, WEXITED | WNOWAIT) == 0);
	CHECK_ERROR(setpriority(PRIO_PGRP, zombies, 7), ESRCH);
	CHECK_ERROR(fcntl(pair[0], F_SETOWN, -zombies), ESRCH);
	CHECK(getpriority(PRIO_PROCESS, 0) == 0 && exits(zombies, 0));
	CHECK_ERROR(syscall(473), ENOSYS);
	CHECK_ERROR(syscall(0x40000000 + SYS_getpid), ENOSYS);
}
