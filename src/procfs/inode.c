// SPDX-License-Identifier: GPL-2.0
/*
 * For src/procfs.rs: what is where, and inodes.
 *
 * fs/proc/base.c: proc_pid_lookup(), proc_task_lookup(), pid_revalidate(); fs/proc/self.c.
 *
 * An inode has the kernel's own dentry below it, of which it asks everything, or none. Nothing is
 * kept that nobody uses: who comes later asks the world again.
 *
 * Locks: the kernel's own inodes are locked below these, which are of another type.
 */
#include <linux/fs_stack.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/slab.h>

#include "procfs.h"

/* What has numbers in it, by where it is. */
static const struct {
	enum altpid_kind parent;
	const char *name;
	enum altpid_kind kind;
} places[] = {
	{ ALTPID_ROOT, "loadavg", ALTPID_LOADAVG },
	{ ALTPID_ROOT, "locks", ALTPID_LOCKS },
	{ ALTPID_ROOT, "sysvipc", ALTPID_SYSVIPC },
	{ ALTPID_ROOT, "sys", ALTPID_SYS },
	{ ALTPID_SYS, "kernel", ALTPID_SYS_KERNEL },
	{ ALTPID_SYS_KERNEL, "pid_max", ALTPID_PID_MAX },
	{ ALTPID_SYS_KERNEL, "ns_last_pid", ALTPID_LAST_PID },
	{ ALTPID_SYS_KERNEL, "cad_pid", ALTPID_NUMBER },
	{ ALTPID_SYSVIPC, "shm", ALTPID_SHM },
	{ ALTPID_SYSVIPC, "msg", ALTPID_MSG },
	{ ALTPID_PROCESS, "task", ALTPID_THREADS },
	{ ALTPID_PROCESS, "fdinfo", ALTPID_FDINFOS },
	{ ALTPID_PROCESS, "stat", ALTPID_STAT },
	{ ALTPID_PROCESS, "status", ALTPID_STATUS },
	{ ALTPID_PROCESS, "sched", ALTPID_SCHED },
	{ ALTPID_PROCESS, "timers", ALTPID_TIMERS },
	{ ALTPID_THREAD, "fdinfo", ALTPID_FDINFOS },
	{ ALTPID_THREAD, "stat", ALTPID_STAT },
	{ ALTPID_THREAD, "status", ALTPID_STATUS },
	{ ALTPID_THREAD, "sched", ALTPID_SCHED },
	{ ALTPID_THREAD, "children", ALTPID_CHILDREN },
};

/* What there is of a task without a body. */
static const struct {
	const char *name;
	enum altpid_kind kind;
} made[] = {
	{ "stat", ALTPID_MADE_STAT },
	{ "status", ALTPID_MADE_STATUS },
	{ "comm", ALTPID_MADE_COMM },
	{ "cmdline", ALTPID_MADE_CMDLINE },
	/* Of a process; and of a thread. */
	{ "task", ALTPID_THREADS },
	{ "children", ALTPID_CHILDREN },
};

const char *altpid_made_name(const struct altpid_inode *parent, unsigned int index, u64 *ino)
{
	bool is_process = parent->kind == ALTPID_PROCESS;

	if (index >= ARRAY_SIZE(made) - 1)
		return NULL;
	if (index == ARRAY_SIZE(made) - 2 && !is_process)
		index++;
	*ino = ALTPID_INO_MADE + 16 * (u64)parent->nr + 8 * is_process + index;
	return made[index].name;
}

/* A name as a number, as name_to_int() takes it; 0 for none. */
int altpid_number(const char *name, unsigned int len)
{
	int nr = 0;

	if (!len || len > 9 || *name == '0')
		return 0;
	for (; len; len--, name++) {
		if (*name < '0' || *name > '9')
			return 0;
		nr = nr * 10 + (*name - '0');
	}
	return nr;
}

static bool is_name(const struct qstr *name, const char *other)
{
	return name->len == strlen(other) && !memcmp(name->name, other, name->len);
}

