// SPDX-License-Identifier: GPL-2.0
/* /proc of a world, which is mounted on /proc, as a process of it reads it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

static char text[65536];
/* The file system that is tried: the kernel's own has to pass as well. */
static const char *type;

/* What a file has in it, by one call of read(2); "" for none. */
static const char *contents(const char *format, ...)
{
	char path[128];
	va_list args;
	ssize_t len;
	int fd;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	fd = open(path, O_RDONLY);
	len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[len < 0 ? 0 : len] = 0;
	close(fd);
	return text;
}

/* The number behind a name at the beginning of a line of what was read last. */
static long value(const char *name)
{
	const char *line = strstr(text, name);

	return line && (line == text || line[-1] == '\n') ? atol(line + strlen(name)) : -2;
}

/* A field of /proc/PID/stat, from 4 on. */
static long field(pid_t pid, int wanted)
{
	const char *at;

	contents("/proc/%d/stat", pid);
	if (atoi(text) != pid)
		return -2;
	at = strrchr(text, ')');
	for (int i = 2; at && i < wanted; i++)
		at = strchr(at + 1, ' ');
	return at ? atol(at + 1) : -2;
}

/* Numbers in a directory; their sum. */
static int numbers(const char *path, int *sum)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int count = 0;

	*sum = 0;
	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name)) {
			*sum += atoi(entry->d_name);
			count++;
		}
	if (dir)
		closedir(dir);
	return count;
}

static void *run_thread(void *arg)
{
	char link[64], expected[64];
	int sum;
	ssize_t len = readlink("/proc/thread-self", link, sizeof(link) - 1);

	(void)arg;
	link[len < 0 ? 0 : len] = 0;
	sprintf(expected, "%d/task/%d", getpid(), gettid());
	CHECK(!strcmp(link, expected));
	contents("/proc/thread-self/stat");
	CHECK(atoi(text) == gettid());
	contents("/proc/self/task/%d/status", gettid());
	CHECK(value("Pid:") == gettid() && value("Tgid:") == getpid());
	CHECK(numbers("/proc/self/task", &sum) == 2);
	/* As a directory of its own, which is not listed. */
	contents("/proc/%d/status", gettid());
	CHECK(value("Pid:") == gettid() && value("Tgid:") == getpid());
	return NULL;
}

static void threads(void)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, run_thread, NULL));
	pthread_join(thread, NULL);
}

/* Reading while a process ends. */
static void held(void)
{
	int fd, dir, sum, end[2];
	pid_t pid;

	CHECK(pipe(end) == 0);
	CHILD(pid)
		CHECK(read(end[0], text, 1) == 1);
	sprintf(text, "/proc/%d", pid);
	dir = open(text, O_RDONLY | O_DIRECTORY);
	fd = openat(dir, "stat", O_RDONLY);
	CHECK(dir >= 0 && fd >= 0 && read(fd, text, 10) == 10);
	CHECK(write(end[1], "x", 1) == 1);
	while (contents("/proc/%d/stat", pid), !strstr(text, ") Z "))
		usleep(1000);
	/* A zombie without a body. */
	CHECK(field(pid, 4) == getpid());
	contents("/proc/%d/status", pid);
	CHECK(strstr(text, "State:\tZ (zombie)\n") && value("Pid:") == pid);
	contents("/proc/%d/comm", pid);
	CHECK(!strcmp(text, "renamed\n"));
	CHECK(numbers("/proc", &sum) == 2 && sum == pid + getpid());
	CHECK(exits(pid, 0));
	CHECK(!*contents("/proc/%d/stat", pid));
	CHECK_ERROR(openat(dir, "stat", O_RDONLY), ESRCH);
	lseek(fd, 0, SEEK_SET);
	CHECK_ERROR(read(fd, text, 10), ESRCH);
	CHECK(numbers("/proc", &sum) == 1 && sum == getpid());
	close(fd);
	close(dir);
}

static void *call_exec(void *arg)
{
	(void)arg;
	execlp("sleep", "sleep", "1000", NULL);
	return NULL;
}

