// SPDX-License-Identifier: GPL-2.0
/*
 * The real program of tests/members.rs. "members in CASE" is run in a world by
 * "altpid exec", as pid 1 of a namespace, and says by its exit status 0 that all of
 * the case held; otherwise it prints the lines that did not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int failures;
static const char *self;
static int status;
static volatile sig_atomic_t received;
static siginfo_t last;

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

static void receive(int signal, siginfo_t *info, void *context)
{
	(void)context;
	last = *info;
	received = signal;
}

static void handle(int signal, int flags)
{
	struct sigaction action = {
		.sa_sigaction = receive,
		.sa_flags = SA_SIGINFO | flags,
	};

	received = 0;
	sigaction(signal, &action, NULL);
}

/* A child that runs what follows in braces, and exits with its failures. */
#define CHILD(pid) for (pid = fork(); pid == 0; _exit(failures != 0))

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

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
	char *args[] = { "members", "whoami", NULL };

	(void)unused;
	execv(self, args);
	_exit(1);
}

/* wait4(2) for a child that exits with a status. */
static int exits(pid_t pid, int code)
{
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static int dies(pid_t pid, int signal)
{
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

static void ids(void)
{
	pid_t pid;

	CHECK(getpid() == 1 && gettid() == 1 && getppid() == 0);
	CHECK(getpgrp() == 0 && getsid(0) == 0);
	CHECK_ERROR(getpgid(99), ESRCH);
	CHECK(syscall(SYS_set_tid_address, &status) == 1);
	CHILD(pid) {
		CHECK(getpid() == 2 && gettid() == 2 && getppid() == 1);
		CHECK(setsid() == 2 && getsid(0) == 2 && getpgrp() == 2);
		CHECK_ERROR(setsid(), EPERM);
		CHECK_ERROR(setpgid(0, 0), EPERM);
	}
	CHECK(pid == 2);
	CHECK(exits(pid, 0));
	CHILD(pid) {
		CHECK(setpgid(0, 0) == 0 && getpgrp() == getpid());
		CHECK_ERROR(setpgid(1, 0), ESRCH);
	}
	CHECK(exits(pid, 0));
}

static void waits(void)
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
	signal(SIGCHLD, SIG_IGN);
	CHILD(pid);
	CHECK_ERROR(waitpid(pid, &status, 0), ECHILD);
}

static void signals(void)
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

static void families(void)
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

static void namespaces(void)
{
	struct clone_args args = { .flags = CLONE_NEWPID, .exit_signal = SIGCHLD };
	pid_t numbers[1] = { 4242 }, *word, pid, inner;
	int end[2];
	char byte;

	CHECK(pipe(end) == 0);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		CHECK(getpid() == 1 && getppid() == 0);
		CHILD(inner)
			CHECK(getpid() == 2 && getppid() == 1);
		CHECK(inner == 2 && exits(inner, 0));
		CHILD(inner)
			sleep_for_ever();
		CHECK(write(end[1], failures ? "n" : "y", 1) == 1);
		sleep_for_ever();
	}
	CHECK(pid == 2);
	CHECK(read(end[0], &byte, 1) == 1 && byte == 'y');
	/* From above it is killed, but by nothing less than SIGKILL. */
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(dies(pid, SIGKILL));
	CHECK_ERROR(wait(&status), ECHILD);
	CHILD(pid) {
		CHECK(unshare(CLONE_NEWPID) == 0);
		CHECK_ERROR(unshare(CLONE_NEWPID), EINVAL);
		CHILD(inner)
			CHECK(getpid() == 1 && getppid() == 0);
		CHECK(exits(inner, 0));
		/* Its init is gone. */
		CHECK_ERROR(fork(), ENOMEM);
	}
	CHECK(exits(pid, 0));
	args = (struct clone_args){
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)numbers,
		.set_tid_size = 1,
	};
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(getpid() != 4242);
	CHECK(pid == 4242);
	CHECK(exits(pid, 0));
	numbers[0] = 1;
	CHECK_ERROR(syscall(SYS_clone3, &args, sizeof(args)), EEXIST);
	/* The words that the kernel would write native numbers to. */
	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	args = (struct clone_args){
		.flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
		.exit_signal = SIGCHLD,
		.parent_tid = (uintptr_t)numbers,
		.child_tid = (uintptr_t)word,
	};
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(*word != getpid() || numbers[0] != getpid());
	CHECK(numbers[0] == pid);
	CHECK(exits(pid, 0));
	CHECK(*word == pid);
	/* What the kernel refuses leaves nothing behind. */
	CHECK_ERROR(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_FS, 0, 0, 0, 0), EINVAL);
	CHECK_ERROR(wait(&status), ECHILD);
}

static void programs(void)
{
	char *args[] = { "members", "whoami", NULL };
	pthread_t thread;
	pid_t pid, tid = 0;

	CHECK(pthread_create(&thread, NULL, thread_tells, &tid) == 0);
	CHECK(pthread_join(thread, NULL) == 0 && tid == 2);
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

static void refused(void)
{
	struct rlimit limit;
	cpu_set_t set;

	/* Its own number is translated, those of others are not let pass. */
	for (pid_t pid = 0; pid <= 1; pid++) {
		CHECK(sched_getaffinity(pid, sizeof(set), &set) == 0);
		CHECK(prlimit(pid, RLIMIT_NOFILE, NULL, &limit) == 0);
		CHECK(getpriority(PRIO_PROCESS, pid) == 0);
	}
	for (pid_t pid = 2; pid < 200; pid++) {
		CHECK_ERROR(sched_getaffinity(pid, sizeof(set), &set), ENOSYS);
		CHECK_ERROR(prlimit(pid, RLIMIT_NOFILE, NULL, &limit), ENOSYS);
		CHECK_ERROR(getpriority(PRIO_PROCESS, pid), ENOSYS);
		CHECK_ERROR(syscall(SYS_pidfd_open, pid, 0), ENOSYS);
	}
	CHECK_ERROR(syscall(SYS_ptrace, 0, 0, 0, 0), ENOSYS);
	CHECK_ERROR(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS);
	CHECK_ERROR(syscall(SYS_reboot, 0, 0, 0, 0), ENOSYS);
	CHECK_ERROR(syscall(SYS_setns, 0, 0), ENOSYS);
	CHECK_ERROR(fcntl(0, F_GETOWN), ENOSYS);
	CHECK_ERROR(syscall(473), ENOSYS);
	CHECK_ERROR(syscall(0x40000000 + SYS_getpid), ENOSYS);
}

/* Forks are under way in many processes; init exits with 7 after so many microseconds, or never. */
static void races(int after)
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
static void crowd(int count)
{
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid == 0)
			sleep_for_ever();
		CHECK(pid == i + 2);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "ids", ids },		{ "waits", waits },	  { "signals", signals },
		{ "families", families }, { "namespaces", namespaces }, { "programs", programs },
		{ "refused", refused },
	};
	int number = argc > 2 ? atoi(argv[2]) : 0;

	self = argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "whoami"))
		return getpid() == gettid() ? 40 : 41;
	if (!strcmp(argv[1], "races"))
		races(number);
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
