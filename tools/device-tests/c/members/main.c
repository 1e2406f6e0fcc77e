// SPDX-License-Identifier: GPL-2.0
/*
 * The real program of tests/members.rs. "members CASE" is run in a world by
 * "altpid exec", as pid 1 of a namespace, and says by its exit status 0 that all of
 * the case held; otherwise it prints the lines that did not. "members closing COMMAND"
 * runs a command that has no descriptor of the world. "members queued" says what comes along
 * with a SIGUSR1, which "members queue PID" sends. "members stranger FD" has a pidfd on somebody of
 * another world.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

int failures;
const char *self;
int status;
atomic_int received;
siginfo_t last;

static void receive(int signal, siginfo_t *info, void *context)
{
	(void)context;
	last = *info;
	received = signal;
}

void handle(int signal, int flags)
{
	struct sigaction action = {
		.sa_sigaction = receive,
		.sa_flags = SA_SIGINFO | flags,
	};

	received = 0;
	sigaction(signal, &action, NULL);
}

void sleep_for_ever(void)
{
	for (;;)
		pause();
}

int exits(pid_t pid, int code)
{
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == code;
}

int dies(pid_t pid, int signal)
{
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "ids", ids },		{ "waits", waits },	  { "signals", signals },
		{ "families", families }, { "namespaces", namespaces }, { "programs", programs },
		{ "refused", refused },	{ "terminals", terminals }, { "inits", inits },
		{ "usage", usage },	{ "border", border },	{ "peers", peers },
		{ "handles", handles },	{ "procfs", procfs },	{ "rows", rows },
		{ "escapes", escapes },	{ "parents", parents }, { "tracing", tracing },
	};
	int number = argc > 2 ? atoi(argv[2]) : 0;

	self = argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "whoami"))
		return getpid() == gettid() ? 40 : 41;
	if (!strcmp(argv[1], "death-signal"))
		return death_signal_in_exec();
	if (!strcmp(argv[1], "closing") && argc > 2) {
		/* A shell can only close those below 10. */
		close_range(3, ~0U, 0);
		execvp(argv[2], argv + 2);
		return 127;
	}
	if (!strcmp(argv[1], "queue") && argc > 2)
		return sigqueue(number, SIGUSR1, (union sigval){ .sival_int = 5 }) != 0;
	if (!strcmp(argv[1], "queued")) {
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		puts("ready");
		while (sigwaitinfo(&set, &last) < 0)
			;
		printf("%d %d %d\n", last.si_code, last.si_pid, last.si_int);
		return 0;
	}
	if (!strcmp(argv[1], "races"))
		races(number);
	if (!strcmp(argv[1], "stranger")) {
		stranger(number);
		return failures != 0;
	}
	if (!strcmp(argv[1], "crowd")) {
		crowd(number);
		return failures != 0;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return failures != 0;
		}
	return 2;
}
