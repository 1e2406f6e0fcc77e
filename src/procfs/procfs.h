/* SPDX-License-Identifier: GPL-2.0 */
/* Between the C and the Rust of src/procfs/, and between the C files. */
#ifndef ALTPID_PROCFS_H
#define ALTPID_PROCFS_H

#include <linux/fs.h>
#include <linux/types.h>

/* Inode numbers of what is the view's own; others are the kernel's. */
#define ALTPID_INO_SELF		0xbffffffe
#define ALTPID_INO_PROCESS	0xc0000000
#define ALTPID_INO_THREAD	0xc0800000
#define ALTPID_INO_MADE		0xd0000000

/* What a file or a directory is. line.rs and made.rs have the numbers of those that they make. */
enum altpid_kind {
	/* As the kernel has it. */
	ALTPID_OTHER,
	/* The top, and links in there. */
	ALTPID_ROOT,
	ALTPID_SELF,
	ALTPID_THREAD_SELF,
	/* Directories: of a process; task in there; of a thread; fdinfo. */
	ALTPID_PROCESS,
	ALTPID_THREADS,
	ALTPID_THREAD,
	ALTPID_FDINFOS,
	/* sysvipc, sys, sys/kernel */
	ALTPID_SYSVIPC,
	ALTPID_SYS,
	ALTPID_SYS_KERNEL,
	/* Files of the kernel's with numbers in them, of which each line is rewritten. */
	ALTPID_STAT = 16,
	ALTPID_STATUS,
	ALTPID_SCHED,
	ALTPID_TIMERS,
	ALTPID_FDINFO,
	ALTPID_LOADAVG,
	ALTPID_LOCKS,
	ALTPID_SHM,
	ALTPID_MSG,
	ALTPID_NUMBER,
	/* Files that are made here: children, and those of a task without a body. */
	ALTPID_CHILDREN = 32,
	ALTPID_MADE_STAT,
	ALTPID_MADE_STATUS,
	ALTPID_MADE_COMM,
	ALTPID_MADE_CMDLINE,
	/* The namespace's own. */
	ALTPID_PID_MAX,
	ALTPID_LAST_PID,
};

/* A task as a view shows it. */
struct altpid_proc_task {
	/* Which one it is in the world, never another one. */
	u64 who;
	/* Its number in the namespace. */
	int nr;
	/* The kernel's number of its body, 0 for none. */
	int native;
};

/* Where a file that is made a part at a time has come to. */
struct altpid_proc_place {
	u64 at;
	u64 place;
};

/* An inode, and what it is. */
struct altpid_inode {
	struct inode vfs_inode;
	/* The kernel's own, or NULL. */
	struct dentry *lower;
	/* The task that it is about, with its number here and the kernel's; 0 for none. */
	u64 who;
	int nr;
	int native;
	enum altpid_kind kind;
};

static inline struct altpid_inode *ALTPID_I(const struct inode *inode)
{
	return container_of(inode, struct altpid_inode, vfs_inode);
}

static inline void *altpid_view(const struct inode *inode)
{
	return inode->i_sb->s_fs_info;
}

/* super.c */
struct vfsmount *altpid_lower_mnt(void);
int altpid_procfs_init(void);
void altpid_procfs_exit(void);

/* inode.c */
extern const struct dentry_operations altpid_dentry_ops;
struct inode *altpid_new_inode(struct super_block *sb, enum altpid_kind kind, struct dentry *lower,
			       const struct altpid_proc_task *task);
int altpid_number(const char *name, unsigned int len);
const char *altpid_made_name(const struct altpid_inode *parent, unsigned int index, u64 *ino);

/* dir.c */
extern const struct file_operations altpid_dir_ops;
/* For src/body/pidfds.rs. */
bool altpid_proc_directory(int fd, void **pid);

/* file.c */
struct file *altpid_open_lower(struct inode *inode, struct file *file);
const struct file_operations *altpid_passing_ops(const struct file_operations *lower);

/* text.c */
extern const struct file_operations altpid_text_ops;

/* In Rust. */
void *altpid_proc_mount(struct file *file, u64 ns, int *error);
void altpid_proc_unmount(void *view);
bool altpid_proc_is_open(void *view);
u64 altpid_proc_ns(void *view);
bool altpid_proc_is_there(void *view, u64 who);
unsigned int altpid_proc_count(void *view);
void *altpid_proc_pid(void *view, u64 who);
bool altpid_proc_find(void *view, u64 process, int nr, struct altpid_proc_task *task);
bool altpid_proc_next(void *view, int nr, struct altpid_proc_task *task);
bool altpid_proc_thread(void *view, u64 process, u64 *at, u64 index,
			struct altpid_proc_task *task);
bool altpid_proc_own(void *view, int *tgid, int *tid);
ssize_t altpid_proc_line(void *view, u64 who, unsigned int kind, const char *line, size_t len,
			 char *out, size_t size, u64 *state);
ssize_t altpid_proc_make(void *view, u64 who, unsigned int kind, char *out, size_t size,
			 struct altpid_proc_place *place);
ssize_t altpid_proc_write(void *view, unsigned int kind, long long value);

#endif