static enum altpid_kind kind_in(enum altpid_kind parent, const struct qstr *name)
{
	for (int i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i].parent == parent && is_name(name, places[i].name))
			return places[i].kind;
	return parent == ALTPID_FDINFOS ? ALTPID_FDINFO : ALTPID_OTHER;
}

/* The kernel's own dentry with a name, or NULL if there is none. */
static struct dentry *lower_named(struct dentry *base, const char *name, unsigned int len)
{
	struct qstr qstr = QSTR_LEN(name, len);
	struct dentry *lower = lookup_noperm_unlocked(&qstr, base);

	if (!IS_ERR(lower) && d_is_negative(lower)) {
		dput(lower);
		lower = NULL;
	}
	return lower == ERR_PTR(-ENOENT) ? NULL : lower;
}

/* Links. */

static const char *self_get_link(struct dentry *dentry, struct inode *inode,
				 struct delayed_call *done)
{
	int tgid, tid;
	char *name;

	if (!dentry)
		return ERR_PTR(-ECHILD);
	if (!altpid_proc_own(altpid_view(inode), &tgid, &tid))
		return ERR_PTR(-ENOENT);
	if (ALTPID_I(inode)->kind == ALTPID_SELF)
		name = kasprintf(GFP_KERNEL, "%d", tgid);
	else
		name = kasprintf(GFP_KERNEL, "%d/task/%d", tgid, tid);
	if (!name)
		return ERR_PTR(-ENOMEM);
	set_delayed_call(done, kfree_link, name);
	return name;
}

static const char *get_link(struct dentry *dentry, struct inode *inode, struct delayed_call *done)
{
	struct dentry *lower = ALTPID_I(inode)->lower;
	struct inode *below = d_inode(lower);

	if (!dentry)
		return ERR_PTR(-ECHILD);
	if (!below->i_op->get_link)
		return ERR_PTR(-EINVAL);
	return below->i_op->get_link(lower, below, done);
}

static int readlink(struct dentry *dentry, char __user *buf, int size)
{
	return vfs_readlink(ALTPID_I(d_inode(dentry))->lower, buf, size);
}

/* Attributes. */

static int permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	struct dentry *lower = ALTPID_I(inode)->lower;

	if (!lower)
		return generic_permission(idmap, inode, mask);
	if (mask & MAY_NOT_BLOCK)
		return -ECHILD;
	return inode_permission(&nop_mnt_idmap, d_inode(lower), mask);
}

static int getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat,
		   u32 request_mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct altpid_inode *node = ALTPID_I(inode);
	struct path lower = { .mnt = altpid_lower_mnt(), .dentry = node->lower };
	int err = 0;

	/* The kernel's own root counts the kernel's processes. */
	if (!node->lower || node->kind == ALTPID_ROOT)
		generic_fillattr(idmap, request_mask, inode, stat);
	else
		err = vfs_getattr(&lower, stat, request_mask, flags);
	stat->dev = inode->i_sb->s_dev;
	stat->ino = inode->i_ino;
	if (node->kind == ALTPID_ROOT)
		stat->nlink += altpid_proc_count(altpid_view(inode));
	return err;
}

/* As procfs: what a truncation asks for has no effect, and nothing else can be changed. */
static int setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	if (attr->ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		return -EPERM;
	return setattr_prepare(idmap, dentry, attr);
}

static struct dentry *lookup(struct inode *dir, struct dentry *dentry, unsigned int flags);

static const struct inode_operations dir_inode_ops = {
	.lookup = lookup,
	.permission = permission,
	.getattr = getattr,
	.setattr = setattr,
};

static const struct inode_operations file_inode_ops = {
	.permission = permission,
	.getattr = getattr,
	.setattr = setattr,
};

static const struct inode_operations link_inode_ops = {
	.get_link = get_link,
	.readlink = readlink,
	.permission = permission,
	.getattr = getattr,
	.setattr = setattr,
};

