// SPDX-License-Identifier: GPL-2.0
/* Who has sent, changed or connected last, alive or dead. What is said is the same natively. */
#define _GNU_SOURCE
#include <stddef.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

static pid_t peer_of(int fd)
{
	struct ucred peer = { 0 };
	socklen_t length = sizeof(peer);

	CHECK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && length == 12);
	CHECK(peer.uid == getuid());
	return peer.pid;
}

static void sockets(void)
{
	struct sockaddr_un address = { AF_UNIX, "" };
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + 8;
	int listening = socket(AF_UNIX, SOCK_STREAM, 0), pair[2], connection;
	struct ucred own[2] = { { -1, -1, -1 }, { -1, -1, -1 } };
	pid_t child;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(peer_of(pair[0]) == getpid());
	/* As long as the caller says. */
	length = 4;
	CHECK(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, own, &length) == 0 && length == 4);
	CHECK(own[0].pid == getpid() && own[0].uid == (uid_t)-1);
	length = sizeof(own);
	CHECK(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, own, &length) == 0 && length == 12);
	CHECK(own[1].pid == -1);
	length = offsetof(struct sockaddr_un, sun_path) + 8;
	memcpy(address.sun_path, "\0altpid", 8);
	CHECK(bind(listening, (struct sockaddr *)&address, length) == 0);
	CHECK(listen(listening, 5) == 0);
	CHILD(child) {
		connection = socket(AF_UNIX, SOCK_STREAM, 0);
		CHECK(connect(connection, (struct sockaddr *)&address, length) == 0);
		CHECK(peer_of(connection) == getppid());
	}
	connection = accept(listening, NULL, NULL);
	CHECK(connection >= 0 && peer_of(connection) == child);
	CHECK(exits(child, 0));
	/* It is gone, and was who connected. */
	CHECK(peer_of(connection) == child);
	close(connection);
	close(listening);
	close(pair[0]);
	close(pair[1]);
}

union control {
	char bytes[CMSG_SPACE(sizeof(struct ucred))];
	struct cmsghdr header;
};

static int send_as(int fd, pid_t pid)
{
	struct ucred sender = { pid, getuid(), getgid() };
	struct iovec data = { "x", 1 };
	union control control = { .header = {
		CMSG_LEN(sizeof(sender)), SOL_SOCKET, SCM_CREDENTIALS,
	} };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.header), &sender, sizeof(sender));
	return sendmsg(fd, &message, MSG_DONTWAIT);
}

static pid_t receive_from(int fd, int many)
{
	struct ucred sender = { 0 };
	union control control;
	char byte;
	struct iovec data = { &byte, 1 };
	struct mmsghdr messages[1] = { { .msg_hdr = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	} } };

	if (many)
		CHECK(recvmmsg(fd, messages, 1, 0, NULL) == 1);
	else
		CHECK(recvmsg(fd, &messages[0].msg_hdr, 0) == 1);
	CHECK(control.header.cmsg_type == SCM_CREDENTIALS);
	memcpy(&sender, CMSG_DATA(&control.header), sizeof(sender));
	return sender.pid;
}

/* Of a message that cannot be received whole, or whose header cannot be written. */
static void received_in_part(int from, int to)
{
	union control control;
	char byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(4),
	}, *header;
	int nr = 0;

	CHECK(write(from, "x", 1) == 1 && recvmsg(to, &message, 0) == 1);
	CHECK(message.msg_flags & MSG_CTRUNC && control.header.cmsg_len == CMSG_LEN(4));
	memcpy(&nr, CMSG_DATA(&control.header), 4);
	CHECK(nr == getpid());
	message.msg_controllen = sizeof(control);
	header = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*header = message;
	CHECK(mprotect(header, 4096, PROT_READ) == 0);
	CHECK(write(from, "x", 1) == 1);
	CHECK_ERROR(recvmsg(to, header, 0), EFAULT);
	memcpy(&nr, CMSG_DATA(&control.header), 4);
	CHECK(nr == getpid());
	munmap(header, 4096);
	/* Beyond the end of all memory. */
	CHECK_ERROR(syscall(SYS_sendmmsg, from, -32L, 3, 0), EFAULT);
	CHECK_ERROR(syscall(SYS_recvmmsg, to, -32L, 3, MSG_DONTWAIT, NULL), EFAULT);
}

static void messages(void)
{
	int pair[2], on = 1;
	pid_t child;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	CHECK(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
	CHECK(write(pair[0], "x", 1) == 1 && receive_from(pair[1], 0) == getpid());
	CHILD(child) {
		CHECK(write(pair[0], "x", 1) == 1);
		CHECK(send_as(pair[0], getpid()) == 1);
		/* As the superuser it may. */
		CHECK(send_as(pair[0], getppid()) == 1);
		CHECK_ERROR(send_as(pair[0], 12345), ESRCH);
	}
	CHECK(exits(child, 0));
	CHECK(receive_from(pair[1], 0) == child);
	CHECK(receive_from(pair[1], 1) == child);
	CHECK(receive_from(pair[1], 0) == getpid());
	received_in_part(pair[0], pair[1]);
	close(pair[0]);
	close(pair[1]);
}

static void ipc(void)
{
	int semaphore = semget(IPC_PRIVATE, 1, 0600), shared = shmget(IPC_PRIVATE, 4096, 0600);
	int queue = msgget(IPC_PRIVATE, 0600);
	struct { long type; char byte; } letter = { 1, 0 };
	struct sembuf up = { 0, 1, 0 };
	struct shmid_ds memory;
	struct msqid_ds letters;
	pid_t child;

	CHECK(semctl(semaphore, 0, GETPID) == 0);
	CHILD(child) {
		CHECK(semop(semaphore, &up, 1) == 0);
		CHECK(shmat(shared, NULL, 0) != (void *)-1);
		CHECK(msgsnd(queue, &letter, 1, 0) == 0);
	}
	CHECK(exits(child, 0));
	CHECK(semctl(semaphore, 0, GETPID) == child);
	CHECK(shmctl(shared, IPC_STAT, &memory) == 0 && memory.shm_segsz == 4096);
	CHECK(memory.shm_cpid == getpid() && memory.shm_lpid == child);
	CHECK(msgctl(queue, IPC_STAT, &letters) == 0 && letters.msg_qnum == 1);
	CHECK(letters.msg_lspid == child && letters.msg_lrpid == 0);
	CHECK_ERROR(msgctl(queue, IPC_STAT, NULL), EFAULT);
	CHECK(semctl(semaphore, 0, IPC_RMID) == 0 && shmctl(shared, IPC_RMID, NULL) == 0);
	CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
}

void peers(void)
{
	sockets();
	messages();
	ipc();
}