/* A thread that does not lead its process calls exec: the process stays the same to others. */
static void exec_by_a_thread(void)
{
	pthread_t thread;
	char path[64];
	int fd, dir;
	pid_t pid;

	CHILD(pid) {
		pthread_create(&thread, NULL, call_exec, NULL);
		sleep_for_ever();
	}
	sprintf(path, "/proc/%d", pid);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	fd = openat(dir, "stat", O_RDONLY);
	while (contents("/proc/%d/comm", pid), strcmp(text, "sleep\n"))
		usleep(1000);
	CHECK(pread(fd, text, 20, 0) == 20 && atoi(text) == pid && strstr(text, "(sleep)"));
	CHECK(faccessat(dir, "exe", F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	close(fd);
	fd = openat(dir, "status", O_RDONLY);
	CHECK(read(fd, text, 1000) > 100 && value("Pid:") == pid && value("PPid:") == getpid());
	close(fd);
	close(dir);
	kill(pid, SIGKILL);
	CHECK(dies(pid, SIGKILL));
}

/* Locks, IPC and pidfds name processes. */
static void others(void)
{
	int fd, pidfd = -1, id;
	const char *at;
	char line[128];
	pid_t pid;

	fd = open("/tmp/locked", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0);
	/* Not every kernel has locks. */
	if (flock(fd, LOCK_EX) == 0) {
		sprintf(line, " FLOCK  ADVISORY  WRITE %d ", getpid());
		at = strstr(contents("/proc/locks"), line);
		/* And of nobody who is not here. */
		CHECK(at && !strstr(strchr(at, '\n'), "WRITE"));
		sprintf(line, "WRITE %d ", getpid());
		CHECK(strstr(contents("/proc/self/fdinfo/%d", fd), line));
		/* Somebody waits for it. */
		CHILD(pid)
			flock(open("/tmp/locked", O_RDWR), LOCK_EX);
		sprintf(line, ": -> FLOCK  ADVISORY  WRITE %d ", pid);
		while (!strstr(contents("/proc/locks"), line))
			usleep(1000);
		kill(pid, SIGKILL);
		CHECK(dies(pid, SIGKILL));
	}
	close(fd);
	unlink("/tmp/locked");
	id = shmget(IPC_PRIVATE, 4096, 0600);
	if (id >= 0) {
		sprintf(line, "%10d %10d   600                  4096 %5u %5u ", 0, id, getpid(), 0);
		CHECK(strstr(contents("/proc/sysvipc/shm"), line));
		CHECK(strstr(text, "cpid"));
		shmctl(id, IPC_RMID, NULL);
	}
	pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
	if (!pid)
		sleep_for_ever();
	contents("/proc/self/fdinfo/%d", pidfd);
	CHECK(value("Pid:") == pid && value("NSpid:") == pid);
	sprintf(line, "%d ", pid);
	CHECK(!strcmp(contents("/proc/self/task/%d/children", gettid()), line));
	kill(pid, SIGKILL);
	CHECK(dies(pid, SIGKILL));
	CHECK(!*contents("/proc/self/task/%d/children", gettid()));
	/* Of a pidfd the kernel says when there is nobody any more. */
	while (contents("/proc/self/fdinfo/%d", pidfd), value("Pid:") != -1)
		usleep(1000);
	CHECK(value("NSpid:") == -1);
	close(pidfd);
}

static void refusals(void)
{
	char path[64];

	sprintf(path, "/proc/%d", getpid());
	CHECK_ERROR(rename(path, "/proc/5000"), ENOENT);
	CHECK_ERROR(rename("/proc/uptime", "/proc/version"), EPERM);
	CHECK_ERROR(rename(path, "/proc/tty"), EPERM);
	CHECK_ERROR(mkdir("/proc/dir", 0700), ENOENT);
	CHECK_ERROR(rmdir(path), EPERM);
	CHECK_ERROR(unlink("/proc/uptime"), EPERM);
	CHECK_ERROR(open("/proc/file", O_CREAT | O_WRONLY, 0600), ENOENT);
	CHECK_ERROR(chmod("/proc/self/stat", 0777), EPERM);
	CHECK_ERROR(access("/proc/0", F_OK), ENOENT);
	CHECK_ERROR(access("/proc/01", F_OK), ENOENT);
	CHECK_ERROR(access("/proc/4194303", F_OK), ENOENT);
}

/* Another user's. */
static void forbidden(void)
{
	char line[64];
	pid_t pid;

	CHILD(pid) {
		CHECK(setresuid(65534, 65534, 65534) == 0);
		contents("/proc/1/status");
		CHECK(value("Pid:") == 1 && value("PPid:") == 0);
		CHECK(*contents("/proc/1/cmdline"));
		CHECK_ERROR(open("/proc/1/environ", O_RDONLY), EACCES);
		CHECK_ERROR(open("/proc/1/fd/0", O_RDONLY), EACCES);
		CHECK_ERROR(readlink("/proc/1/exe", line, sizeof(line)), EACCES);
		CHECK_ERROR(open("/proc/sys/kernel/pid_max", O_WRONLY), EACCES);
		CHECK_ERROR(open("/proc/1/oom_score_adj", O_WRONLY), EACCES);
	}
	CHECK(exits(pid, 0));
}

/* Mounts on files and directories in there stay. */
static void covered(void)
{
	int fd;

	CHECK(mount("none", "/proc/tty", "tmpfs", 0, NULL) == 0);
	fd = open("/proc/tty/new", O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0 && close(fd) == 0);
	CHECK(access("/proc/tty/new", F_OK) == 0);
	CHECK(mount("/proc/version", "/proc/self/limits", NULL, MS_BIND, NULL) == 0);
	CHECK(strstr(contents("/proc/self/limits"), "Linux version"));
	CHECK(strstr(contents("/proc/1/limits"), "Linux version"));
	CHECK(umount("/proc/1/limits") == 0 && umount("/proc/tty") == 0);
	CHECK(!strstr(contents("/proc/self/limits"), "Linux version"));
}

static long send_by(int fd, int signal)
{
	return syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
}

/* For signals the directory of a process is as good as a pidfd; killall(1) has it so. */
static void directories(void)
{
	char path[64];
	siginfo_t info;
	pid_t pid;
	int dir;

	CHILD(pid)
		sleep_for_ever();
	sprintf(path, "/proc/%d", pid);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(send_by(dir, 0) == 0);
	CHECK(send_by(dir, SIGTERM) == 0);
	CHECK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0);
	/* A zombie. */
	CHECK(send_by(dir, 0) == 0);
	CHECK(dies(pid, SIGTERM));
	CHECK_ERROR(send_by(dir, 0), ESRCH);
	close(dir);
	dir = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
	CHECK_ERROR(send_by(dir, 0), EBADF);
	close(dir);
	sprintf(path, "/proc/self/task/%d", gettid());
	dir = open(path, O_RDONLY | O_DIRECTORY);
	CHECK_ERROR(send_by(dir, 0), EBADF);
	close(dir);
	dir = open("/proc", O_RDONLY | O_DIRECTORY);
	CHECK_ERROR(send_by(dir, 0), EBADF);
	close(dir);
}

/* Who makes a user namespace may mount one there, if what is to be seen is not hidden from it. */
static void in_a_user_namespace(void)
{
	pid_t pid;
	int sum;

	CHILD(pid) {
		CHECK(unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) == 0);
		CHILD(pid) {
			CHECK(mount("proc", "/proc", type, 0, NULL) == 0);
			CHECK(numbers("/proc", &sum) == 1 && sum == 1);
			contents("/proc/self/status");
			CHECK(value("Pid:") == 1 && value("PPid:") == 0);
		}
		CHECK(exits(pid, 0));
	}
	CHECK(exits(pid, 0));
	/* What is mounted over in there cannot be uncovered by another one. */
	CHECK(mount("none", "/proc/tty", "tmpfs", 0, NULL) == 0);
	CHILD(pid) {
		CHECK(unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) == 0);
		CHILD(pid)
			CHECK_ERROR(mount("proc", "/proc", type, 0, NULL), EPERM);
		CHECK(exits(pid, 0));
	}
	CHECK(exits(pid, 0));
	CHECK(umount("/proc/tty") == 0);
}

