// SPDX-License-Identifier: GPL-2.0
/*
 * A user of the interface in C, against the header itself.
 *
 * altpid_c_command() tells what a C compiler makes of the header; the tests
 * compare it with what bindgen does. altpid_c_drive() has a task born and buried
 * over the device.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "altpid.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct command {
	const char *name;
	__u32 number;
	__u32 size;
};

#define COMMAND(name, type) \
	{ #name, ALTPID_IOC_##name, sizeof(struct type) }

static const struct command commands[] = {
	COMMAND(WORLD, altpid_world),
	COMMAND(CLONE, altpid_clone),
	COMMAND(UNSHARE, altpid_unshare),
	COMMAND(SETNS, altpid_setns),
	COMMAND(EXIT, altpid_exit),
	COMMAND(WAIT, altpid_wait),
	COMMAND(SETSID, altpid_setsid),
	COMMAND(SETPGID, altpid_setpgid),
	COMMAND(SET_NAME, altpid_set_name),
	COMMAND(KILL, altpid_kill),
	COMMAND(SIGACTION, altpid_sigaction),
	COMMAND(SIGPROCMASK, altpid_sigprocmask),
	COMMAND(SIGWAIT, altpid_sigwait),
	COMMAND(EXEC, altpid_exec),
	COMMAND(PRCTL, altpid_prctl),
	COMMAND(REBOOT, altpid_reboot),
	COMMAND(WAITID, altpid_waitid),
	COMMAND(PIDFD_OPEN, altpid_pidfd_open),
	COMMAND(PIDFD_CLOSE, altpid_pidfd_close),
	COMMAND(POLL, altpid_poll),
	COMMAND(GETID, altpid_getid),
	COMMAND(SIGPENDING, altpid_sigpending),
	COMMAND(GET_NAME, altpid_get_name),
	COMMAND(TASK, altpid_task),
	COMMAND(NS, altpid_ns),
	COMMAND(NS_SET, altpid_ns_set),
	COMMAND(FIND, altpid_find),
	COMMAND(TRANSLATE, altpid_translate),
	COMMAND(LIST, altpid_list),
	COMMAND(AUDIT, altpid_audit),
	COMMAND(SIGNALS, altpid_signals),
	COMMAND(FAILURE, altpid_failure),
	COMMAND(PIDFD_INFO, altpid_pidfd_info),
	COMMAND(NS_GET, altpid_ns_get),
	COMMAND(BATCH, altpid_batch),
};

/* Fills in one command; returns 0 when there is none with that index. */
int altpid_c_command(size_t index, struct command *out)
{
	if (index >= ARRAY_SIZE(commands))
		return 0;
	*out = commands[index];
	return 1;
}

/* The life of one task. Returns what did not hold, NULL if all did. */
static const char *drive(int fd)
{
	struct altpid_world world = { .size = sizeof(world) };
	struct altpid_clone clone = { .size = sizeof(clone) };
	struct altpid_task task = { .size = sizeof(task) };
	struct altpid_exit exit = { .size = sizeof(exit) };
	struct altpid_wait wait = { .size = sizeof(wait) };
	struct altpid_audit audit = { .size = sizeof(audit) };
	struct pollfd news = { .fd = fd, .events = POLLIN };
	struct altpid_event event;
	__s32 set_tid[] = { 1, 4213 };

	if (ioctl(fd, ALTPID_IOC_WORLD, &world))
		return "WORLD";
	if (world.tasks != 1 || world.namespaces != 1)
		return "a new world has one task and one namespace";
	if (poll(&news, 1, 0))
		return "nothing has happened in a new world";

	clone.task = world.init;
	clone.exit_signal = SIGCHLD;
	clone.flags = 0x20000000; /* CLONE_NEWPID */
	clone.set_tid = (__u64)(uintptr_t)set_tid;
	clone.set_tid_size = 2;
	if (ioctl(fd, ALTPID_IOC_CLONE, &clone))
		return "CLONE";
	if (clone.pid != 4213)
		return "the child has the number it was to have";
	if (poll(&news, 1, -1) != 1 || news.revents != POLLIN)
		return "a birth can be read of";
	if (read(fd, &event, sizeof(event)) != sizeof(event) ||
	    event.type != ALTPID_EVENT_NS_BORN || event.task != world.init)
		return "init has made a namespace";
	if (read(fd, &event, sizeof(event)) != sizeof(event) ||
	    event.type != ALTPID_EVENT_CLONE || event.task != clone.child)
		return "the child is born";
	if (poll(&news, 1, 0))
		return "all was read";

	task.task = clone.child;
	if (ioctl(fd, ALTPID_IOC_TASK, &task))
		return "TASK";
	if (task.level != 1 || task.pid[0] != 4213 || task.pid[1] != 1)
		return "the child is init of a namespace below";
	if (task.parent != world.init || task.state != ALTPID_TASK_RUNNING)
		return "the child is alive and init's";

	exit.task = clone.child;
	exit.code = 33;
	if (ioctl(fd, ALTPID_IOC_EXIT, &exit))
		return "EXIT";

	wait.task = world.init;
	wait.pid = -1;
	if (ioctl(fd, ALTPID_IOC_WAIT, &wait))
		return "WAIT";
	if (wait.child != clone.child || wait.result != 4213)
		return "the child is reaped";
	if (!WIFEXITED(wait.status) || WEXITSTATUS(wait.status) != 33)
		return "the status is that of the child";

	if (!ioctl(fd, ALTPID_IOC_TASK, &task) || errno != ESRCH)
		return "the child is gone";
	if (!ioctl(fd, ALTPID_IOC_WAIT, &wait) || errno != ECHILD)
		return "there is no other child";
	if (ioctl(fd, ALTPID_IOC_AUDIT, &audit))
		return "AUDIT";
	if (audit.broken || strlen((const char *)audit.what))
		return "the audit finds nothing";
	return NULL;
}

/* Opens the device and drives it; when that fails, *why says what failed. */
int altpid_c_drive(const char *path, const char **why)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		*why = "open";
		return -1;
	}
	*why = drive(fd);
	close(fd);
	return *why ? -1 : 0;
}
