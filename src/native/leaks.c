// SPDX-License-Identifier: GPL-2.0
/*
 * The leak detector, which only builds for tests have: is there a conversion between a number and
 * a struct pid, in a system call of a member, that no translation has expected? See
 * src/body/leaks.rs.
 *
 * Members are in the kernel's first pid namespace. Whoever looks a number up there reads the root
 * of its radix tree, and whoever asks for the number of a struct pid reads its level: pid_nr_ns().
 * So a CPU that stops at these two words sees each conversion, whether the function was inlined or
 * not, and no code of the kernel is rewritten for it.
 *
 * A stop is like an NMI, with the breakpoints of the CPU off: nothing is allocated here, no lock
 * is taken, and what the module itself converts here is not seen.
 */
#define pr_fmt(fmt) "altpid-" fmt

#include <linux/atomic.h>
#include <linux/cpuhotplug.h>
#include <linux/err.h>
#include <linux/hw_breakpoint.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/preempt.h>
#include <linux/sched/task_stack.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include <asm/syscall.h>

#include "../native.h"

/* What a conversion is. */
enum way {
	/* From a number to a struct pid. */
	WAY_IN,
	/* From a struct pid to a number. */
	WAY_OUT,
	/* Something else with the numbers of the namespace: taking one, listing them. */
	WAY_OTHER,
	/* By a file of the kernel's procfs that is read through one of altpid's. */
	WAY_SHOWN,
};

/*
 * Conversions that are expected whatever call they are in, by a function that is under way, and
 * why: what comes of them is no number that a member gets. A row that nothing needs is to go:
 * "expected" among the parameters of the module says how often each was needed.
 */
struct harmless {
	enum way way;
	const char *function;
	/* Only in a call that was given a number by a translation: the two are compared. */
	bool if_given;
	const char *why;
};

static const struct harmless harmless[] = {
	/* The numbers of bodies: they are made, and go, and nobody is told. */
	{ WAY_OTHER, "alloc_pid", false, "a child" },
	{ WAY_OTHER, "free_pid", false, "a fork that has failed, or a leader behind an exec" },

	/* What is done behind a number that a translation has given, or with none. */
	{ WAY_OUT, "bprm_execve", false, "for a tracer: tracing.rs translates it" },
	{ WAY_OUT, "ptrace_notify", false, "for a tracer: translate_signal()" },
	{ WAY_OUT, "do_jobctl_trap", false, "for a tracer: translate_signal()" },
	{ WAY_OUT, "pidns_install", false, "compares levels, and tells no number" },
	{ WAY_OUT, "__scm_send", true, "compares with the number of the message" },
	{ WAY_OUT, "__se_sys_capget", true, "compares with that of the header" },
	{ WAY_OUT, "__se_sys_capset", true, "compares with that of the header" },
	{ WAY_OUT, "handle_futex_death", false, "compares with words that robust.c has changed" },
	{ WAY_OUT, "send_signal_locked", false, "compares with 0" },
	{ WAY_OUT, "do_notify_parent_cldstop", false, "altpid_sent() corrects what it gets" },

	/* /proc is the host's as long as nobody has mounted the world's. */
	{ WAY_OUT, "proc_self_get_link", false, "of the host's /proc" },
	{ WAY_IN, "proc_pid_lookup", false, "of the host's /proc" },
	{ WAY_OUT, "proc_pid_readdir", false, "of the host's /proc" },
	{ WAY_OTHER, "proc_pid_readdir", false, "of the host's /proc" },

	/* Files that src/procfs/line.rs translates. */
	{ WAY_SHOWN, "do_task_stat", false, "stat" },
	{ WAY_SHOWN, "proc_pid_status", false, "status" },
	{ WAY_SHOWN, "proc_sched_show_task", false, "sched" },
	{ WAY_SHOWN, "pidfd_show_fdinfo", false, "fdinfo of a pidfd" },
	{ WAY_SHOWN, "sysvipc_shm_proc_show", false, "sysvipc/shm" },
};

static atomic_long_t needed[ARRAY_SIZE(harmless)];

/* Conversions that nobody has expected. */
static atomic_long_t leaks;

/* Reports that are written to the kernel log; all are counted. */
#define MOST_REPORTS 500

static int get_leaks(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%ld\n", atomic_long_read(&leaks));
}

static const struct kernel_param_ops leaks_ops = { .get = get_leaks };
module_param_cb(leaks, &leaks_ops, NULL, 0444);