/* A nested namespace, as it is seen from here and from there. */
static void nested(void)
{
	char line[64], *end;
	pid_t pid;
	int sum;

	CHILD(pid) {
		CHECK(unshare(CLONE_NEWPID) == 0);
		CHILD(pid) {
			/* Whatever is mounted: of the reader's own namespace. */
			end = strrchr(contents("/proc/loadavg"), ' ');
			CHECK(end && atoi(end) == 1);
			CHECK(atoi(contents("/proc/sys/kernel/ns_last_pid")) == 1);
			/* Not visible here: the mount is of the namespace above. */
			sum = readlink("/proc/self", line, sizeof(line));
			CHECK(sum > 1 || (sum == 1 && line[0] != '1'));
			CHECK(unshare(CLONE_NEWNS) == 0);
			CHECK(mkdir("/tmp/inner", 0700) == 0 || errno == EEXIST);
			CHECK(mount("proc", "/tmp/inner", type, 0, NULL) == 0);
			CHECK(numbers("/tmp/inner", &sum) == 1 && sum == 1);
			contents("/tmp/inner/self/stat");
			CHECK(atoi(text) == 1);
			contents("/tmp/inner/1/status");
			CHECK(value("Pid:") == 1 && value("PPid:") == 0);
			CHECK(strstr(text, "\nNSpid:\t1\n"));
			/* From above. */
			CHECK(strstr(contents("/proc/self/status"), "\nNSpid:\t"));
			sprintf(line, "\nNSpid:\t%ld\t1\n", value("Pid:"));
			CHECK(value("Pid:") > 1 && strstr(text, line));
		}
		CHECK(exits(pid, 0));
	}
	CHECK(exits(pid, 0));
}

