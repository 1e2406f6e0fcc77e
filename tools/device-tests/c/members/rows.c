// SPDX-License-Identifier: GPL-2.0
/*
 * System calls whose row is taken out of the table: the leak detector of the module has to see the
 * number that goes by untranslated, and none when the row is there again. "members rows" prints
 * the numbers of the calls that it has made.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "members.h"

#define PARAMETERS "/sys/module/altpid/parameters/"

static long leaks(void)
{
	char text[32] = "";
	int fd = open(PARAMETERS "leaks", O_RDONLY);

	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atol(text);
}

static void take_out(long call)
{
	char text[32];
	int fd = open(PARAMETERS "untranslated", O_WRONLY);
	int len = snprintf(text, sizeof(text), "%ld", call);

	CHECK(write(fd, text, len) == len);
	close(fd);
}

/* What the calls are about. */
static pid_t me;
static int sockets[2], shared, queue, semaphore;

/* A message that says who sends it, and room for one. */
static union {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(struct ucred))];
} control;
static char byte;
static struct iovec piece = { &byte, 1 };
static struct mmsghdr message;

static void prepare_message(void)
{
	message.msg_hdr = (struct msghdr){
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	control.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(struct ucred)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_CREDENTIALS,
	};
	*(struct ucred *)CMSG_DATA(&control.header) = (struct ucred){ .pid = me };
}

/* The arguments of a system call. */
struct arguments {
	long value[6];
};

#define ARGUMENTS(...) ((struct arguments){ { __VA_ARGS__ } })
#define AT(object) ((long)&(object))

static struct arguments arguments_of(long call)
{
	static union {
		char bytes[256];
		struct sched_param param;
		struct timespec time;
		struct rlimit limit;
		cpu_set_t set;
	} room;
	static unsigned int length;
	static struct __user_cap_header_struct header;
	static struct __user_cap_data_struct data[2];
	static struct iovec piece_of_room;
	static struct sigevent event;
	static struct perf_event_attr perf = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(perf) };
	static timer_t timer;

	memset(&room, 0, sizeof(room));
	switch (call) {
	case SYS_sched_setparam:
	case SYS_sched_getparam:
	case SYS_sched_rr_get_interval:
		return ARGUMENTS(me, AT(room));
	case SYS_sched_setscheduler:
		return ARGUMENTS(me, SCHED_OTHER, AT(room));
	case SYS_sched_setaffinity:
		CHECK(sched_getaffinity(0, sizeof(room.set), &room.set) == 0);
		return ARGUMENTS(me, sizeof(room.set), AT(room));
	case SYS_sched_getaffinity:
		return ARGUMENTS(me, sizeof(room.set), AT(room));
	case SYS_sched_getattr:
		return ARGUMENTS(me, AT(room), 48);
	case SYS_sched_setattr:
		room.bytes[0] = 48;
		return ARGUMENTS(me, AT(room));
	case SYS_get_robust_list:
		return ARGUMENTS(me, AT(room), AT(room.bytes[16]));
	case SYS_prlimit64:
		return ARGUMENTS(me, RLIMIT_CPU, 0, AT(room));
	case SYS_process_vm_readv:
	case SYS_process_vm_writev:
		piece_of_room = (struct iovec){ &room, 1 };
		return ARGUMENTS(me, AT(piece_of_room), 1, AT(piece_of_room), 1);
	case SYS_ptrace:
		/* PTRACE_PEEKDATA of somebody who is not traced. */
		return ARGUMENTS(2, me, AT(room), AT(room));
	case SYS_kcmp:
		return ARGUMENTS(me, me, 1);
	case SYS_sched_getscheduler:
	case SYS_getpgid:
	case SYS_getsid:
	case SYS_kill:
	case SYS_tkill:
	case SYS_pidfd_open:
		return ARGUMENTS(me);
	case SYS_tgkill:
		return ARGUMENTS(me, me);
	case SYS_setpgid:
		return ARGUMENTS(0, me);
	case SYS_wait4:
		return ARGUMENTS(me, 0, WNOHANG);
	case SYS_waitid:
		return ARGUMENTS(P_PID, me, 0, WNOHANG | WEXITED);
	case SYS_rt_sigqueueinfo:
		((siginfo_t *)&room)->si_code = SI_QUEUE;
		return ARGUMENTS(me, 0, AT(room));
	case SYS_rt_tgsigqueueinfo:
		((siginfo_t *)&room)->si_code = SI_QUEUE;
		return ARGUMENTS(me, me, 0, AT(room));
	case SYS_getpriority:
	case SYS_setpriority:
		return ARGUMENTS(PRIO_PROCESS, me);
	case SYS_clock_settime:
	case SYS_clock_gettime:
	case SYS_clock_getres:
		return ARGUMENTS((unsigned int)(~me * 8 + 2), AT(room));
	case SYS_clock_nanosleep:
		/* It is over. */
		return ARGUMENTS((unsigned int)(~me * 8 + 2), TIMER_ABSTIME, AT(room));
	case SYS_timer_create:
		event.sigev_notify = SIGEV_THREAD_ID;
		((int *)&event)[4] = me;
		return ARGUMENTS(CLOCK_MONOTONIC, AT(event), AT(timer));
	case SYS_perf_event_open:
		return ARGUMENTS(AT(perf), me, -1, -1);
	case SYS_capget:
	case SYS_capset:
		header.version = _LINUX_CAPABILITY_VERSION_3;
		header.pid = 0;
		syscall(SYS_capget, &header, data);
		header.pid = me;
		return ARGUMENTS(AT(header), AT(data));
	case SYS_sendmsg:
		prepare_message();
		return ARGUMENTS(sockets[0], AT(message), MSG_DONTWAIT);
	case SYS_sendmmsg:
		prepare_message();
		return ARGUMENTS(sockets[0], AT(message), 1, MSG_DONTWAIT);
	case SYS_recvmsg:
		CHECK(write(sockets[0], "", 1) == 1);
		prepare_message();
		return ARGUMENTS(sockets[1], AT(message), MSG_DONTWAIT);
	case SYS_recvmmsg:
		CHECK(write(sockets[0], "", 1) == 1);
		prepare_message();
		return ARGUMENTS(sockets[1], AT(message), 1, MSG_DONTWAIT);
	case SYS_getsockopt:
		length = sizeof(struct ucred);
		return ARGUMENTS(sockets[0], SOL_SOCKET, SO_PEERCRED, AT(room), AT(length));
	case SYS_ioctl:
		*(int *)&room = me;
		/* FIOSETOWN */
		return ARGUMENTS(sockets[0], 0x8901, AT(room));
	case SYS_fcntl:
		return ARGUMENTS(sockets[0], F_SETOWN, me);
	case SYS_shmctl:
		return ARGUMENTS(shared, IPC_STAT, AT(room));
	case SYS_msgctl:
		return ARGUMENTS(queue, IPC_STAT, AT(room));
	case SYS_semctl:
		return ARGUMENTS(semaphore, 0, GETPID);
	}
	return ARGUMENTS(0);
}

