// SPDX-License-Identifier: GPL-2.0
/* What goes on in many processes when the end comes. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

/* Forks are under way in many processes; init exits with 7 after so many microseconds, or never. */
void races(int after)
{
	for (int i = 0; i < 8; i++) {
		if (fork() != 0)
			continue;
		for (int children = 0;;) {
			pid_t pid = fork();

			if (pid == 0)
				_exit(0);
			children += pid > 0;
			/* One at a time, or a few. */
			while (children > (i % 2 ? 0 : 4) && wait(NULL) > 0)
				children--;
		}
	}
	if (after == 0)
		sleep_for_ever();
	usleep(after);
	_exit(7);
}

/* So many children sleep when init exits. */
void crowd(int count)
{
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid == 0)
			sleep_for_ever();
		CHECK(pid == i + 2);
	}
}

/* A process group of hoppers: each forks, and the child goes on in its place. */
static pid_t hoppers(int count)
{
	pid_t leader = fork();

	if (leader != 0) {
		setpgid(leader, leader);
		return leader;
	}
	setpgid(0, 0);
	while (--count > 0 && fork() != 0)
		;
	for (;;)
		if (fork() != 0)
			_exit(0);
}

static void *forks(void *count)
{
	for (int i = 0; i < *(int *)count; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		CHECK(pid > 0);
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
	return NULL;
}

/* Threads fork while their process gets signals, which any of them may take. */
static void forks_among_signals(void)
{
	int count = 300;
	pid_t pid;

	CHILD(pid) {
		pthread_t threads[3];

		handle(SIGUSR1, SA_RESTART);
		kill(getppid(), SIGUSR2);
		for (int i = 0; i < 3; i++)
			CHECK(pthread_create(&threads[i], NULL, forks, &count) == 0);
		for (int i = 0; i < 3; i++)
			CHECK(pthread_join(threads[i], NULL) == 0);
	}
	while (!received)
		usleep(1000);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		kill(pid, SIGUSR1);
		usleep(50);
	}
	CHECK(status == 0);
}

/*
 * A signal for many is one event: nobody escapes it by forking while it goes round.
 * The hoppers' parent is init, which is the caller, as each of them exits at once.
 */
void escapes(void)
{
	handle(SIGUSR2, 0);
	forks_among_signals();
	for (int round = 0; round < 100; round++) {
		pid_t group = hoppers(4);
		int left = 0;

		usleep(round * 100);
		/* -1: everybody but init and the caller, which are one. */
		CHECK(kill(round % 2 ? -1 : -group, SIGKILL) == 0);
		/* Those that died before, and those that did by it: all are dead, or nearly. */
		while (wait(NULL) > 0 && left < 100000)
			left++;
		CHECK(left < 100000);
		CHECK_ERROR(kill(-group, 0), ESRCH);
		if (failures != 0)
			kill(-1, SIGKILL);
	}
}
