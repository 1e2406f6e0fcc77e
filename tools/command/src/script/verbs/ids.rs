// SPDX-License-Identifier: GPL-2.0

//! The verbs by which a task asks for numbers.

use super::{Op, PID, Returns, TASK, Verb};

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "getpid",
        aliases: &[],
        op: Op::Getpid,
        makes: &[],
        params: &[TASK],
        returns: Returns::Number,
        brief: "the number of the process: getpid(2)",
        rule: "\
The number of the task's process, as it sees it.",
        c: "task_tgid_vnr",
        example: "\
a = clone NEWPID
t = clone a THREAD|SIGHAND|VM
expect 1: getpid t",
    },
    Verb {
        name: "gettid",
        aliases: &[],
        op: Op::Gettid,
        makes: &[],
        params: &[TASK],
        returns: Returns::Number,
        brief: "the number of the thread: gettid(2)",
        rule: "\
The task's own number, as it sees it.",
        c: "task_pid_vnr",
        example: "\
a = clone NEWPID
t = clone a THREAD|SIGHAND|VM
expect 2: gettid t",
    },
    Verb {
        name: "getppid",
        aliases: &[],
        op: Op::Getppid,
        makes: &[],
        params: &[TASK],
        returns: Returns::Number,
        brief: "the number of the parent: getppid(2)",
        rule: "\
The number of the parent's process, as the task sees it; 0 for a parent outside of its
namespace.",
        c: "task_tgid_vnr",
        example: "\
a = clone NEWPID
b = clone a
expect 0: getppid a
expect 1: getppid b",
    },
    Verb {
        name: "getpgid",
        aliases: &[],
        op: Op::Getpgid,
        makes: &[],
        params: &[TASK, PID.optional()],
        returns: Returns::Number,
        brief: "the number of a process group: getpgid(2)",
        rule: "\
The process group of PID, of the caller if it is left out or 0; 0 for one without a number
in the caller's namespace.

ESRCH for a number that nobody has.",
        c: "do_getpgid",
        example: "\
a = clone
setpgid a
b = clone a NEWPID
expect 2: getpgid init b
expect 0: getpgid b",
    },
    Verb {
        name: "getsid",
        aliases: &[],
        op: Op::Getsid,
        makes: &[],
        params: &[TASK, PID.optional()],
        returns: Returns::Number,
        brief: "the number of a session: getsid(2)",
        rule: "\
The session of PID, of the caller if it is left out or 0; 0 for one without a number in the
caller's namespace.

ESRCH for a number that nobody has.",
        c: "SYSCALL_DEFINE1(getsid)",
        example: "\
a = clone
setsid a
b = clone a
expect 2: getsid b
expect 2: getsid init b
expect ESRCH: getsid b 99",
    },
];
