// SPDX-License-Identifier: GPL-2.0
/* wait4(2) and waitid(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "members.h"

/* Who has its SIGCHLD for a stop, or a continue, finds it without sleeping. */
static void finds_what_it_is_told(void)
{
	sigset_t child, before;
	siginfo_t info;
	pid_t pid;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	for (int round = 0; round < 50; round++) {
		struct timespec none = { 0 };

		CHILD(pid) {
			raise(SIGSTOP);
			sleep_for_ever();
		}
		CHECK(sigwaitinfo(&child, &info) == SIGCHLD && info.si_code == CLD_STOPPED);
		CHECK(waitpid(pid, &status, WNOHANG | WUNTRACED) == pid && WIFSTOPPED(status));
		CHECK(waitpid(pid, &status, WNOHANG | WUNTRACED) == 0);
		CHECK(kill(pid, SIGCONT) == 0);
		CHECK(sigwaitinfo(&child, &info) == SIGCHLD && info.si_code == CLD_CONTINUED);
		CHECK(waitpid(pid, &status, WNOHANG | WCONTINUED) == pid && WIFCONTINUED(status));
		CHECK(kill(pid, SIGKILL) == 0);
		CHECK(dies(pid, SIGKILL));
		while (sigtimedwait(&child, &info, &none) > 0)
			;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void waits(void)
{
	siginfo_t info = { 0 };
	pid_t pid;

	CHECK_ERROR(waitpid(-1, &status, 0), ECHILD);
	CHECK_ERROR(waitpid(-1, &status, 0x777777), EINVAL);
	CHILD(pid)
		_exit(3);
	CHECK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_signo == SIGCHLD && info.si_code == CLD_EXITED);
	CHECK(info.si_pid == pid && info.si_status == 3 && info.si_uid == getuid());
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(exits(pid, 3));
	CHECK_ERROR(kill(pid, 0), ESRCH);
	CHILD(pid)
		sleep_for_ever();
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(dies(pid, SIGTERM));
	/* Without SA_RESTART a handler ends the wait, with it the wait goes on. */
	for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
		int end[2];

		handle(SIGUSR1, flags);
		CHECK(pipe(end) == 0);
		CHILD(pid) {
			char byte;

			for (close(end[1]); read(end[0], &byte, 1) != 1;)
				;
			_exit(0);
		}
		pid_t other = fork();

		if (other == 0 && flags == 0)
			for (;; usleep(10000))
				kill(1, SIGUSR1);
		if (other == 0) {
			kill(1, SIGUSR1);
			_exit(write(end[1], "", 1) != 1);
		}
		if (flags == 0) {
			CHECK_ERROR(waitpid(pid, &status, 0), EINTR);
			kill(other, SIGKILL);
			CHECK(write(end[1], "", 1) == 1);
		} else {
			CHECK(exits(pid, 0));
		}
		CHECK(received == SIGUSR1);
		CHECK(last.si_pid == other && last.si_code == SI_USER);
		while (wait(&status) > 0 || errno == EINTR)
			;
		close(end[0]);
		close(end[1]);
	}
	finds_what_it_is_told();
	signal(SIGCHLD, SIG_IGN);
	CHILD(pid);
	CHECK_ERROR(waitpid(pid, &status, 0), ECHILD);
}
