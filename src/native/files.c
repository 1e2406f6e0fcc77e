// SPDX-License-Identifier: GPL-2.0
/*
 * For src/native/files.rs: what descriptors of the calling thread are.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/net.h>
#include <linux/ns_common.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/proc_ns.h>
#include <linux/rcupdate.h>
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

/* Whether a number is now that of somebody else than a thread that may be gone. */
bool altpid_is_taken(struct pid *pid)
{
	struct pid *now;

	rcu_read_lock();
	now = find_pid_ns(pid_nr(pid), &init_pid_ns);
	rcu_read_unlock();
	return now && now != pid;
}
