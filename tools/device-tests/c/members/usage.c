// SPDX-License-Identifier: GPL-2.0
/* What processes have used, and who is told of it. The rules are the same natively. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "members.h"

/* Time of the CPU, in milliseconds: what is used at least. */
#define USED 60

static long own(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static long sum(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

static long of_children(void)
{
	struct rusage usage;

	CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
	return sum(&usage);
}

static void use(void)
{
	while (own(CLOCK_PROCESS_CPUTIME_ID) < USED)
		;
}

void usage(void)
{
	struct rusage usage;
	siginfo_t info;
	struct tms tms;
	pid_t pid;

	CHECK(of_children() == 0);
	/* Who is looked at and not reaped counts for nobody. */
	CHILD(pid) {
		memset(malloc(8 << 20), 1, 8 << 20);
		use();
	}
	CHECK(syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, &usage) == 0);
	CHECK(sum(&usage) >= USED / 2);
	CHECK(of_children() == 0);
	memset(&usage, -1, sizeof(usage));
	CHECK(wait4(pid, &status, 0, &usage) == pid && WIFEXITED(status));
	CHECK(sum(&usage) >= USED / 2);
	CHECK(usage.ru_maxrss >= 8 << 10 && usage.ru_minflt > 8 && usage.ru_nswap == 0);
	CHECK(of_children() >= USED / 2);
	CHECK(times(&tms) != -1 && tms.tms_cutime + tms.tms_cstime > 0);
	/* That of a grandchild comes with the child who has waited for it. */
	CHILD(pid) {
		pid_t grandchild;

		CHILD(grandchild)
			use();
		CHECK(exits(grandchild, 0));
	}
	CHECK(wait4(pid, &status, 0, &usage) == pid && WEXITSTATUS(status) == 0);
	CHECK(sum(&usage) >= USED / 2);
	CHECK(of_children() >= USED);
	/* Nobody waits for it, and it counts for nobody. */
	long before = of_children();

	signal(SIGCHLD, SIG_IGN);
	CHILD(pid)
		use();
	CHECK_ERROR(wait4(pid, &status, 0, &usage), ECHILD);
	CHECK(of_children() == before);
	signal(SIGCHLD, SIG_DFL);
	/* One that stops has used something so far, or it is not said. */
	CHILD(pid)
		raise(SIGSTOP);
	CHECK(wait4(pid, &status, WUNTRACED, &usage) == pid && WIFSTOPPED(status));
	CHECK(of_children() == before);
	CHECK(kill(pid, SIGKILL) == 0 && dies(pid, SIGKILL));
}
