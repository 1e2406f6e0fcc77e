/* SPDX-License-Identifier: GPL-2.0 */
/* What the cases of the real program have in common. */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

/* What did not hold, in this process. */
extern int failures;
/* This program. */
extern const char *self;
/* That of the last child that was waited for. */
extern int status;
/* What the handler has received last. */
extern atomic_int received;
extern siginfo_t last;

#define CHECK(holds)								\
	do {									\
		int error = errno;						\
										\
		errno = 0;							\
		if (!(holds)) {							\
			failures++;						\
			printf("line %d: %s (errno %d before, %d behind, status %x)\n",	\
			       __LINE__, #holds, error, errno, status);		\
		}								\
	} while (0)

#define CHECK_ERROR(call, number) CHECK((call) == -1 && errno == (number))

/* A child that runs what follows in braces, and exits with its failures. */
#define CHILD(pid) for (pid = fork(); pid == 0; _exit(failures != 0))

/* Has a signal received, with these SA_ flags. */
void handle(int signal, int flags);
void sleep_for_ever(void);
/* wait4(2) for a child that exits with a status. */
int exits(pid_t pid, int code);
/* wait4(2) for a child that dies by a signal. */
int dies(pid_t pid, int signal);

int death_signal_in_exec(void);

/* The cases. */
void ids(void);
void waits(void);
void signals(void);
void families(void);
void namespaces(void);
void programs(void);
void refused(void);
void terminals(void);
void usage(void);
void border(void);
void peers(void);
void handles(void);
void inits(void);
void escapes(void);
void parents(void);
void procfs(void);
void tracing(void);
void stranger(int fd);
void races(int after);
void crowd(int count);
void rows(void);

#endif