static void make(long call)
{
	struct arguments args = arguments_of(call);
	long *value = args.value;
	long before = leaks();
	long result;

	syscall(call, value[0], value[1], value[2], value[3], value[4], value[5]);
	if (leaks() != before) {
		failures++;
		printf("call %ld: a number goes by\n", call);
	}
	args = arguments_of(call);
	take_out(call);
	result = syscall(call, value[0], value[1], value[2], value[3], value[4], value[5]);
	take_out(-1);
	if (leaks() != before) {
		printf("%ld\n", call);
	} else {
		failures++;
		printf("call %ld: not seen, and its result is %ld\n", call, result);
	}
}

void rows(void)
{
	static const short calls[] = {
		SYS_sched_setparam, SYS_sched_getparam, SYS_sched_setscheduler,
		SYS_sched_getscheduler, SYS_sched_rr_get_interval, SYS_sched_setaffinity,
		SYS_sched_getaffinity, SYS_get_robust_list, SYS_prlimit64, SYS_process_vm_readv,
		SYS_process_vm_writev, SYS_sched_setattr, SYS_sched_getattr, SYS_getpid,
		SYS_gettid, SYS_getppid, SYS_getpgrp, SYS_getpgid, SYS_getsid, SYS_setpgid,
		SYS_wait4, SYS_waitid, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo,
		SYS_rt_tgsigqueueinfo, SYS_pidfd_open, SYS_set_tid_address, SYS_getpriority,
		SYS_setpriority, SYS_clock_settime, SYS_clock_gettime, SYS_clock_getres,
		SYS_clock_nanosleep, SYS_timer_create, SYS_perf_event_open, SYS_capget,
		SYS_capset, SYS_sendmsg, SYS_sendmmsg, SYS_recvmsg, SYS_recvmmsg,
		SYS_getsockopt, SYS_ioctl, SYS_fcntl, SYS_shmctl, SYS_msgctl, SYS_semctl,
		SYS_kcmp, SYS_ptrace, SYS_setsid,
	};
	struct {
		long type;
		char text[8];
	} text = { .type = 1 };
	int on = 1;

	me = getpid();
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == 0);
	CHECK(setsockopt(sockets[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
	shared = shmget(IPC_PRIVATE, 4096, 0600);
	queue = msgget(IPC_PRIVATE, 0600);
	semaphore = semget(IPC_PRIVATE, 1, 0600);
	CHECK(shared >= 0 && queue >= 0 && semaphore >= 0);
	/* Somebody has used them. */
	CHECK(msgsnd(queue, &text, sizeof(text.text), 0) == 0);
	CHECK(semop(semaphore, &(struct sembuf){ .sem_op = 1 }, 1) == 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		make(calls[i]);
	shmctl(shared, IPC_RMID, NULL);
	msgctl(queue, IPC_RMID, NULL);
	semctl(semaphore, 0, IPC_RMID);
}
