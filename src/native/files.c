// SPDX-License-Identifier: GPL-2.0
/*
 * For src/native/files.rs: what descriptors of the calling thread are.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/ns_common.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/proc_ns.h>
#include <net/sock.h>

#include "../native.h"

/* Whom a descriptor is a pidfd on, with a reference, and its flags: pidfd_pid(). */
struct pid *altpid_pidfd(int fd, unsigned int *flags)
{
	struct pid *pid = NULL;
	struct file *file = fget(fd);

	if (!file)
		return NULL;
	if (file_inode(file)->i_sb->s_magic == PID_FS_MAGIC && S_ISREG(file_inode(file)->i_mode)) {
		pid = get_pid(file_inode(file)->i_private);
		*flags = file->f_flags;
	}
	fput(file);
	return pid;
}

/* The peer of a socket, with a reference. */
struct pid *altpid_peer(int fd)
{
	struct socket *sock;
	struct pid *pid;
	int err;

	sock = sockfd_lookup(fd, &err);
	if (!sock)
		return NULL;
	spin_lock(&sock->sk->sk_peer_lock);
	pid = get_pid(sock->sk->sk_peer_pid);
	spin_unlock(&sock->sk->sk_peer_lock);
	sockfd_put(sock);
	return pid;
}

/* The flag of clone(2) for the kind of namespace that a descriptor is, 0 if it is none. */
unsigned int altpid_namespace_kind(int fd)
{
	unsigned int kind = 0;
	struct file *file = fget(fd);

	if (!file)
		return 0;
	if (file_inode(file)->i_sb->s_magic == NSFS_MAGIC && S_ISREG(file_inode(file)->i_mode))
		kind = get_proc_ns(file_inode(file))->ns_type;
	fput(file);
	return kind;
}

/*
 * Pidfds on the dead. The kernel makes none for a process that is gone, and a body is gone while
 * its process is still a zombie here. What such a one can be used for is asked by the calls that
 * take it; it is ready, as natively that of a zombie.
 */

static __poll_t dead_poll(struct file *file, struct poll_table_struct *table)
{
	__poll_t ready = EPOLLIN | EPOLLRDNORM;

	/* Nobody is told when it is reaped. */
	return altpid_is_reaped(file->private_data) ? ready | EPOLLHUP : ready;
}

static int dead_release(struct inode *inode, struct file *file)
{
	altpid_put_dead(file->private_data);
	return 0;
}

static const struct file_operations dead_fops = {
	.owner = THIS_MODULE,
	.poll = dead_poll,
	.release = dead_release,
	.llseek = noop_llseek,
};

/* A descriptor for one of altpid's pids, whose reference goes with it if this does not fail. */
int altpid_open_dead(void *pid, unsigned int flags)
{
	return anon_inode_getfd("[pidfd]", &dead_fops, pid, O_RDWR | O_CLOEXEC | flags);
}

/* Whom a descriptor is such a one on, with a reference, and its flags. */
void *altpid_dead(int fd, unsigned int *flags)
{
	struct file *file = fget(fd);
	void *pid = NULL;

	if (!file)
		return NULL;
	if (file->f_op == &dead_fops) {
		pid = file->private_data;
		altpid_get_dead(pid);
		*flags = file->f_flags;
	}
	fput(file);
	return pid;
}
