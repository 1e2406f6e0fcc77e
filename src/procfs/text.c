// SPDX-License-Identifier: GPL-2.0
/*
 * For src/procfs.rs: files with numbers in them.
 *
 * The kernel's file is read a page at a time, and in each line what the namespace calls whom the
 * line names takes the place of the kernel's numbers; or the lines are made from the world alone.
 * Who reads on where the last read has ended goes on, as in a seq_file; who reads elsewhere begins
 * again and skips.
 *
 * Locks: a mutex of each open file, below which the kernel's file is read.
 */
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "procfs.h"

/* What one line may become longer by: a number at each of 32 levels. */
#define MORE		512
#define LINES		PAGE_SIZE

/* A file that is open. */
struct text {
	/* One reads at a time. */
	struct mutex lock;
	/* The kernel's own, or NULL for what is made from the world. */
	struct file *lower;
	loff_t lower_pos;
	/* Where the reader is, and from where on @out is to be read. */
	loff_t pos;
	size_t from;
	/* Bytes in @out and @in. */
	size_t out_len;
	size_t in_len;
	/* In the middle of a line that is longer than @in. */
	bool is_within;
	bool is_at_end;
	/* What a line before has left to be known. */
	u64 state;
	struct altpid_proc_place place;
	char out[LINES + MORE];
	char in[LINES];
};

static bool is_made(enum altpid_kind kind)
{
	return kind >= ALTPID_CHILDREN;
}

static bool is_sysctl(enum altpid_kind kind)
{
	return kind == ALTPID_PID_MAX || kind == ALTPID_LAST_PID;
}

/* Reads on in the kernel's file, which is a seq_file or has an iterator. */
static ssize_t read_lower(struct text *text, enum altpid_kind kind)
{
	struct file *lower = text->lower;
	struct kvec vec = {
		.iov_base = text->in + text->in_len,
		.iov_len = LINES - text->in_len,
	};
	struct iov_iter iter;
	struct kiocb iocb;
	ssize_t ret;

	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, vec.iov_len);
	init_sync_kiocb(&iocb, lower);
	iocb.ki_pos = text->lower_pos;
	if (lower->f_op->read_iter)
		ret = lower->f_op->read_iter(&iocb, &iter);
	else if (lower->f_op->read == seq_read || kind == ALTPID_SHM || kind == ALTPID_MSG)
		ret = seq_read_iter(&iocb, &iter);
	else
		ret = -EIO;
	text->lower_pos = iocb.ki_pos;
	return ret;
}

/* The next piece of the kernel's file. */
static int fill_from_lower(struct text *text, struct inode *inode)
{
	struct altpid_inode *node = ALTPID_I(inode);
	char *end = memchr(text->in, '\n', text->in_len);
	size_t len;
	ssize_t ret;

	while (!end && text->in_len < LINES && !text->is_at_end) {
		ret = read_lower(text, node->kind);
		if (ret < 0)
			return ret;
		text->is_at_end = !ret;
		end = memchr(text->in + text->in_len, '\n', ret);
		text->in_len += ret;
	}
	len = end ? end - text->in + 1 : text->in_len;
	if (text->is_within || (!end && len == LINES)) {
		memcpy(text->out, text->in, len);
		text->out_len = len;
	} else if (len) {
		ret = altpid_proc_line(altpid_view(inode), node->who, node->kind, text->in, len,
				       text->out, sizeof(text->out), &text->state);
		if (ret < 0)
			return ret;
		text->out_len = ret;
	}
	text->is_within = !end && len;
	text->in_len -= len;
	memmove(text->in, text->in + len, text->in_len);
	return 0;
}

/* The next piece of what is made from the world. */
static int fill_made(struct text *text, struct inode *inode)
{
	struct altpid_inode *node = ALTPID_I(inode);
	ssize_t ret;

	ret = altpid_proc_make(altpid_view(inode), node->who, node->kind, text->out,
			       sizeof(text->out), &text->place);
	if (ret < 0)
		return ret;
	text->out_len = ret;
	/* Only children come in pieces. */
	text->is_at_end = node->kind != ALTPID_CHILDREN || !ret;
	return 0;
}