static const struct inode_operations self_inode_ops = {
	.get_link = self_get_link,
	.setattr = setattr,
};

/* The mode of what has nothing below it. */
static umode_t mode_of(enum altpid_kind kind)
{
	switch (kind) {
	case ALTPID_SELF:
	case ALTPID_THREAD_SELF:
		return S_IFLNK | 0777;
	case ALTPID_PROCESS:
	case ALTPID_THREADS:
	case ALTPID_THREAD:
		return S_IFDIR | 0555;
	default:
		return S_IFREG | 0444;
	}
}

static u64 ino_of(const struct altpid_inode *node)
{
	switch (node->kind) {
	case ALTPID_PROCESS:
		return ALTPID_INO_PROCESS + node->nr;
	case ALTPID_THREAD:
		return ALTPID_INO_THREAD + node->nr;
	case ALTPID_SELF:
		return ALTPID_INO_SELF;
	case ALTPID_THREAD_SELF:
		return ALTPID_INO_SELF + 1;
	default:
		/* Of what is made: see lookup_made(). */
		return node->lower ? d_inode(node->lower)->i_ino : 0;
	}
}

/* Takes over the reference to @lower. */
struct inode *altpid_new_inode(struct super_block *sb, enum altpid_kind kind, struct dentry *lower,
			       const struct altpid_proc_task *task)
{
	struct inode *inode = new_inode(sb);
	struct altpid_inode *node;

	if (!inode) {
		dput(lower);
		return ERR_PTR(-ENOMEM);
	}
	node = ALTPID_I(inode);
	node->kind = kind;
	node->lower = lower;
	node->who = task ? task->who : 0;
	node->nr = task ? task->nr : 0;
	node->native = lower && task ? task->native : 0;
	inode->i_ino = ino_of(node);
	if (lower) {
		inode->i_mode = d_inode(lower)->i_mode;
		fsstack_copy_attr_all(inode, d_inode(lower));
	} else {
		inode->i_mode = mode_of(kind);
		simple_inode_init_ts(inode);
		if (S_ISDIR(inode->i_mode))
			set_nlink(inode, 2);
	}
	inode->i_flags |= S_NOATIME | S_NOCMTIME;
	if (S_ISDIR(inode->i_mode)) {
		inode->i_op = &dir_inode_ops;
		inode->i_fop = &altpid_dir_ops;
	} else if (S_ISLNK(inode->i_mode)) {
		inode->i_op = lower ? &link_inode_ops : &self_inode_ops;
	} else {
		inode->i_op = &file_inode_ops;
		if (kind >= ALTPID_STAT || !lower)
			inode->i_fop = &altpid_text_ops;
		else
			inode->i_fop = altpid_passing_ops(d_inode(lower)->i_fop);
	}
	return inode;
}

static struct dentry *add(struct dentry *dentry, enum altpid_kind kind, struct dentry *lower,
			  const struct altpid_proc_task *task)
{
	return d_splice_alias(altpid_new_inode(dentry->d_sb, kind, lower, task), dentry);
}

/* How often it is looked for when it has changed meanwhile. */
#define TRIES	4

/*
 * The directory of a task. The kernel's own is found by a number, which may be another one's by
 * then: it is not if the task has it still. While another thread than the leader calls exec the
 * kernel does not find it for a moment.
 */
static struct dentry *lookup_task(struct inode *dir, struct dentry *dentry, u64 process,
				  struct dentry *base, int nr)
{
	enum altpid_kind kind = ALTPID_I(dir)->kind == ALTPID_ROOT ? ALTPID_PROCESS : ALTPID_THREAD;
	void *view = altpid_view(dir);
	struct altpid_proc_task task, again;
	struct dentry *lower;
	char name[12];

