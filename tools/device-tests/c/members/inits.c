// SPDX-License-Identifier: GPL-2.0
/* How the init of a namespace ends. What is said is the same natively. */
#define _GNU_SOURCE
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

static char stack[1 << 16];

static int sleeps(void *unused)
{
	(void)unused;
	sleep_for_ever();
	return 0;
}

/* A child with another pid namespace, whose init it is. */
static pid_t init_with(int flags)
{
	return clone(sleeps, stack + sizeof(stack), flags | CLONE_NEWPID | SIGCHLD, NULL);
}

/* An init is dead when its namespace is empty, and not before: to who polls it as to who waits. */
static void waits_for_its_own(void)
{
	struct pollfd poller = { .events = POLLIN };
	pid_t joins, init, inner;
	siginfo_t info = { 0 };

	CHILD(joins) {
		init = init_with(0);
		poller.fd = syscall(SYS_pidfd_open, init, 0);
		CHECK(poller.fd >= 0 && setns(poller.fd, CLONE_NEWPID) == 0);
		CHILD(inner)
			sleep_for_ever();
		CHECK(kill(init, SIGKILL) == 0);
		/* A zombie is in the namespace as long as its parent has not waited for it. */
		CHECK(waitid(P_PID, inner, &info, WEXITED | WNOWAIT) == 0);
		CHECK(info.si_code == CLD_KILLED && info.si_status == SIGKILL);
		/* If it was dead it would have said so by then. */
		CHECK(poll(&poller, 1, 500) == 0);
		CHECK(waitpid(init, &status, WNOHANG) == 0);
		CHECK(dies(inner, SIGKILL));
		CHECK(poll(&poller, 1, -1) == 1 && poller.revents & POLLIN);
		CHECK(dies(init, SIGKILL));
	}
	CHECK(exits(joins, 0));
}

/* An init that dies ignores SIGCHLD, and so does who has its handlers. */
static void shares_handlers(void)
{
	struct sigaction action;
	pid_t parent, init, child;

	CHILD(parent) {
		signal(SIGCHLD, SIG_DFL);
		init = init_with(CLONE_VM | CLONE_SIGHAND);
		CHECK(init > 0 && kill(init, SIGKILL) == 0);
		CHECK_ERROR(waitpid(init, &status, 0), ECHILD);
		CHECK(sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
		CHILD(child)
			;
		CHECK_ERROR(waitpid(child, &status, 0), ECHILD);
	}
	CHECK(exits(parent, 0));
	/* Its own handlers are nobody else's. */
	CHILD(parent) {
		init = init_with(0);
		CHECK(kill(init, SIGKILL) == 0 && dies(init, SIGKILL));
		CHECK(sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
	}
	CHECK(exits(parent, 0));
}

void inits(void)
{
	waits_for_its_own();
	shares_handlers();
}
