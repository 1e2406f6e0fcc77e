// SPDX-License-Identifier: GPL-2.0
/*
 * A machine on which everything goes on at once: real processes, in a pid namespace of their own,
 * that are dying, stopped, traced, dead, nested, named strangely, waiting for an init, and born
 * and gone all the time. They go with the init of that namespace.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void forever(void)
{
	for (;;)
		pause();
}

static void fail(const char *what)
{
	perror(what);
	_exit(1);
}

static void name(const char *comm)
{
	prctl(PR_SET_NAME, comm);
}

/* A child that does something and stays. */
static pid_t start(const char *comm, void (*body)(void))
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child)
		return child;
	name(comm);
	body();
	forever();
	return 0;
}

static void nothing(void)
{
}

static void stop(void)
{
	raise(SIGSTOP);
}

static void end(void)
{
	_exit(3);
}

static void unshare_pid(void)
{
	if (unshare(CLONE_NEWPID))
		fail("unshare");
}

/* Its children would be born in a namespace whose init has come and gone. */
static void outlive_init(void)
{
	pid_t init;

	unshare_pid();
	init = start("short-lived", end);
	waitpid(init, NULL, 0);
}

/* Joins the namespace for children, or the active one, of a task. */
static int join(pid_t whose, const char *which)
{
	char path[64];
	int fd, status;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", whose, which);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	status = setns(fd, CLONE_NEWPID);
	close(fd);
	return status;
}

/*
 * The init of a namespace is killed while a process in it is dead and not reaped, for its parent
 * is nsenter, which has stopped with it.
 */
static pid_t doomed;

static void enter(void)
{
	pid_t child;

	if (join(doomed, "pid"))
		fail("setns");
	child = start("entered", stop);
	waitpid(child, NULL, WUNTRACED);
	raise(SIGSTOP);
}

static void die_slowly(void)
{
	int fds[2];
	pid_t nsenter;

	/* The init is a grandchild, whose number its parent tells. */
	if (pipe(fds))
		fail("pipe");
	if (!fork()) {
		name("unsharer");
		unshare_pid();
		doomed = start("dying", nothing);
		if (write(fds[1], &doomed, sizeof(doomed)) != sizeof(doomed))
			fail("write");
		forever();
	}
	if (read(fds[0], &doomed, sizeof(doomed)) != sizeof(doomed))
		fail("read");
	nsenter = start("nsenter", enter);
	waitpid(nsenter, NULL, WUNTRACED);
	kill(doomed, SIGKILL);
}

static void wait_for_tracer(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
}

static void trace(void)
{
	waitpid(start("traced", wait_for_tracer), NULL, WUNTRACED);
}

static void keep_dead(void)
{
	siginfo_t info;
	pid_t child = start("dead", end);

	waitid(P_PID, child, &info, WEXITED | WNOWAIT);
}

static void *live_on(void *ready)
{
	name("lives-on");
	if (write(*(int *)ready, "", 1) != 1)
		fail("write");
	forever();
	return NULL;
}

/* The leader exits, a thread stays. */
static void leave_thread(void)
{
	static int fds[2];
	pthread_t thread;
	char byte;

	if (pipe(fds) || pthread_create(&thread, NULL, live_on, &fds[1]))
		fail("a thread");
	if (read(fds[0], &byte, 1) != 1)
		fail("read");
	/* Not pthread_exit(), which unwinds the stack of whoever called all this. */
	syscall(SYS_exit, 0);
}

/* Has a process born where its own parent is not seen. */
static pid_t nested;

static void inject(void)
{
	if (join(nested, "pid"))
		fail("setns");
	start("parent-unseen", nothing);
}

/*
 * Joins the namespace that somebody has for its children and that has no init yet; Linux lets it be
 * opened since 7.0.
 */
static pid_t awaits;

static void await_too(void)
{
	char path[64], own[64] = "", theirs[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/pid_for_children", awaits);
	if (readlink("/proc/self/ns/pid", own, sizeof(own) - 1) < 0)
		fail("readlink");
	do {
		if (readlink(path, theirs, sizeof(theirs) - 1) < 0)
			fail(path);
		/* Before it has unshared, it is its own. */
	} while (!strcmp(own, theirs));
	if (join(awaits, "pid_for_children"))
		fail("setns");
}

static void die_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Somebody whose parent is another user's. */
static void become_user(void)
{
	if (setgid(1000) || setuid(1000) || prctl(PR_SET_DUMPABLE, 1))
		fail("setuid");
	die_with_parent();
}

static void become_parent(void)
{
	become_user();
	start("users-child", die_with_parent);
}

static void dig(void)
{
	pid_t child = 0;

	/* Namespaces one in the other, until there are no more. */
	while (!unshare(CLONE_NEWPID)) {
		child = fork();
		if (child)
			break;
		name("deeper");
	}
}

static void storm(void)
{
	unsigned int round, born = 0;
	pid_t child;

	for (round = 0;; round++) {
		child = fork();
		if (!child) {
			name("drop");
			if (round % 5 == 0)
				setsid();
			if (round % 7 == 0)
				setpgid(0, 0);
			/* An orphan now and then. */
			if (round % 3 == 0 && !fork() && round % 2)
				usleep(1000);
			_exit(0);
		}
		born += child > 0;
		while (born && waitpid(-1, NULL, born < 8 ? WNOHANG : 0) > 0)
			born--;
	}
}

static void be_everything(int out)
{
	static const char *const names[] = {
		" two  blanks ",
		"a) S 1 (b",
		") Z 0 0 0 0 4",
		"line\nbreak",
		"gr\xc3\xbc\xc3\x9f\x65 \xe2\x86\x92",
		"\xff\xfe",
		"exactly-15-long",
		"longer-than-15-bytes",
		"",
		"kworker/9:9-a",
		"tab\tand \"quote\\",
	};
	pid_t init;
	size_t i;

	name("all-at-once");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		fail("mount");
	for (i = 0; i < LENGTH(names); i++)
		start(names[i], nothing);
	start("stopped", stop);
	start("tracer", trace);
	start("never-waits", keep_dead);
	start("leaves-thread", leave_thread);
	start("digger", dig);
	start("outlives-init", outlive_init);
	awaits = start("awaits-init", unshare_pid);
	start("awaits-too", await_too);
	start("dies-slowly", die_slowly);

	/* A namespace that lives, with somebody from outside in it. */
	if (unshare(CLONE_NEWPID))
		fail("unshare");
	init = start("nested", nothing);
	if (join(getpid(), "pid"))
		fail("setns");
	nested = init;
	start("injects", inject);

	start("user-inside", become_user);
	start("storm", storm);
	start("storm", storm);
	if (write(out, "ready\n", 6) != 6)
		fail("write");
	for (;;)
		wait(NULL);
}

/*
 * Starts them; returns the number of their init, and writes "ready\n" to a descriptor when all were
 * begun.
 */
int altpid_c_everything(int out)
{
	pid_t child = fork();

	if (child)
		return child;
	name("holds-all");
	die_with_parent();
	start("of-a-user", become_parent);
	if (unshare(CLONE_NEWPID | CLONE_NEWNS))
		fail("unshare");
	child = fork();
	if (!child) {
		die_with_parent();
		be_everything(out);
	}
	forever();
	return 0;
}