static int get_expected(char *buffer, const struct kernel_param *kp)
{
	int i, len = 0;

	for (i = 0; i < ARRAY_SIZE(harmless); i++)
		len += sysfs_emit_at(buffer, len, "%s %ld\n", harmless[i].function,
				     atomic_long_read(&needed[i]));
	return len;
}

static const struct kernel_param_ops expected_ops = { .get = get_expected };
module_param_cb(expected, &expected_ops, NULL, 0444);

/* Stops cost time, and each load allocates for them: only the test of the detector has them. */
static bool watch;
module_param(watch, bool, 0444);

/* A system call that members make as it is, whatever the table says: it has to be reported then. */
int altpid_untranslated = -1;
module_param_named(untranslated, altpid_untranslated, int, 0644);

/* Where a lookup stops, and which register has the number then: learned from one of our own. */
static struct task_struct *learner;
static unsigned long lookup_ip;
static int lookup_register = -1;

static const int registers[] = {
	offsetof(struct pt_regs, si),  offsetof(struct pt_regs, bx),  offsetof(struct pt_regs, bp),
	offsetof(struct pt_regs, r12), offsetof(struct pt_regs, r13), offsetof(struct pt_regs, r14),
	offsetof(struct pt_regs, r15), offsetof(struct pt_regs, dx),  offsetof(struct pt_regs, cx),
	offsetof(struct pt_regs, di),  offsetof(struct pt_regs, r8),  offsetof(struct pt_regs, r9),
	offsetof(struct pt_regs, r10), offsetof(struct pt_regs, r11),
};

/* A number that nobody has. */
#define LESSON 0x2b67a3c5

static int register_at(const struct pt_regs *regs, int offset)
{
	return *(const unsigned long *)((const char *)regs + offset);
}

static void learn(const struct pt_regs *regs)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(registers); i++)
		if (register_at(regs, registers[i]) == LESSON) {
			lookup_ip = regs->ip;
			lookup_register = registers[i];
			return;
		}
}

/* What of the stack is looked at. A CPU does not stop while it is looking. */
#define DEPTH 96

struct look {
	unsigned long stack[DEPTH];
	char name[KSYM_SYMBOL_LEN];
	char callers[800];
};

static DEFINE_PER_CPU(struct look, looks);

/* The function at an address, without what a compiler has put behind its name. */
static const char *name_of(struct look *look, unsigned long address)
{
	snprintf(look->name, sizeof(look->name), "%ps", (void *)address);
	look->name[strcspn(look->name, ". ")] = 0;
	return look->name;
}

/* How far above a conversion a function of the table is looked for. */
#define NEAR 6

static bool is_harmless(struct look *look, enum way way, bool given, int from, int depth)
{
	const char *name;
	int at, i;

	for (at = from; at < min(depth, from + NEAR); at++) {
		name = name_of(look, look->stack[at]);
		for (i = 0; i < ARRAY_SIZE(harmless); i++)
			if (harmless[i].way == way && (given || !harmless[i].if_given) &&
			    !strcmp(harmless[i].function, name)) {
				atomic_long_inc(&needed[i]);
				return true;
			}
	}
	return false;
}

/* Whether the file that is read is one of procfs. */
static bool is_shown(struct look *look, int from, int depth)
{
	int at;

	for (at = from; at < depth; at++)
		if (!strcmp(name_of(look, look->stack[at]), "seq_read_iter"))
			return true;
	return false;
}

static void report(struct look *look, enum way way, int nr, int from, int depth)
{
	static const char * const what[] = {
		[WAY_IN] = "is looked up",
		[WAY_OUT] = "is told",
		[WAY_OTHER] = "is taken or listed",
		[WAY_SHOWN] = "is shown",
	};
	int untranslated = READ_ONCE(altpid_untranslated);
	long call = way == WAY_SHOWN ? -1 : altpid_leak_call();
	char number[16] = "";
	int at, len = 0;

	if (atomic_long_inc_return(&leaks) > MOST_REPORTS)
		return;
	if (call < 0)
		call = syscall_get_nr(current, task_pt_regs(current));
	for (at = from; at < depth && len < sizeof(look->callers) - 1; at++)
		len += scnprintf(look->callers + len, sizeof(look->callers) - len, " %ps",
				 (void *)look->stack[at]);
	if (way == WAY_IN)
		snprintf(number, sizeof(number), " %d", nr);
	/* What a test has asked for is no complaint. */
	if (untranslated >= 0)
		pr_info("untranslated: in system call %ld a number%s %s by%s\n", call, number,
			what[way], look->callers);
	else
		pr_err("leak: in system call %ld of %s a number%s %s by%s\n", call, current->comm,
		       number, what[way], look->callers);
}

