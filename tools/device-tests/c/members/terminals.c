// SPDX-License-Identifier: GPL-2.0
/* Job control by a terminal, as a shell does it. The rules are the same natively. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "members.h"

/* The terminal, and the other end of it. */
static int terminal;
static int master;

/* A job that does something for ever, in a process group of its own. */
static pid_t job(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		sleep_for_ever();
	}
	/* Both do it: neither waits for the other. */
	CHECK(setpgid(pid, pid) == 0);
	return pid;
}

/* A character is typed. */
static void type(char character)
{
	CHECK(write(master, &character, 1) == 1);
}

/* Whose terminal it is; what can be asked and said of it. */
static void belongs(void)
{
	pid_t self = getpid(), pid = job(), other;

	CHECK(tcgetpgrp(terminal) == self);
	CHECK(tcgetsid(terminal) == self);
	CHECK(tcsetpgrp(terminal, pid) == 0);
	CHECK(tcgetpgrp(terminal) == pid);
	/* By the other end too, which is nobody's controlling terminal. */
	CHECK(tcgetpgrp(master) == pid);
	CHECK(tcgetsid(master) == self);
	CHECK_ERROR(tcsetpgrp(terminal, 9999), ESRCH);
	CHECK_ERROR(tcsetpgrp(terminal, -1), EINVAL);
	/* The word is read, and nothing else. */
	static const pid_t constant = 9999;

	CHECK_ERROR(ioctl(terminal, TIOCSPGRP, &constant), ESRCH);
	CHECK_ERROR(ioctl(-1, TIOCSPGRP, &constant), EBADF);
	CHECK_ERROR(ioctl(terminal, TIOCSPGRP, NULL), EFAULT);
	CHECK_ERROR(ioctl(terminal, TIOCGPGRP, NULL), EFAULT);
	CHECK_ERROR(tcgetpgrp(-1), EBADF);
	/* A group of another session. */
	CHECK_ERROR(tcsetpgrp(terminal, getppid()), EPERM);
	CHECK(tcsetpgrp(terminal, self) == 0);
	CHECK(kill(-pid, SIGKILL) == 0 && dies(pid, SIGKILL));
	/* Who is in no session with a terminal. */
	CHILD(other) {
		CHECK(setsid() == getpid());
		CHECK_ERROR(tcgetpgrp(terminal), ENOTTY);
		CHECK_ERROR(tcsetpgrp(terminal, getpid()), ENOTTY);
		CHECK_ERROR(tcgetsid(terminal), ENOTTY);
	}
	CHECK(exits(other, 0));
}

static void *outlives_main(void *unused)
{
	(void)unused;
	sleep_for_ever();
	return NULL;
}

/* A job whose first processes, or threads, are gone. */
static void without_its_first(void)
{
	pid_t self = getpid(), first, second, pid;
	siginfo_t info;

	/* The first is a zombie when the second joins, and both belong to one group. */
	CHILD(first)
		setpgid(0, 0);
	CHECK(waitid(P_PID, first, &info, WEXITED | WNOWAIT) == 0);
	CHECK(tcsetpgrp(terminal, first) == 0);
	CHECK(tcsetpgrp(terminal, self) == 0);
	CHILD(second) {
		CHECK(setpgid(0, first) == 0);
		CHECK(getpgrp() == first);
		sleep_for_ever();
	}
	CHECK(setpgid(second, first) == 0);
	CHECK(tcsetpgrp(terminal, first) == 0);
	CHECK(tcgetpgrp(terminal) == first);
	type('C' & 0x1f);
	CHECK(dies(second, SIGINT));
	CHECK(tcsetpgrp(terminal, self) == 0);
	CHECK(exits(first, 0));
	/* The main thread has exited. */
	CHILD(pid) {
		pthread_t thread;

		setpgid(0, 0);
		pthread_create(&thread, NULL, outlives_main, NULL);
		/* Only this thread. */
		syscall(SYS_exit, 0);
	}
	setpgid(pid, pid);
	CHECK(tcsetpgrp(terminal, pid) == 0);
	CHECK(tcgetpgrp(terminal) == pid);
	CHECK(kill(pid, SIGKILL) == 0 && dies(pid, SIGKILL));
	CHECK(tcsetpgrp(terminal, self) == 0);
}

/* What is typed reaches the job in the foreground. */
static void is_typed(void)
{
	pid_t self = getpid(), pid = job();

	CHECK(tcsetpgrp(terminal, pid) == 0);
	type('Z' & 0x1f);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
	CHECK(tcsetpgrp(terminal, self) == 0);
	CHECK(kill(-pid, SIGCONT) == 0);
	CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	CHECK(tcsetpgrp(terminal, pid) == 0);
	type('C' & 0x1f);
	CHECK(dies(pid, SIGINT));
	CHECK(tcsetpgrp(terminal, self) == 0);
}

/* Who is in the background stops when it wants to have the terminal, or to read from it. */
static void in_the_background(void)
{
	char character;
	pid_t pid;

	for (int reads = 0; reads <= 1; reads++) {
		CHILD(pid) {
			setpgid(0, 0);
			signal(SIGTTOU, SIG_DFL);
			if (reads)
				CHECK(read(terminal, &character, 1) == 1);
			else
				CHECK(tcsetpgrp(terminal, getpid()) == 0);
		}
		setpgid(pid, pid);
		CHECK(waitpid(pid, &status, WUNTRACED) == pid);
		CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == (reads ? SIGTTIN : SIGTTOU));
		/* In the foreground it goes on with what it was doing. */
		CHECK(tcsetpgrp(terminal, pid) == 0);
		type('\n');
		CHECK(kill(-pid, SIGCONT) == 0);
		CHECK(exits(pid, 0));
		CHECK(tcsetpgrp(terminal, getpid()) == 0);
	}
}

void terminals(void)
{
	pid_t pid;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	CHILD(pid) {
		CHECK(setsid() == getpid());
		terminal = open(ptsname(master), O_RDWR);
		CHECK(terminal >= 0);
		/* As shells do: it may take the terminal back. */
		signal(SIGTTOU, SIG_IGN);
		belongs();
		without_its_first();
		is_typed();
		in_the_background();
	}
	CHECK(exits(pid, 0));
}
