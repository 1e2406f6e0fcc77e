// SPDX-License-Identifier: GPL-2.0
/* Namespaces, numbers that are asked for, and where clone writes them. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

static int clears(void *word)
{
	CHECK(*(pid_t *)word == getpid());
	*(pid_t *)word = 0;
	return failures != 0;
}

/* A child that shares the memory finds the number there, and what it makes of it stays. */
static void words(pid_t *word)
{
	static char stack[1 << 16];
	char *top = stack + sizeof(stack);
	int flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD;
	pid_t pid = clone(clears, top, flags, word, word);

	CHECK(pid > 0 && *word == 0);
	CHECK(exits(pid, 0));
	/* What the kernel refuses changes nothing. */
	*word = 7;
	CHECK_ERROR(clone(clears, top, flags | CLONE_NEWNS | CLONE_FS, word, word), EINVAL);
	CHECK(*word == 7);
}

void namespaces(void)
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
		_exit(*word != getpid() || numbers[0] != 1);
	CHECK(numbers[0] == pid);
	CHECK(exits(pid, 0));
	CHECK(*word == pid);
	words(word);
	/* What the kernel refuses leaves nothing behind. */
	CHECK_ERROR(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_FS, 0, 0, 0, 0), EINVAL);
	CHECK_ERROR(wait(&status), ECHILD);
}
