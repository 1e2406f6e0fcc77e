// SPDX-License-Identifier: GPL-2.0
/*
 * For src/procfs.rs: files that are the kernel's own. What is asked of one is asked of the kernel's
 * file, which is opened with it, by the same process and with the same credentials.
 */
#include <linux/file.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/poll.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "procfs.h"

/* The kernel's own file, for one of ours that is being opened. */
struct file *altpid_open_lower(struct inode *inode, struct file *file)
{
	struct path lower = {
		.mnt = altpid_lower_mnt(),
		.dentry = ALTPID_I(inode)->lower,
	};

	return dentry_open(&lower, file->f_flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW),
			   current_cred());
}

static int open(struct inode *inode, struct file *file)
{
	struct file *lower = altpid_open_lower(inode, file);

	if (IS_ERR(lower))
		return PTR_ERR(lower);
	file->private_data = lower;
	/* What cannot be seeked or read at a place says so when it is opened. */
	file->f_mode &= lower->f_mode | ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE);
	return 0;
}

static int release(struct inode *inode, struct file *file)
{
	fput(file->private_data);
	return 0;
}

static loff_t llseek(struct file *file, loff_t offset, int whence)
{
	struct file *lower = file->private_data;
	loff_t pos;

	lower->f_pos = file->f_pos;
	pos = vfs_llseek(lower, offset, whence);
	file->f_pos = lower->f_pos;
	return pos;
}

static ssize_t read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct file *lower = file->private_data;

	return lower->f_op->read ? lower->f_op->read(lower, buf, len, pos) : -EINVAL;
}

static ssize_t write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct file *lower = file->private_data;

	return lower->f_op->write ? lower->f_op->write(lower, buf, len, pos) : -EINVAL;
}

static ssize_t pass_iter(struct kiocb *iocb, struct iov_iter *iter,
			 ssize_t (*pass)(struct kiocb *iocb, struct iov_iter *iter))
{
	struct kiocb inner;
	ssize_t ret;

	if (!pass)
		return -EINVAL;
	init_sync_kiocb(&inner, iocb->ki_filp->private_data);
	inner.ki_pos = iocb->ki_pos;
	ret = pass(&inner, iter);
	iocb->ki_pos = inner.ki_pos;
	return ret;
}

static ssize_t read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *lower = iocb->ki_filp->private_data;

	return pass_iter(iocb, to, lower->f_op->read_iter);
}

static ssize_t write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *lower = iocb->ki_filp->private_data;

	return pass_iter(iocb, from, lower->f_op->write_iter);
}

static __poll_t poll(struct file *file, struct poll_table_struct *table)
{
	return vfs_poll(file->private_data, table);
}

static long ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct file *lower = file->private_data;

	return lower->f_op->unlocked_ioctl ? lower->f_op->unlocked_ioctl(lower, cmd, arg) : -ENOTTY;
}

#ifdef CONFIG_COMPAT
static long compat_ioctl_(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct file *lower = file->private_data;

	return lower->f_op->compat_ioctl ? lower->f_op->compat_ioctl(lower, cmd, arg) :
					   -ENOIOCTLCMD;
}

#define COMPAT .compat_ioctl = compat_ioctl_,
#else
#define COMPAT
#endif

#define COMMON								\
	.owner = THIS_MODULE, .open = open, .release = release,		\
	.llseek = llseek, .unlocked_ioctl = ioctl, COMPAT

/* By what the kernel's file has: a file without poll or with no iterators says so. */
static const struct file_operations plain_ops = { COMMON .read = read, .write = write };
static const struct file_operations plain_poll_ops = {
	COMMON .read = read, .write = write, .poll = poll,
};

static const struct file_operations memory_ops = {
	COMMON .read = read, .write = write, .fop_flags = FOP_UNSIGNED_OFFSET,
};

static const struct file_operations iter_ops = {
	COMMON .read_iter = read_iter, .write = write, .splice_read = copy_splice_read,
};

static const struct file_operations iter_poll_ops = {
	COMMON .read_iter = read_iter, .write = write, .poll = poll,
	.splice_read = copy_splice_read,
};

static const struct file_operations iters_ops = {
	COMMON .read_iter = read_iter, .write_iter = write_iter, .poll = poll,
	.splice_read = copy_splice_read, .splice_write = iter_file_splice_write,
};

const struct file_operations *altpid_passing_ops(const struct file_operations *lower)
{
	if (lower->fop_flags & FOP_UNSIGNED_OFFSET)
		return &memory_ops;
	if (lower->read_iter && lower->write_iter)
		return &iters_ops;
	if (lower->read_iter)
		return lower->poll ? &iter_poll_ops : &iter_ops;
	return lower->poll ? &plain_poll_ops : &plain_ops;
}