static void look_at(enum way way, int nr, const struct pt_regs *regs)
{
	struct look *look = this_cpu_ptr(&looks);
	int at, depth, from = 0;
	bool given;

	depth = stack_trace_save(look->stack, DEPTH, 0);
	/* What was stopped; before that is this here. */
	while (from < depth && look->stack[from] != regs->ip)
		from++;
	for (at = from; at < depth && !within_module(look->stack[at], THIS_MODULE); at++)
		;
	if (at < depth) {
		/* By the module, which may be about to change what it expects. */
		if (!is_shown(look, from, at))
			return;
		way = WAY_SHOWN;
	} else if (altpid_leak_is_expected(way == WAY_IN, way == WAY_OUT, nr)) {
		return;
	}
	given = way != WAY_SHOWN && altpid_leak_is_given();
	if (!is_harmless(look, way, given, from, at))
		report(look, way, nr, from, depth);
}

/* Whether the calling thread does something for itself, and it is a member. */
static bool is_asked_for(void)
{
	/* A stop counts as an interrupt. */
	return hardirq_count() == HARDIRQ_OFFSET && !in_serving_softirq() &&
	       altpid_leak_is_member();
}

static void root_is_read(struct perf_event *event, struct perf_sample_data *data,
			 struct pt_regs *regs)
{
	if (unlikely(READ_ONCE(learner) == current)) {
		learn(regs);
		return;
	}
	if (!is_asked_for())
		return;
	if (regs->ip == READ_ONCE(lookup_ip))
		look_at(WAY_IN, register_at(regs, READ_ONCE(lookup_register)), regs);
	else
		look_at(WAY_OTHER, 0, regs);
}

static void level_is_read(struct perf_event *event, struct perf_sample_data *data,
			  struct pt_regs *regs)
{
	if (is_asked_for())
		look_at(WAY_OUT, 0, regs);
}

/* Where a CPU stops. */
struct stops {
	struct perf_event *event[2];
};

static DEFINE_PER_CPU(struct stops, stops);

static struct perf_event *stop_at(unsigned int cpu, const void *word, int len,
				  perf_overflow_handler_t handler)
{
	struct perf_event_attr attr;

	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)word;
	attr.bp_len = len;
	attr.bp_type = HW_BREAKPOINT_RW;
	return perf_event_create_kernel_counter(&attr, cpu, NULL, handler, NULL);
}

static int cpu_goes(unsigned int cpu)
{
	struct perf_event **events = per_cpu(stops, cpu).event;
	int i;

	for (i = 0; i < 2; i++)
		if (events[i]) {
			perf_event_release_kernel(events[i]);
			events[i] = NULL;
		}
	return 0;
}

static int cpu_comes(unsigned int cpu)
{
	struct perf_event **events = per_cpu(stops, cpu).event;
	struct perf_event *event;

	event = stop_at(cpu, &init_pid_ns.idr.idr_rt.xa_head, sizeof(void *), root_is_read);
	if (IS_ERR(event))
		return PTR_ERR(event);
	events[0] = event;
	event = stop_at(cpu, &init_pid_ns.level, sizeof(init_pid_ns.level), level_is_read);
	if (IS_ERR(event)) {
		cpu_goes(cpu);
		return PTR_ERR(event);
	}
	events[1] = event;
	return 0;
}

static int state;

/* Begins to look, on all CPUs that there are and will be. May sleep. */
int altpid_watch_leaks(void)
{
	if (!watch)
		return 0;
	state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "altpid:leaks", cpu_comes, cpu_goes);
	if (state < 0)
		return state;
	WRITE_ONCE(learner, current);
	rcu_read_lock();
	find_pid_ns(LESSON, &init_pid_ns);
	rcu_read_unlock();
	WRITE_ONCE(learner, NULL);
	if (lookup_register >= 0)
		return 0;
	/* The CPU does not stop, or nobody knows at what. */
	cpuhp_remove_state(state);
	return -EOPNOTSUPP;
}

/* Nobody is a member any more. May sleep. */
void altpid_unwatch_leaks(void)
{
	if (watch)
		cpuhp_remove_state(state);
}
