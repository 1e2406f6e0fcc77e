// SPDX-License-Identifier: GPL-2.0
/* Threads, vfork, exec. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

static char *const args[] = { "members", "whoami", NULL };

static void *thread_sleeps(void *unused)
{
	(void)unused;
	sleep_for_ever();
	return NULL;
}

static void *thread_tells(void *tid)
{
	*(pid_t *)tid = gettid();
	return NULL;
}

static void *thread_execs(void *unused)
{
	(void)unused;
	execv(self, args);
	_exit(1);
}

void programs(void)
{
	pthread_t thread;
	pid_t pid, tid = 0;

	for (pid_t next = 2; next < 100; next++) {
		CHECK(pthread_create(&thread, NULL, thread_tells, &tid) == 0);
		CHECK(pthread_join(thread, NULL) == 0 && tid == next);
	}
	CHECK(posix_spawn(&pid, self, NULL, NULL, args, environ) == 0);
	CHECK(exits(pid, 40));
	pid = vfork();
	if (pid == 0) {
		execv(self, args);
		_exit(1);
	}
	CHECK(exits(pid, 40));
	/* A thread that does not lead becomes the process. */
	CHILD(pid) {
		pthread_create(&thread, NULL, thread_sleeps, NULL);
		pthread_create(&thread, NULL, thread_execs, NULL);
		sleep_for_ever();
	}
	CHECK(exits(pid, 40));
	/* A leader that exits first is waited for when the last thread has. */
	CHILD(pid) {
		pthread_create(&thread, NULL, thread_sleeps, NULL);
		syscall(SYS_exit, 0);
	}
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(dies(pid, SIGTERM));
}
