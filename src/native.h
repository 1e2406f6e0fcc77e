/* SPDX-License-Identifier: GPL-2.0 */
/* Between native.c and native.rs. */
#ifndef ALTPID_NATIVE_H
#define ALTPID_NATIVE_H

#include <linux/types.h>

struct callback_head;
struct pid;
struct pt_regs;
struct task_struct;

/* A tracepoint by its name, and the function for it. */
struct altpid_probe {
	const char *name;
	void *function;
	void *tracepoint;
};

/* How a thread ends. */
struct altpid_end {
	int code;
	int group;
	int group_code;
	unsigned int uid;
};

/* A signal with what comes along; @pid is the number that the receiver is told. */
struct altpid_signal {
	int signo;
	int code;
	int pid;
	unsigned int uid;
	int status;
};

/* What a process and the children that it has waited for have used: ns, counts, and pages. */
struct altpid_usage {
	u64 utime;
	u64 stime;
	u64 min_flt;
	u64 maj_flt;
	u64 inblock;
	u64 oublock;
	u64 nvcsw;
	u64 nivcsw;
	u64 maxrss;
};

/* altpid_may_attach() */
#define ALTPID_CANNOT		1
#define ALTPID_NOT_PRIVILEGED	2
#define ALTPID_NOT_64_BIT	3
#define ALTPID_HAS_THREADS	4
#define ALTPID_HAS_CHILDREN	5
#define ALTPID_ELSEWHERE	6

/* altpid_sigchld() */
#define ALTPID_CHLD_IGNORED	1
#define ALTPID_CHLD_NO_WAIT	2
#define ALTPID_CHLD_NO_STOP	4

int altpid_register_probes(struct altpid_probe *probes);
void altpid_unregister_probes(struct altpid_probe *probes);
void altpid_retire_later(unsigned int seconds);
void altpid_retire_never(void);
void altpid_synchronize_probes(void);
void altpid_hold_module(void);
int altpid_queue_exit(struct callback_head *head);
int altpid_queue_wake(struct task_struct *task, struct callback_head *head);
int altpid_may_attach(void);
bool altpid_has_children_elsewhere(void);
void altpid_ignore_children(void);
void altpid_kill_self(void);
bool altpid_is_32_bit(void);
unsigned int altpid_own_uid(void);
unsigned int altpid_uid_here(unsigned int uid);
bool altpid_is_admin(void);
bool altpid_has_capability(int capability);
void altpid_comm(struct task_struct *task, char *comm);
void altpid_how_ends(struct altpid_end *end);
void altpid_own_usage(struct altpid_usage *usage);
void altpid_add_usage(const struct altpid_usage *usage);
void altpid_make_body(struct task_struct *child);
void altpid_set_unkillable(struct task_struct *task);
bool altpid_is_as_asked(struct task_struct *child, bool is_thread);
void altpid_kill_child(struct task_struct *child);
int altpid_native_nr(struct pid *pid);
int altpid_sigchld(struct pid *pid);
bool altpid_is_there(struct pid *pid);
bool altpid_is_native_child(struct pid *child, struct pid *parent);
int altpid_stopped_by(struct pid *pid);
int altpid_native_group(struct pid *pid);
void altpid_find_in(int nr, bool is_session, bool (*is_it)(struct task_struct *thread, void *data),
		    void *data);
bool altpid_is_immune(struct task_struct *task);
u64 altpid_hold_signals(void);
bool altpid_has_signals(void);
bool altpid_tells_of_job(const void *info);
void altpid_mark_pdeath(bool has_one);
bool altpid_has_pdeath_mark(void);
bool altpid_keeps_pdeath_mark(struct pid *pid);
void altpid_let_go_on(u64 blocked);
void altpid_let_child_go_on(struct task_struct *child, u64 blocked);
int altpid_send(struct pid *pid, const struct altpid_signal *signal);
int altpid_send_thread(struct pid *pid, int sig);
int altpid_queue(struct pid *pid, int sig, const void *info, bool thread);
bool altpid_is_last_reference(struct pid *pid);
bool altpid_is_taken(struct pid *pid);
struct pid *altpid_pidfd(int fd, unsigned int *flags);
struct pid *altpid_peer(int fd);
unsigned int altpid_namespace_kind(int fd);
int altpid_open_dead(void *pid, unsigned int flags);
void *altpid_dead(int fd, unsigned int *flags);
void altpid_give_native_words(u32 nr);
void altpid_forget_later(void);
void altpid_forget_never(void);
int altpid_own_tid(void);
int altpid_own_tgid(void);
struct task_struct *altpid_own_tracer(void);
struct task_struct *altpid_own_parent(void);
bool altpid_is_tracee(struct pid *pid);
bool altpid_has_tracees(bool any);
int altpid_event_of(int nr);
void altpid_give_signal(int nr, int sig, int from, bool by_parent);
void altpid_set_exit_signal(int sig);
struct pt_regs *altpid_own_regs(void);
int altpid_child_of_signal(int sig, struct task_struct *task, bool group);
void altpid_sent(int sig, struct task_struct *task, bool group, int nr);
int altpid_watch_leaks(void);
void altpid_unwatch_leaks(void);

/* A call that members make as it is, -1 for none: in builds for tests, as altpid_*leak*(). */
extern int altpid_untranslated;

/* In Rust. */
bool altpid_body_exits(struct callback_head *head);
void altpid_body_woken(struct callback_head *head);
void altpid_retire_probes(void);
bool altpid_forget(void);
void altpid_get_dead(void *pid);
void altpid_put_dead(void *pid);
bool altpid_is_reaped(void *pid);
bool altpid_leak_is_member(void);
bool altpid_leak_is_expected(bool is_in, bool is_out, int nr);
bool altpid_leak_is_given(void);
long altpid_leak_call(void);

#endif
