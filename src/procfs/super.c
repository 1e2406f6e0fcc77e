// SPDX-License-Identifier: GPL-2.0
/*
 * For src/procfs.rs: the file system type, its mounts, and the procfs of the kernel's first pid
 * namespace that is below all of them.
 *
 * fs/proc/root.c
 */
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/workqueue.h>

#include "procfs.h"

/* The kernel's own, once there was a mount. */
static struct vfsmount *lower_mnt;
static DEFINE_MUTEX(lower_lock);
static struct kmem_cache *inodes;

struct vfsmount *altpid_lower_mnt(void)
{
	return lower_mnt;
}

/* Which namespace a mount will show. */
struct options {
	/* A file of /dev/altpid; NULL for the caller's own world. */
	struct file *file;
	/* Its id, 0 for that of level 0. */
	u64 ns;
};

enum { OPT_FD, OPT_NS };

static const struct fs_parameter_spec parameters[] = {
	fsparam_fd("fd", OPT_FD),
	fsparam_u64("ns", OPT_NS),
	{}
};

struct mounting {
	struct work_struct work;
	struct vfsmount *mnt;
};

/* A worker is in the first pid namespace, wherever the caller is. */
static void mount_lower(struct work_struct *work)
{
	struct mounting *mounting = container_of(work, struct mounting, work);
	struct file_system_type *proc = get_fs_type("proc");

	/* It is part of the kernel, and has no module that is held. */
	mounting->mnt = proc ? kern_mount(proc) : ERR_PTR(-ENODEV);
}

static int need_lower(void)
{
	struct mounting mounting;
	int err = 0;

	mutex_lock(&lower_lock);
	if (!lower_mnt) {
		INIT_WORK_ONSTACK(&mounting.work, mount_lower);
		schedule_work(&mounting.work);
		flush_work(&mounting.work);
		destroy_work_on_stack(&mounting.work);
		if (IS_ERR(mounting.mnt))
			err = PTR_ERR(mounting.mnt);
		else
			lower_mnt = mounting.mnt;
	}
	mutex_unlock(&lower_lock);
	return err;
}

static void init_inode(void *memory)
{
	struct altpid_inode *node = memory;

	inode_init_once(&node->vfs_inode);
}

static struct inode *alloc_node(struct super_block *sb)
{
	struct altpid_inode *node = alloc_inode_sb(sb, inodes, GFP_KERNEL);

	if (!node)
		return NULL;
	node->lower = NULL;
	return &node->vfs_inode;
}

static void free_node(struct inode *inode)
{
	kmem_cache_free(inodes, ALTPID_I(inode));
}

static void evict_node(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	dput(ALTPID_I(inode)->lower);
}

static int statfs(struct dentry *dentry, struct kstatfs *buf)
{
	return simple_statfs(dentry, buf);
}

static int show_options(struct seq_file *m, struct dentry *root)
{
	seq_printf(m, ",ns=%llu", altpid_proc_ns(root->d_sb->s_fs_info));
	return 0;
}

static const struct super_operations super_ops = {
	.alloc_inode = alloc_node,
	.free_inode = free_node,
	.evict_inode = evict_node,
	.statfs = statfs,
	.show_options = show_options,
};

static int fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct inode *root;

	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	sb->s_flags |= SB_NODIRATIME | SB_NOSUID | SB_NOEXEC;
	sb->s_blocksize = 1024;
	sb->s_blocksize_bits = 10;
	sb->s_magic = PROC_SUPER_MAGIC;
	sb->s_op = &super_ops;
	sb->s_time_gran = 1;
	/* As procfs has it: nothing is stacked on top. */
	sb->s_stack_depth = FILESYSTEM_MAX_STACK_DEPTH;
	set_default_d_op(sb, &altpid_dentry_ops);
	root = altpid_new_inode(sb, ALTPID_ROOT, dget(lower_mnt->mnt_root), NULL);
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int get_tree(struct fs_context *fc)
{
	struct options *options = fc->fs_private;
	int err = need_lower();

	if (err)
		return err;
	fc->s_fs_info = altpid_proc_mount(options->file, options->ns, &err);
	if (!fc->s_fs_info)
		return err;
	return get_tree_nodev(fc, fill_super);
}

static int parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct options *options = fc->fs_private;
	struct fs_parse_result result;
	int opt = fs_parse(fc, parameters, param, &result);

	switch (opt) {
	case OPT_FD:
		if (options->file)
			fput(options->file);
		options->file = param->type == fs_value_is_file ? get_file(param->file) :
								  fget(result.uint_32);
		return options->file ? 0 : -EBADF;
	case OPT_NS:
		options->ns = result.uint_64;
		return 0;
	default:
		return opt;
	}
}

static void free_context(struct fs_context *fc)
{
	struct options *options = fc->fs_private;

	if (fc->s_fs_info)
		altpid_proc_unmount(fc->s_fs_info);
	if (options && options->file)
		fput(options->file);
	kfree(options);
}

static const struct fs_context_operations context_ops = {
	.free = free_context,
	.parse_param = parse_param,
	.get_tree = get_tree,
};

static int init_context(struct fs_context *fc)
{
	struct options *options = kzalloc_obj(*options, GFP_KERNEL_ACCOUNT);

	if (!options)
		return -ENOMEM;
	fc->fs_private = options;
	fc->ops = &context_ops;
	return 0;
}

static void kill_super(struct super_block *sb)
{
	void *view = sb->s_fs_info;

	kill_anon_super(sb);
	if (view)
		altpid_proc_unmount(view);
}

static struct file_system_type type = {
	.owner = THIS_MODULE,
	.name = "altpid_proc",
	.init_fs_context = init_context,
	.parameters = parameters,
	.kill_sb = kill_super,
	/*
	 * As procfs: whoever made a user namespace may mount it there, if one that nothing is
	 * mounted over is to be seen in the mount namespace already. It shows the world as the
	 * caller's own namespace sees it, and the kernel's files are opened with the caller's
	 * credentials.
	 */
	.fs_flags = FS_USERNS_MOUNT | FS_USERNS_MOUNT_RESTRICTED,
};
MODULE_ALIAS_FS("altpid_proc");

int altpid_procfs_init(void)
{
	int err;

	inodes = kmem_cache_create("altpid_inode", sizeof(struct altpid_inode), 0,
				   SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, init_inode);
	if (!inodes)
		return -ENOMEM;
	err = register_filesystem(&type);
	if (err)
		kmem_cache_destroy(inodes);
	return err;
}

/* There is no mount any more. */
void altpid_procfs_exit(void)
{
	unregister_filesystem(&type);
	if (lower_mnt)
		kern_unmount(lower_mnt);
	/* Inodes are freed by RCU. */
	rcu_barrier();
	kmem_cache_destroy(inodes);
}