	if (!altpid_proc_find(view, process, nr, &task))
		return ERR_PTR(-ENOENT);
	for (int i = 0; i < TRIES && task.native && base; i++) {
		lower = lower_named(base, name, snprintf(name, sizeof(name), "%d", task.native));
		if (IS_ERR(lower))
			return lower;
		if (!altpid_proc_find(view, process, nr, &again) || again.who != task.who) {
			dput(lower);
			return ERR_PTR(-ENOENT);
		}
		if (lower && again.native == task.native)
			return add(dentry, kind, lower, &task);
		dput(lower);
		task = again;
	}
	return add(dentry, kind, NULL, &task);
}

/* Something of a task without a body. */
static struct dentry *lookup_made(struct altpid_inode *parent, struct dentry *dentry)
{
	struct altpid_proc_task task = { .who = parent->who, .nr = parent->nr };
	const char *name;
	struct inode *inode;
	u64 ino;

	for (int i = 0; (name = altpid_made_name(parent, i, &ino)); i++) {
		if (!is_name(&dentry->d_name, name))
			continue;
		inode = altpid_new_inode(dentry->d_sb, made[ino % 8].kind, NULL, &task);
		if (!IS_ERR(inode))
			inode->i_ino = ino;
		return d_splice_alias(inode, dentry);
	}
	return ERR_PTR(-ENOENT);
}

static struct dentry *lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	struct altpid_inode *parent = ALTPID_I(dir);
	const struct qstr *name = &dentry->d_name;
	int nr = altpid_number(name->name, name->len);
	struct altpid_proc_task task = { .who = parent->who, .nr = parent->nr };
	struct dentry *lower;

	if (!altpid_proc_is_open(altpid_view(dir)))
		return ERR_PTR(-ENOENT);
	/* The kernel may still have what is gone from the world already. */
	if (parent->who && !altpid_proc_is_there(altpid_view(dir), parent->who))
		return ERR_PTR(-ESRCH);
	if (parent->kind == ALTPID_ROOT) {
		if (nr)
			return lookup_task(dir, dentry, 0, parent->lower, nr);
		if (is_name(name, "self"))
			return add(dentry, ALTPID_SELF, NULL, NULL);
		if (is_name(name, "thread-self"))
			return add(dentry, ALTPID_THREAD_SELF, NULL, NULL);
	}
	if (parent->kind == ALTPID_THREADS)
		return nr ? lookup_task(dir, dentry, parent->who, parent->lower, nr) :
			    ERR_PTR(-ENOENT);
	if (!parent->lower)
		return lookup_made(parent, dentry);
	lower = lower_named(parent->lower, name->name, name->len);
	if (!lower)
		return ERR_PTR(-ENOENT);
	if (IS_ERR(lower))
		return lower;
	return add(dentry, kind_in(parent->kind, name), lower, &task);
}

/* Whether a name still is what it was. */
static int revalidate(struct inode *dir, const struct qstr *name, struct dentry *dentry,
		      unsigned int flags)
{
	struct altpid_inode *node, *parent = ALTPID_I(dir);
	struct altpid_proc_task task;
	struct dentry *lower;
	bool is_same;
	u64 process;

	if (flags & LOOKUP_RCU)
		return -ECHILD;
	if (d_is_negative(dentry) || !altpid_proc_is_open(altpid_view(dir)))
		return 0;
	node = ALTPID_I(d_inode(dentry));
	if (node->kind == ALTPID_PROCESS || node->kind == ALTPID_THREAD) {
		process = node->kind == ALTPID_THREAD ? parent->who : 0;
		return altpid_proc_find(altpid_view(dir), process, node->nr, &task) &&
		       task.who == node->who && task.native == node->native;
	}
	if (node->who && !altpid_proc_is_there(altpid_view(dir), node->who))
		return 0;
	if (!node->lower || !parent->lower)
		return 1;
	lower = lower_named(parent->lower, name->name, name->len);
	if (IS_ERR(lower))
		return PTR_ERR(lower);
	is_same = lower == node->lower;
	dput(lower);
	return is_same;
}

/* What nobody uses is not kept. */
static int always(const struct dentry *dentry)
{
	return 1;
}

const struct dentry_operations altpid_dentry_ops = {
	.d_revalidate = revalidate,
	.d_delete = always,
};
