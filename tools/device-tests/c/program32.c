// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit program that drives the device, without a C library: system calls of
 * its own, the header itself. Its exit status is 0, or the line of what did not
 * hold (modulo 256, never 0).
 *
 * To be linked for i386 with -nostdlib; argv[1] is the device.
 */
#include <altpid.h>

#define NR_exit		1
#define NR_read		3
#define NR_open		5
#define NR_ioctl	54

#define O_RDWR		2
#define O_NONBLOCK	04000
#define EAGAIN		11
#define ESRCH		3
#define SIGCHLD		17
#define CLONE_NEWPID	0x20000000

static long syscall3(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return result;
}

static void done(int line)
{
	for (;;)
		syscall3(NR_exit, line & 0xff ? line & 0xff : 1, 0, 0);
}

#define CHECK(holds)					\
	do {						\
		if (!(holds))				\
			done(__LINE__);			\
	} while (0)

static long command(long fd, unsigned long cmd, void *arg)
{
	return syscall3(NR_ioctl, fd, cmd, (long)arg);
}

/* Pointers in structs are 64 bits wide. */
static __u64 address(void *pointer)
{
	return (unsigned long)pointer;
}

static struct altpid_task tasks[8];

static void drive(long fd)
{
	struct altpid_world world = { .size = sizeof(world) };
	struct altpid_clone clone = { .size = sizeof(clone) };
	struct altpid_task task = { .size = sizeof(task) };
	struct altpid_translate translate = { .size = sizeof(translate) };
	struct altpid_list list = { .size = sizeof(list) };
	struct altpid_exit exit = { .size = sizeof(exit) };
	struct altpid_wait wait = { .size = sizeof(wait) };
	struct altpid_batch batch = { .size = sizeof(batch) };
	struct altpid_op ops[2] = { 0 };
	struct altpid_event event;
	__s32 set_tid[] = { 1, 4213 };
	__s32 numbers[] = { 1, 2 };

	CHECK(sizeof(void *) == 4);
	CHECK(command(fd, ALTPID_IOC_WORLD, &world) == 0);
	CHECK(world.tasks == 1 && world.init);

	/* An array that is read. */
	clone.task = world.init;
	clone.exit_signal = SIGCHLD;
	clone.flags = CLONE_NEWPID;
	clone.set_tid = address(set_tid);
	clone.set_tid_size = 2;
	CHECK(command(fd, ALTPID_IOC_CLONE, &clone) == 0);
	CHECK(clone.pid == 4213);
	task.task = clone.child;
	CHECK(command(fd, ALTPID_IOC_TASK, &task) == 0);
	CHECK(task.level == 1 && task.pid[0] == 4213 && task.pid[1] == 1);

	/* One that is changed, and one that is written. */
	translate.from = task.ns;
	translate.to = world.root_ns;
	translate.nrs = address(numbers);
	translate.count = 2;
	CHECK(command(fd, ALTPID_IOC_TRANSLATE, &translate) == 0);
	CHECK(translate.count == 2 && numbers[0] == 4213 && numbers[1] == -ESRCH);
	list.what = ALTPID_LIST_TASKS;
	list.entries = address(tasks);
	list.count = 8;
	list.entry_size = sizeof(tasks[0]);
	CHECK(command(fd, ALTPID_IOC_LIST, &list) == 0);
	CHECK(list.count == 2 && list.cursor == ~0ULL);
	CHECK(tasks[0].task == world.init && tasks[1].task == clone.child);

	/* Addresses in an array, and events. */
	CHECK(syscall3(NR_read, fd, (long)&event, sizeof(event)) == sizeof(event));
	CHECK(event.type == ALTPID_EVENT_LOST && event.value == 2);
	CHECK(syscall3(NR_read, fd, (long)&event, sizeof(event)) == -EAGAIN);
	exit.task = clone.child;
	exit.code = 5;
	wait.task = world.init;
	wait.pid = -1;
	ops[0].cmd = ALTPID_IOC_EXIT;
	ops[0].arg = address(&exit);
	ops[1].cmd = ALTPID_IOC_WAIT;
	ops[1].arg = address(&wait);
	batch.ops = address(ops);
	batch.count = 2;
	CHECK(command(fd, ALTPID_IOC_BATCH, &batch) == 0);
	CHECK(batch.count == 2 && batch.failed == 0 && ops[1].made == clone.child);
	CHECK(wait.result == 4213 && wait.status == 5 << 8);
	CHECK(syscall3(NR_read, fd, (long)&event, sizeof(event)) == sizeof(event));
	CHECK(event.type == ALTPID_EVENT_EXIT && event.task == clone.child);
	CHECK(command(fd, ALTPID_IOC_TASK, &task) == -ESRCH);
}

/* Called with the stack as the kernel leaves it: argc, argv[0], argv[1]. */
void start(long *stack);

void start(long *stack)
{
	long fd = syscall3(NR_open, stack[2], O_RDWR | O_NONBLOCK, 0);

	CHECK(stack[0] == 2);
	CHECK(fd >= 0);
	drive(fd);
	syscall3(NR_exit, 0, 0, 0);
}

__asm__(".globl _start\n"
	"_start:\n"
	"	mov %esp, %eax\n"
	"	and $-16, %esp\n"
	"	sub $12, %esp\n"
	"	push %eax\n"
	"	call start\n");
