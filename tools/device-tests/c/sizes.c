// SPDX-License-Identifier: GPL-2.0
/*
 * The sizes of all structs, to be compiled for 32 bits too. Without padding, as
 * the module's build has it for 64 bits, equal sizes are equal layouts.
 */
#include <altpid.h>

#define SIZE(name, bytes) \
	extern char name##_size[sizeof(struct altpid_##name) == (bytes) ? 1 : -1]

SIZE(world, 96);
SIZE(clone, 72);
SIZE(unshare, 32);
SIZE(setns, 40);
SIZE(exit, 24);
SIZE(wait, 40);
SIZE(waitid, 56);
SIZE(kill, 56);
SIZE(sigaction, 32);
SIZE(sigprocmask, 24);
SIZE(siginfo, 24);
SIZE(sigwait, 56);
SIZE(exec, 32);
SIZE(prctl, 24);
SIZE(reboot, 16);
SIZE(setsid, 16);
SIZE(setpgid, 24);
SIZE(set_name, 32);
SIZE(get_name, 32);
SIZE(getid, 24);
SIZE(sigpending, 24);
SIZE(pidfd_open, 40);
SIZE(pidfd_close, 16);
SIZE(pidfd_info, 208);
SIZE(poll, 24);
SIZE(task, 624);
SIZE(attach, 56);
SIZE(signals, 80);
SIZE(ns, 64);
SIZE(ns_set, 24);
SIZE(ns_get, 40);
SIZE(find, 40);
SIZE(translate, 32);
SIZE(blocker, 32);
SIZE(list, 48);
SIZE(audit, 160);
SIZE(failure, 16);
SIZE(op, 32);
SIZE(batch, 24);
SIZE(event, 64);