void procfs(void)
{
	char path[64], line[64], *end;
	struct statfs statfs_;
	struct stat one, other;
	FILE *file;
	int fd, sum;
	pid_t pid;

	type = getenv("PROC_TYPE");
	if (!type)
		type = "altpid_proc";
	CHECK(statfs("/proc", &statfs_) == 0 && statfs_.f_type == 0x9fa0);
	CHECK(readlink("/proc/self", line, sizeof(line)) == 1 && line[0] == '1');
	CHECK(numbers("/proc", &sum) == 1 && sum == 1);
	CHECK(numbers("/proc/self/task", &sum) == 1 && sum == 1);
	CHECK(field(1, 4) == 0 && field(1, 5) == getpgrp() && field(1, 6) == getsid(0));
	contents("/proc/self/status");
	CHECK(value("Tgid:") == 1 && value("Ngid:") == 0 && value("Pid:") == 1);
	CHECK(value("PPid:") == 0 && value("TracerPid:") == 0 && value("NStgid:") == 1);
	CHECK(value("NSpgid:") == getpgrp() && value("NSsid:") == getsid(0));
	CHECK(value("Threads:") == 1);
	contents("/proc/self/sched");
	CHECK(!*text || strstr(text, " (1, #threads: 1)\n"));
	CHILD(pid) {
		setpgid(0, 0);
		CHECK(field(getpid(), 4) == 1 && field(getpid(), 5) == getpid());
		CHECK(field(getpid(), 6) == getsid(0));
		CHECK(strtol(contents("/proc/self/stat"), NULL, 10) == getpid());
		CHECK(setsid() == -1);
		CHECK(numbers("/proc", &sum) == 2 && sum == 1 + getpid());
		/* Its own loadavg and sysctls. */
		end = strrchr(contents("/proc/loadavg"), ' ');
		CHECK(end && atoi(end) == getpid());
		CHECK(atoi(contents("/proc/sys/kernel/ns_last_pid")) == getpid());
	}
	CHECK(exits(pid, 0));
	CHECK(atoi(contents("/proc/sys/kernel/pid_max")) > 300);
	fd = open("/proc/sys/kernel/pid_max", O_WRONLY);
	CHECK(write(fd, "400\n", 4) == 4 && write(fd, "500\n", 4) == 4);
	CHECK_ERROR(pwrite(fd, "1", 1, 0), EINVAL);
	close(fd);
	CHECK(atoi(contents("/proc/sys/kernel/pid_max")) == 400);
	/* What passes through: links, writes, positions. */
	CHECK(readlink("/proc/self/exe", path, sizeof(path)) > 0 && path[0] == '/');
	CHECK(stat("/proc/self/exe", &one) == 0 && stat(self, &other) == 0);
	CHECK(one.st_ino == other.st_ino && one.st_dev == other.st_dev);
	CHECK(stat("/proc/self/cwd", &one) == 0 && stat(".", &other) == 0);
	CHECK(one.st_ino == other.st_ino);
	fd = memfd_create("named", 0);
	CHECK(write(fd, "inside", 6) == 6);
	sprintf(path, "/proc/self/fd/%d", fd);
	CHECK((file = fopen(path, "r")) && fgets(line, sizeof(line), file));
	CHECK(!strcmp(line, "inside"));
	fclose(file);
	close(fd);
	CHECK_ERROR(readlink(path, line, sizeof(line)), ENOENT);
	fd = open("/proc/self/comm", O_RDWR);
	CHECK(write(fd, "renamed", 7) == 7 && pread(fd, line, 8, 0) == 8);
	CHECK(!strncmp(line, "renamed\n", 8));
	close(fd);
	fd = open("/proc/self/oom_score_adj", O_RDWR | O_TRUNC);
	CHECK(write(fd, "5", 1) == 1);
	close(fd);
	CHECK(atoi(contents("/proc/self/oom_score_adj")) == 5);
	fd = open("/proc/self/mem", O_RDONLY);
	CHECK(pread(fd, line, 8, (off_t)(uintptr_t)type) == 8 && !memcmp(line, type, 4));
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == ENODEV);
	close(fd);
	sprintf(line, " /proc %s ", type);
	CHECK(strstr(contents("/proc/mounts"), line));
	CHECK(strstr(contents("/proc/self/maps"), "[stack]"));
	CHECK(strstr(contents("/proc/version"), "Linux version"));
	/* In pieces, and again from the beginning. */
	fd = open("/proc/self/status", O_RDONLY);
	for (sum = 0; read(fd, text + sum, 7) > 0; sum += 7)
		;
	CHECK(sum > 500 && value("Pid:") == 1);
	CHECK(pread(fd, line, 5, 6) == 5 && !strncmp(line, text + 6, 5));
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, line, 5) == 5 && !strncmp(line, "Name:", 5));
	close(fd);
	threads();
	held();
	exec_by_a_thread();
	others();
	refusals();
	forbidden();
	covered();
	directories();
	in_a_user_namespace();
	nested();
}
