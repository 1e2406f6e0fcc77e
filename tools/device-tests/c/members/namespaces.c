// SPDX-License-Identifier: GPL-2.0
/* Namespaces, numbers that are asked for, and where clone writes them. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

/* Flags of clone3(2) that clone(2) has no place for. posix_spawn(3) asks for the first. */
static void beyond_32_bits(void)
{
	pid_t pid, number = 0;
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_CLEAR_SIGHAND | CLONE_PIDFD | CLONE_PARENT_SETTID,
		.exit_signal = SIGCHLD,
		.pidfd = (uintptr_t)&pidfd,
		.parent_tid = (uintptr_t)&number,
	};
	struct sigaction one, other;

	handle(SIGUSR1, 0);
	signal(SIGUSR2, SIG_IGN);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		sigaction(SIGUSR1, NULL, &one);
		sigaction(SIGUSR2, NULL, &other);
		_exit(one.sa_handler != SIG_DFL || other.sa_handler != SIG_IGN || getppid() != 1);
	}
	CHECK(pid > 1 && number == pid && pidfd >= 0);
	CHECK(exits(pid, 0));
	close(pidfd);
	sigaction(SIGUSR1, NULL, &one);
	CHECK(one.sa_handler != SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	/* A namespace whose flag is a signal for clone(2); and one that is a signal. */
	args.flags = CLONE_NEWTIME;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(getppid() != 1);
	/* Not every kernel has any. */
	CHECK(pid == -1 ? errno == EINVAL : exits(pid, 0));
	args.flags = CLONE_PIDFD | SIGCHLD;
	CHECK_ERROR(syscall(SYS_clone3, &args, sizeof(args)), EINVAL);
	args.flags = CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM;
	CHECK_ERROR(syscall(SYS_clone3, &args, sizeof(args)), EINVAL);
	args.flags = CLONE_INTO_CGROUP;
	args.cgroup = 1000;
	CHECK_ERROR(syscall(SYS_clone3, &args, sizeof(args)), EBADF);
	CHECK_ERROR(syscall(SYS_clone3, &args, 64), EINVAL);
	args.cgroup = 1ULL << 31;
	CHECK_ERROR(syscall(SYS_clone3, &args, sizeof(args)), EINVAL);
	/* CLONE_AUTOREAP */
	args.flags = 1ULL << 34;
	CHECK_ERROR(syscall(SYS_clone3, &args, sizeof(args)), ENOSYS);
	CHECK_ERROR(wait(&status), ECHILD);
}

/* Who may not choose the number of a child. */
static void no_choice(void)
{
	pid_t number = 300, pid;
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&number,
		.set_tid_size = 1,
	};

	CHILD(pid) {
		CHECK(setresuid(65534, 65534, 65534) == 0);
		CHECK_ERROR(syscall(SYS_clone3, &args, sizeof(args)), EPERM);
	}
	CHECK(exits(pid, 0));
}

/* Where a thread writes other flags, NULL for nowhere, which, and whether it is over. */
static uint64_t *written;
static uint64_t wanted;
static int is_over;

static void *write_flags(void *unused)
{
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		uint64_t *flags = __atomic_load_n(&written, __ATOMIC_RELAXED);

		if (flags)
			__atomic_store_n(flags, __atomic_load_n(&wanted, __ATOMIC_RELAXED),
					 __ATOMIC_RELAXED);
	}
	return unused;
}

/* What a member's child is does not depend on what other threads write below the caller's stack. */
static void rewritten(void)
{
	struct clone_args args = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	struct stat own = { 0 }, child;
	pthread_t thread;
	char *stack;
	long pid;

	/* As a member's children show it. Where there is none this tries nothing. */
	if (stat("/proc/self/ns/pid", &own) != 0)
		return;
	pthread_create(&thread, NULL, write_flags, NULL);
	for (int i = 0; i < 1000; i++) {
		/* Without a signal the other one could be a thread. */
		__atomic_store_n(&wanted, i % 2 ? CLONE_CLEAR_SIGHAND | CLONE_NEWPID :
				 CLONE_CLEAR_SIGHAND | CLONE_PARENT, __ATOMIC_RELAXED);
		args.exit_signal = i % 2 ? SIGCHLD : 0;
		__asm__ volatile ("mov %%rsp, %0" : "=r" (stack));
		stack -= 128 + sizeof(args);
		__atomic_store_n(&written, (void *)((uintptr_t)stack & ~15UL), __ATOMIC_RELAXED);
		__asm__ volatile ("syscall" : "=a" (pid)
				  : "a" (SYS_clone3), "D" (&args), "S" (sizeof(args))
				  : "rcx", "r11", "memory");
		__atomic_store_n(&written, NULL, __ATOMIC_RELAXED);
		if (pid == 0) {
			stat("/proc/self/ns/pid", &child);
			_exit(child.st_ino != own.st_ino);
		}
		CHECK(pid > 0 ? waitpid(pid, &status, __WALL) == pid && status == 0 :
				pid == -EAGAIN || pid == -EINVAL);
	}
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	CHECK(pthread_join(thread, NULL) == 0);
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
	beyond_32_bits();
	no_choice();
	/* What the kernel refuses leaves nothing behind. */
	CHECK_ERROR(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_FS, 0, 0, 0, 0), EINVAL);
	CHECK_ERROR(wait(&status), ECHILD);
	rewritten();
}
