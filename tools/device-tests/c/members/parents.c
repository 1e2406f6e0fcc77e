// SPDX-License-Identifier: GPL-2.0
/* Parent-death signals, and what takes them away. All of it is the same natively. */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "members.h"

#define USER 65534

static int death_signal(void)
{
	int signal = -1;

	CHECK(prctl(PR_GET_PDEATHSIG, &signal) == 0);
	return signal;
}

/* In another program: is it still set? */
int death_signal_in_exec(void)
{
	return 40 + (death_signal() == SIGUSR1);
}

/* By another program, of another user and not. */
static void by_exec(void)
{
	char program[] = "/tmp/members-XXXXXX";
	char own[PATH_MAX], command[PATH_MAX + 40];
	pid_t pid;

	close(mkstemp(program));
	CHECK(realpath("/proc/self/exe", own));
	snprintf(command, sizeof(command), "cp %s %s", own, program);
	CHECK(system(command) == 0);
	CHECK(chmod(program, 0755) == 0);
	for (int is_suid = 0; is_suid < 2; is_suid++) {
		if (is_suid)
			CHECK(chown(program, USER, USER) == 0 && chmod(program, 04755) == 0);
		CHILD(pid) {
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			execl(program, program, "death-signal", NULL);
		}
		CHECK(exits(pid, is_suid ? 40 : 41));
	}
	unlink(program);
}

/* In a child of @parent, which exits once it is told: does this process get the signal? */
static char gets_signal(pid_t parent, int told, int is_taken)
{
	struct timespec patience = { .tv_sec = is_taken ? 0 : 600 };
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	if (is_taken)
		CHECK(setresuid(-1, USER, -1) == 0 && setresuid(-1, 0, -1) == 0);
	CHECK(write(told, "", 1) == 1);
	while (getppid() == parent)
		usleep(1000);
	return sigtimedwait(&usr1, NULL, &patience) == SIGUSR1 ? 'y' : 'n';
}

/* It is sent to who has asked for it, and not if it was taken away since. */
static void is_sent(int is_taken)
{
	int ready[2], result[2];
	char word = 0;
	pid_t pid;

	CHECK(pipe(ready) == 0 && pipe(result) == 0);
	CHILD(pid) {
		pid_t parent = getpid();

		if (fork() == 0) {
			word = gets_signal(parent, ready[1], is_taken);
			CHECK(write(result[1], &word, 1) == 1);
			_exit(0);
		}
		CHECK(read(ready[0], &word, 1) == 1);
	}
	CHECK(exits(pid, 0));
	CHECK(read(result[0], &word, 1) == 1 && word == (is_taken ? 'n' : 'y'));
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(result[i]);
	}
}

void parents(void)
{
	pid_t pid;

	CHILD(pid) {
		CHECK_ERROR(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
		CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0 && death_signal() == SIGUSR1);
		CHECK(setresuid(-1, -1, -1) == 0 && death_signal() == SIGUSR1);
		CHECK(setresuid(-1, USER, -1) == 0 && death_signal() == 0);
		CHECK(setresuid(-1, 0, -1) == 0 && death_signal() == 0);
	}
	CHECK(exits(pid, 0));
	by_exec();
	is_sent(0);
	is_sent(1);
}