/* Has something in @out, unless it is the end. */
static int fill(struct text *text, struct inode *inode)
{
	int err;

	while (text->from == text->out_len && (!text->is_at_end || text->in_len)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		text->from = 0;
		text->out_len = 0;
		err = is_made(ALTPID_I(inode)->kind) ? fill_made(text, inode) :
						       fill_from_lower(text, inode);
		if (err)
			return err;
	}
	return 0;
}

static void begin_again(struct text *text)
{
	text->lower_pos = 0;
	text->pos = 0;
	text->from = 0;
	text->out_len = 0;
	text->in_len = 0;
	text->is_within = false;
	text->is_at_end = false;
	text->state = 0;
	memset(&text->place, 0, sizeof(text->place));
}

static ssize_t read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct inode *inode = file_inode(file);
	struct text *text = file->private_data;
	size_t done = 0, some;
	int err = 0;

	guard(mutex)(&text->lock);
	if (*pos != text->pos || !*pos)
		begin_again(text);
	while (done < len) {
		err = fill(text, inode);
		some = text->out_len - text->from;
		if (err || !some)
			break;
		if (text->pos < *pos) {
			some = min_t(loff_t, some, *pos - text->pos);
		} else {
			some = min(some, len - done);
			if (copy_to_user(buf + done, text->out + text->from, some)) {
				err = -EFAULT;
				break;
			}
			done += some;
			*pos += some;
		}
		text->from += some;
		text->pos += some;
	}
	return done ? done : err;
}

static ssize_t write_sysctl(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct inode *inode = file_inode(file);
	long long value;
	char word[24];
	int err;

	/* As sysctl_writes_strict has it: what is written further on has no effect. */
	if (*pos)
		return len;
	if (len >= sizeof(word))
		return -EINVAL;
	if (copy_from_user(word, buf, len))
		return -EFAULT;
	word[len] = 0;
	err = kstrtoll(strim(word), 10, &value);
	if (!err)
		err = altpid_proc_write(altpid_view(inode), ALTPID_I(inode)->kind, value);
	if (err)
		return err;
	*pos += len;
	return len;
}

static ssize_t write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	enum altpid_kind kind = ALTPID_I(file_inode(file))->kind;
	struct text *text = file->private_data;

	if (is_sysctl(kind))
		return write_sysctl(file, buf, len, pos);
	/* Numbers that are written are the namespace's, which the kernel does not know. */
	if (kind == ALTPID_NUMBER)
		return -EPERM;
	if (!text->lower || !text->lower->f_op->write)
		return -EINVAL;
	return text->lower->f_op->write(text->lower, buf, len, pos);
}

static int open(struct inode *inode, struct file *file)
{
	struct text *text = kvzalloc(sizeof(*text), GFP_KERNEL_ACCOUNT);
	int err;

	if (!text)
		return -ENOMEM;
	mutex_init(&text->lock);
	if (!is_made(ALTPID_I(inode)->kind)) {
		text->lower = altpid_open_lower(inode, file);
		if (IS_ERR(text->lower)) {
			err = PTR_ERR(text->lower);
			kvfree(text);
			return err;
		}
	}
	file->private_data = text;
	return 0;
}

static int release(struct inode *inode, struct file *file)
{
	struct text *text = file->private_data;

	if (text->lower)
		fput(text->lower);
	kvfree(text);
	return 0;
}

static loff_t llseek(struct file *file, loff_t offset, int whence)
{
	return no_seek_end_llseek(file, offset, whence);
}

const struct file_operations altpid_text_ops = {
	.owner = THIS_MODULE,
	.open = open,
	.release = release,
	.read = read,
	.write = write,
	.llseek = llseek,
};
