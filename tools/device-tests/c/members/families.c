// SPDX-License-Identifier: GPL-2.0
/* Orphans, subreapers, and the signal when a parent dies. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

void families(void)
{
	int end[2];
	char byte;
	pid_t pid, orphan;

	CHECK(pipe(end) == 0);
	CHILD(pid)
		CHILD(orphan) {
			while (getppid() != 1)
				usleep(1000);
			orphan = getpid();
			CHECK(write(end[1], &orphan, sizeof(orphan)) == sizeof(orphan));
			_exit(9);
		}
	CHECK(exits(pid, 0));
	CHECK(read(end[0], &orphan, sizeof(orphan)) == sizeof(orphan));
	CHECK(exits(orphan, 9));
	CHILD(pid) {
		pid_t reaper = getpid();
		int on = 0;

		CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
		CHECK(prctl(PR_GET_CHILD_SUBREAPER, &on) == 0 && on == 1);
		CHILD(pid)
			CHILD(orphan)
				while (getppid() != reaper)
					usleep(1000);
		CHECK(wait(&status) > 1 && wait(&status) > 1);
		CHECK_ERROR(wait(&status), ECHILD);
	}
	CHECK(exits(pid, 0));
	/* A signal when the parent dies. */
	CHILD(pid) {
		CHILD(orphan) {
			handle(SIGUSR1, 0);
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			CHECK(write(end[1], "r", 1) == 1);
			while (!received)
				usleep(1000);
			CHECK(write(end[1], "d", 1) == 1);
		}
		CHECK(read(end[0], &byte, 1) == 1);
	}
	CHECK(exits(pid, 0));
	CHECK(read(end[0], &byte, 1) == 1 && byte == 'd');
	CHECK(wait(&status) > 1);
}
