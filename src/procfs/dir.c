// SPDX-License-Identifier: GPL-2.0
/*
 * For src/procfs.rs: reading directories.
 *
 * fs/proc/base.c: proc_pid_readdir(), proc_task_readdir(). What the kernel has itself comes
 * first; in the top one processes are left out there, and those that the view shows follow. Each
 * name of a task is one question to the world: no lock is held while names are given out.
 */
#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "procfs.h"

/* Where names of the view's own begin: the kernel's own are before. */
#define OWN_POS		0x100000
#define PROCESS_POS	(OWN_POS + 2)

/* A directory that is open. */
struct open_dir {
	/* The kernel's own, or NULL. */
	struct file *lower;
	/* The thread that was listed last. */
	u64 at;
};

/* Names of the kernel's own directory on their way to the caller. */
struct filter {
	struct dir_context ctx;
	struct dir_context *to;
	struct file *file;
	bool is_root;
	/* In the top directory: all but processes was seen. */
	bool is_done;
	/* The caller has no more room. */
	bool is_full;
};

static bool filter(struct dir_context *ctx, const char *name, int len, loff_t pos, u64 ino,
		   unsigned int type)
{
	struct filter *filter = container_of(ctx, struct filter, ctx);
	bool is_dot = len == 1 && name[0] == '.';
	bool is_dot_dot = len == 2 && name[0] == '.' && name[1] == '.';
	bool is_self = len == 4 && !memcmp(name, "self", 4);

	if (filter->is_root && (is_self || altpid_number(name, len))) {
		filter->is_done = true;
		return false;
	}
	if (is_dot)
		ino = file_inode(filter->file)->i_ino;
	else if (is_dot_dot)
		ino = d_parent_ino(filter->file->f_path.dentry);
	filter->to->pos = pos;
	filter->is_full = !dir_emit(filter->to, name, len, ino, type);
	return !filter->is_full;
}

/* Gives out what the kernel's own directory has; returns whether that is all, or an error. */
static int emit_lower(struct file *file, struct dir_context *ctx, struct file *lower)
{
	struct filter names = {
		.ctx.actor = filter,
		.ctx.count = ctx->count,
		.to = ctx,
		.file = file,
		.is_root = ALTPID_I(file_inode(file))->kind == ALTPID_ROOT,
	};
	int err;

	/* The position of a directory is written with its lock held, or by one thread. */
	lower->f_pos = ctx->pos;
	err = iterate_dir(lower, &names.ctx);
	ctx->pos = lower->f_pos;
	return err ? err : !names.is_full && (names.is_done || !names.is_root);
}

static bool emit_task(struct dir_context *ctx, const struct altpid_proc_task *task, u64 ino)
{
	char name[12];

	return dir_emit(ctx, name, snprintf(name, sizeof(name), "%d", task->nr), ino, DT_DIR);
}

static int emit_processes(struct file *file, struct dir_context *ctx)
{
	void *view = altpid_view(file_inode(file));
	struct altpid_proc_task task;

	if (ctx->pos == OWN_POS) {
		if (!dir_emit(ctx, "self", 4, ALTPID_INO_SELF, DT_LNK))
			return 0;
		ctx->pos++;
	}
	if (ctx->pos == OWN_POS + 1) {
		if (!dir_emit(ctx, "thread-self", 11, ALTPID_INO_SELF + 1, DT_LNK))
			return 0;
		ctx->pos++;
	}
	while (altpid_proc_next(view, ctx->pos - PROCESS_POS, &task)) {
		ctx->pos = PROCESS_POS + task.nr;
		if (!emit_task(ctx, &task, ALTPID_INO_PROCESS + task.nr))
			return 0;
		ctx->pos++;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int emit_threads(struct file *file, struct dir_context *ctx)
{
	u64 process = ALTPID_I(file_inode(file))->who;
	void *view = altpid_view(file_inode(file));
	struct open_dir *dir = file->private_data;
	struct altpid_proc_task task;
	u64 before = dir->at;

	if (!dir_emit_dots(file, ctx))
		return 0;
	while (altpid_proc_thread(view, process, &dir->at, ctx->pos - 2, &task)) {
		if (!emit_task(ctx, &task, ALTPID_INO_THREAD + task.nr)) {
			/* This one is to be found once more. */
			dir->at = before;
			return 0;
		}
		before = dir->at;
		ctx->pos++;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* What there is of a task without a body. */
static int emit_made(struct file *file, struct dir_context *ctx)
{
	const struct altpid_inode *node = ALTPID_I(file_inode(file));
	const char *name;
	u64 ino;

	if (!dir_emit_dots(file, ctx))
		return 0;
	while ((name = altpid_made_name(node, ctx->pos - 2, &ino))) {
		if (!dir_emit(ctx, name, strlen(name), ino,
			      strcmp(name, "task") ? DT_REG : DT_DIR))
			return 0;
		ctx->pos++;
	}
	return 0;
}

static int iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *inode = file_inode(file);
	enum altpid_kind kind = ALTPID_I(inode)->kind;
	struct open_dir *dir = file->private_data;
	int ret;

	if (!altpid_proc_is_open(altpid_view(inode)))
		return dir_emit_dots(file, ctx), 0;
	if (kind == ALTPID_THREADS)
		return emit_threads(file, ctx);
	if (!dir->lower)
		return emit_made(file, ctx);
	if (kind != ALTPID_ROOT || ctx->pos < OWN_POS) {
		ret = emit_lower(file, ctx, dir->lower);
		if (ret <= 0 || kind != ALTPID_ROOT)
			return min(ret, 0);
		ctx->pos = OWN_POS;
	}
	return emit_processes(file, ctx);
}

static loff_t llseek(struct file *file, loff_t offset, int whence)
{
	struct open_dir *dir = file->private_data;

	dir->at = 0;
	return generic_file_llseek(file, offset, whence);
}

static int open(struct inode *inode, struct file *file)
{
	struct altpid_inode *node = ALTPID_I(inode);
	struct open_dir *dir = kzalloc(sizeof(*dir), GFP_KERNEL_ACCOUNT);

	if (!dir)
		return -ENOMEM;
	if (node->lower && node->kind != ALTPID_THREADS) {
		dir->lower = altpid_open_lower(inode, file);
		if (IS_ERR(dir->lower)) {
			int err = PTR_ERR(dir->lower);

			kfree(dir);
			return err;
		}
	}
	file->private_data = dir;
	return 0;
}

static int release(struct inode *inode, struct file *file)
{
	struct open_dir *dir = file->private_data;

	if (dir->lower)
		fput(dir->lower);
	kfree(dir);
	return 0;
}

const struct file_operations altpid_dir_ops = {
	.owner = THIS_MODULE,
	.open = open,
	.release = release,
	.read = generic_read_dir,
	.iterate_shared = iterate,
	.llseek = llseek,
};

/*
 * Whether a descriptor is the directory of a process, which pidfd_send_signal(2) takes for a pidfd:
 * tgid_pidfd_to_pid(). The pid is one of altpid's, with a reference, NULL when it is reaped.
 */
bool altpid_proc_directory(int fd, void **pid)
{
	struct file *file = fget(fd);
	bool is_one;

	if (!file)
		return false;
	is_one = file->f_op == &altpid_dir_ops &&
		 ALTPID_I(file_inode(file))->kind == ALTPID_PROCESS;
	if (is_one)
		*pid = altpid_proc_pid(altpid_view(file_inode(file)),
				       ALTPID_I(file_inode(file))->who);
	fput(file);
	return is_one;
}
