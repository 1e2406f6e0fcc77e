// SPDX-License-Identifier: GPL-2.0
/* Signals: whom they reach, and what comes along. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "members.h"

void signals(void)
{
	struct timespec limit = { .tv_sec = 60 };
	struct signalfd_siginfo read_info;
	siginfo_t info;
	sigset_t set;
	pid_t pid, other;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHILD(pid)
		_exit(17);
	CHECK(sigtimedwait(&set, &info, &limit) == SIGCHLD);
	CHECK(info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 17);
	CHECK(exits(pid, 17));
	CHILD(pid) {
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		sleep_for_ever();
	}
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && status == (SIGSTOP << 8 | 0x7f));
	CHECK(sigtimedwait(&set, &info, &limit) == SIGCHLD);
	CHECK(info.si_pid == pid && info.si_code == CLD_STOPPED && info.si_status == SIGSTOP);
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	CHECK(sigtimedwait(&set, &info, &limit) == SIGCHLD);
	CHECK(info.si_pid == pid && info.si_code == CLD_CONTINUED);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(dies(pid, SIGKILL));
	CHECK(sigtimedwait(&set, &info, &limit) == SIGCHLD && info.si_code == CLD_KILLED);
	CHILD(pid)
		kill(getppid(), SIGUSR2);
	CHECK(sigtimedwait(&set, &info, &limit) >= 0 && info.si_pid == pid);
	CHECK(exits(pid, 0));
	sigtimedwait(&set, &info, &limit);
	fd = signalfd(-1, &set, 0);
	CHILD(pid)
		kill(getppid(), SIGUSR2);
	CHECK(read(fd, &read_info, sizeof(read_info)) == sizeof(read_info));
	CHECK((pid_t)read_info.ssi_pid == pid);
	CHECK(exits(pid, 0));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	/* An init is immune from inside, to itself as well. */
	CHILD(pid) {
		CHECK(kill(1, SIGKILL) == 0 && kill(1, SIGTERM) == 0 && kill(1, SIGSTOP) == 0);
	}
	CHECK(exits(pid, 0));
	CHECK(kill(1, SIGKILL) == 0 && kill(getpid(), SIGTERM) == 0);
	CHILD(pid) {
		handle(SIGUSR1, 0);
		CHECK(raise(SIGUSR1) == 0);
		CHECK(last.si_code == SI_TKILL && last.si_pid == getpid());
		abort();
	}
	CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGABRT);
	/* Groups, and everybody. */
	CHILD(pid) {
		CHECK(setpgid(0, 0) == 0);
		for (int i = 0; i < 2; i++)
			CHILD(other)
				sleep_for_ever();
		signal(SIGTERM, SIG_IGN);
		CHECK(kill(0, SIGTERM) == 0);
		for (int i = 0; i < 2; i++)
			CHECK(wait(&status) > 1 && WTERMSIG(status) == SIGTERM);
	}
	CHECK(exits(pid, 0));
	CHECK_ERROR(kill(-1, 0), ESRCH);
	for (int i = 0; i < 2; i++)
		CHILD(other)
			sleep_for_ever();
	CHECK(kill(-1, SIGKILL) == 0);
	CHECK(wait(&status) > 1 && wait(&status) > 1);
	CHECK_ERROR(wait(&status), ECHILD);
	CHECK_ERROR(kill(-9999, SIGTERM), ESRCH);
	CHECK_ERROR(kill(1, 99), EINVAL);
	CHECK_ERROR(syscall(SYS_tgkill, 0, 1, 0), EINVAL);
}
