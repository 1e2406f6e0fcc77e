// SPDX-License-Identifier: GPL-2.0
/* The numbers of a process, its process group and its session. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "members.h"

void ids(void)
{
	pid_t pid;

	CHECK(getpid() == 1 && gettid() == 1 && getppid() == 0);
	CHECK(getpgrp() == 0 && getsid(0) == 0);
	CHECK_ERROR(getpgid(99), ESRCH);
	CHECK(syscall(SYS_set_tid_address, &status) == 1);
	CHILD(pid) {
		CHECK(getpid() == 2 && gettid() == 2 && getppid() == 1);
		CHECK(setsid() == 2 && getsid(0) == 2 && getpgrp() == 2);
		CHECK_ERROR(setsid(), EPERM);
		CHECK_ERROR(setpgid(0, 0), EPERM);
	}
	CHECK(pid == 2);
	CHECK(exits(pid, 0));
	CHILD(pid) {
		CHECK(setpgid(0, 0) == 0 && getpgrp() == getpid());
		CHECK_ERROR(setpgid(1, 0), ESRCH);
	}
	CHECK(exits(pid, 0));
}
