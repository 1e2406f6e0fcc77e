// SPDX-License-Identifier: GPL-2.0

//! The verbs that ask.

use super::{
    super::{
        constants::{FIND, PID_TYPE, SYSCTL},
        scope::Kind,
    },
    NS, Op, Param, ParamKind, Returns, Verb,
};

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "sysctl",
        aliases: &[],
        op: Op::Sysctl,
        makes: &[],
        params: &[
            NS,
            Param::new(
                ParamKind::Constant(&SYSCTL),
                "kernel.pid_max|kernel.ns_last_pid",
            ),
            Param::new(ParamKind::Assigned, "=N").optional(),
        ],
        returns: Returns::Number,
        brief: "kernel.pid_max and kernel.ns_last_pid of a namespace",
        rule: "\
Reads or writes what is in /proc/sys/kernel in a namespace. Numbers end before pid_max;
the next one is the first free one behind ns_last_pid, and behind the end they go on at
300.

EINVAL for a pid_max out of 301 (8 for each possible CPU, if that is more) to 4194304,
and for an ns_last_pid above pid_max.",
        c: "register_pidns_sysctls, pid_ns_ctl_handler",
        example: "\
sysctl init kernel.ns_last_pid=99
a = clone
expect pid a 100
expect 100: sysctl init kernel.ns_last_pid",
    },
    Verb {
        name: "find",
        aliases: &[],
        op: Op::Find,
        makes: &[Kind::Task],
        params: &[
            NS,
            Param::new(ParamKind::Number, "N"),
            Param::new(ParamKind::Constant(&PID_TYPE), "PID|TGID|PGID|SID").optional(),
            Param::new(ParamKind::Constant(&FIND), "GE").optional(),
        ],
        returns: Returns::Task,
        brief: "whose number it is",
        rule: "\
Whose number it is, as that of a thread if nothing else is said; GE takes the first one
in use from there on. For a process group and a session it is the leader of a process in
it.

ESRCH for a number that is not in use as that.",
        c: "find_pid_ns, find_ge_pid, pid_task",
        example: "\
a = clone NEWPID
b = clone a
expect b: find a 2
x = find init 3
expect pid x 2 in a",
    },
    Verb {
        name: "translate",
        aliases: &[],
        op: Op::Translate,
        makes: &[],
        params: &[
            NS,
            Param::new(ParamKind::Pids, "PID..."),
            Param::new(ParamKind::InNs, "in NS"),
        ],
        returns: Returns::Numbers,
        brief: "what numbers are in another namespace",
        rule: "\
What numbers of one namespace are in another: 0 where the task is not visible there,
ESRCH where the number is not in use.",
        c: "pid_nr_ns",
        example: "\
a = clone NEWPID
b = clone a
expect 1 2 0 ESRCH: translate init 2 3 1 99 in a",
    },
    Verb {
        name: "show",
        aliases: &[],
        op: Op::Show,
        makes: &[],
        params: &[Param::new(ParamKind::Ns, "TASK|NS")],
        returns: Returns::View,
        brief: "everything about a task or a namespace",
        rule: "\
Everything about a task or a namespace.",
        c: "",
        example: "\
a = clone NEWPID
show a
show a.children",
    },
    Verb {
        name: "tasks",
        aliases: &[],
        op: Op::Tasks,
        makes: &[],
        params: &[NS.optional()],
        returns: Returns::View,
        brief: "lists tasks",
        rule: "\
The tasks of the world, or those that are visible in a namespace.",
        c: "",
        example: "\
a = clone NEWPID
tasks
tasks a",
    },
    Verb {
        name: "namespaces",
        aliases: &[],
        op: Op::Namespaces,
        makes: &[],
        params: &[NS.optional()],
        returns: Returns::View,
        brief: "lists namespaces",
        rule: "\
The namespaces of the world, or one and those below it.",
        c: "",
        example: "\
a = clone NEWPID
namespaces",
    },
    Verb {
        name: "why",
        aliases: &[],
        op: Op::Why,
        makes: &[],
        params: &[NS],
        returns: Returns::View,
        brief: "what keeps a namespace from going",
        rule: "\
What keeps a namespace from going: tasks that have not exited or are not reaped, numbers
that a process group or a session has, tasks whose children would be born there,
namespaces below.",
        c: "",
        example: "\
a = clone
n = unshare a NEWPID
why n",
    },
    Verb {
        name: "events",
        aliases: &[],
        op: Op::Events,
        makes: &[],
        params: &[],
        returns: Returns::Happenings,
        brief: "what has happened since the last time",
        rule: "\
What has happened since the last time, in order: the stream that read(2) on the device
gives. The first time begins it, and tells nothing. clone b by a, exec b, exit b exited 3
(it begins to exit), reap b exited 3 (it is gone), reparent c to init, stop b SIGSTOP,
continue b; ns-born a (who made it), ns-dying b (its init), ns-dead; none for nothing.",
        c: "proc_fork_connector, proc_exit_connector",
        example: "\
events
a = clone
b = clone a
exit a 3
expect a exited 3: wait4 init
expect clone a by init, clone b by a, exit a exited 3, reparent b to init, reap a: events
expect none: events",
    },
    Verb {
        name: "audit",
        aliases: &[],
        op: Op::Audit,
        makes: &[],
        params: &[],
        returns: Returns::Zero,
        brief: "checks every invariant of the world",
        rule: "\
Checks every invariant of the world. A scenario ends with one in any case.",
        c: "",
        example: "\
a = clone
exit a
audit",
    },
];
