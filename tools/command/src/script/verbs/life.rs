// SPDX-License-Identifier: GPL-2.0

//! The verbs of the life of tasks and namespaces.

use super::{
    super::{
        constants::{CLONE, ID_TYPE, PRCTL, REBOOT, WAIT4, WAITID},
        scope::Kind,
    },
    Op, PID, Param, ParamKind, Returns, TASK, Verb,
};

const CODE: Param = Param::new(ParamKind::Number, "CODE");
const COMM: Param = Param::new(ParamKind::Text, "COMM");
const FLAGS: Param = Param::new(ParamKind::Constant(&CLONE), "FLAGS");

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "clone",
        aliases: &[],
        op: Op::Clone,
        makes: &[Kind::Task, Kind::Pidfd],
        params: &[
            TASK.optional(),
            FLAGS.optional(),
            Param::new(ParamKind::Numbers, "N,...").keyed("set_tid"),
            Param::new(ParamKind::Signal, "SIG").keyed("exit_signal"),
            Param::new(ParamKind::Parent, "TASK|outside").keyed("parent"),
        ],
        returns: Returns::Child,
        brief: "a new process or thread: clone3(2)",
        rule: "\
By init if no task is given. Returns the child's number as the caller sees it; the child
has one in its own namespace and in each above. NEWPID makes it init, pid 1, of a new
namespace. A thread is made by THREAD|SIGHAND|VM. set_tid asks for numbers, the most
nested namespace first. exit_signal is SIGCHLD, and 0 where clone3 wants that (THREAD,
PARENT, AUTOREAP). With PIDFD there is a pidfd for the child, which is what the second
name is for; with PIDFD_AUTOKILL its closing kills the child. With parent= the child is
born to somebody else, as a restorer needs it.

EINVAL for flags that exclude each other, NEWPID or THREAD after unshare, PARENT by an
init, a number out of range, a first process that would not be pid 1. EEXIST for a
number in use, EAGAIN for a full namespace, ENOSPC below level 32, ENOMEM for a
namespace whose init has exited.",
        c: "copy_process, alloc_pid",
        example: "\
a = clone
b = clone a NEWPID
expect pid b 3/1
expect EEXIST: clone a set_tid=3",
    },
    Verb {
        name: "unshare",
        aliases: &[],
        op: Op::Unshare,
        makes: &[Kind::Ns],
        params: &[TASK, FLAGS],
        returns: Returns::Zero,
        brief: "children in a new namespace: unshare(2)",
        rule: "\
The caller stays where it is and keeps its number; its next child is init of the new
namespace, and those after it are born there too. What can be named is that namespace.

EINVAL for flags other than NEWPID, and when the caller's children already go elsewhere;
ENOSPC below level 32.",
        c: "copy_pid_ns",
        example: "\
a = clone
n = unshare a NEWPID
expect state n awaiting
b = clone a
expect init n b",
    },
    Verb {
        name: "setns",
        aliases: &[],
        op: Op::Setns,
        makes: &[],
        params: &[TASK, Param::new(ParamKind::NsOrPidfd, "NS|PIDFD")],
        returns: Returns::Zero,
        brief: "children in another namespace: setns(2)",
        rule: "\
What nsenter(1) does. The caller's children will be born in that namespace, which must
be its own or one below; it stays where it is itself. A pidfd stands for the namespace
that its task lives in.

EINVAL for any other namespace. One whose init has exited can be joined, and the clone
that follows is ENOMEM.",
        c: "pidns_install",
        example: "\
box = clone NEWPID
a = clone
setns a box
b = clone a
expect pid b 2 in box
expect ppid b 0",
    },
    Verb {
        name: "exec",
        aliases: &["execve"],
        op: Op::Exec,
        makes: &[],
        params: &[TASK, COMM.optional()],
        returns: Returns::Zero,
        brief: "another program: execve(2)",
        rule: "\
The other threads of the process end, and the caller takes the numbers of its leader at
every level; handlers become the default. COMM is the name of the program.",
        c: "de_thread",
        example: "\
a = clone
t = clone a THREAD|SIGHAND|VM
exec t sh
expect pid t 2
expect state a gone",
    },
    Verb {
        name: "exit",
        aliases: &[],
        op: Op::Exit,
        makes: &[],
        params: &[TASK, CODE.optional()],
        returns: Returns::Zero,
        brief: "the end of a thread: exit(2)",
        rule: "\
With its last thread a process is a zombie until its parent waits. Its children go to
another thread of it, else to a subreaper above, else to the init of its namespace. When
that init exits, everybody in the namespace is killed, and init is there until all are
gone.

EBUSY for the init of the world: a kernel would go down.",
        c: "do_exit, forget_original_parent, zap_pid_ns_processes",
        example: "\
a = clone
b = clone a
exit a 3
expect parent b init
expect status a exited 3",
    },
    Verb {
        name: "exit_group",
        aliases: &[],
        op: Op::ExitGroup,
        makes: &[],
        params: &[TASK, CODE.optional()],
        returns: Returns::Zero,
        brief: "the end of a process: exit_group(2)",
        rule: "\
All threads of the process end, as by exit.",
        c: "do_group_exit",
        example: "\
a = clone
t = clone a THREAD|SIGHAND|VM
exit_group t 3
expect a exited 3: wait4 init",
    },
    Verb {
        name: "wait4",
        aliases: &["wait", "waitpid"],
        op: Op::Wait4,
        makes: &[],
        params: &[
            TASK.optional(),
            PID.optional(),
            Param::new(ParamKind::Constant(&WAIT4), "FLAGS").optional(),
        ],
        returns: Returns::Report,
        brief: "what has become of a child: wait4(2)",
        rule: "\
By init if no task is given. PID is a child, 0 for the caller's process group, -1 for
any child, and that is the default, or a process group. Returns who it was and what has
happened: exited N, killed SIG, stopped SIG or continued. A wait that would sleep does
not, as nothing else happens meanwhile: its outcome is sleeps, or 0 with WNOHANG.

ECHILD when no child could ever match.",
        c: "do_wait",
        example: "\
a = clone
expect sleeps: wait4 init
exit a 3
expect a exited 3: wait4 init
expect ECHILD: wait4 init",
    },
    Verb {
        name: "waitid",
        aliases: &[],
        op: Op::Waitid,
        makes: &[],
        params: &[
            TASK,
            Param::new(ParamKind::Constant(&ID_TYPE), "P_ALL|P_PID|P_PGID|P_PIDFD"),
            Param::new(ParamKind::WaitWho, "PID|PIDFD").optional(),
            Param::new(ParamKind::Constant(&WAITID), "FLAGS").optional(),
        ],
        returns: Returns::Report,
        brief: "what has become of a child: waitid(2)",
        rule: "\
Tells what wait4 tells. FLAGS is WEXITED when left out; WNOWAIT leaves the child as it
is.

EINVAL without WEXITED, WSTOPPED and WCONTINUED, and for a number that is not positive;
ECHILD when no child could ever match.",
        c: "kernel_waitid",
        example: "\
a = clone
exit a 3
expect a exited 3: waitid init P_PID a WEXITED|WNOWAIT
expect state a zombie",
    },
    Verb {
        name: "setsid",
        aliases: &[],
        op: Op::Setsid,
        makes: &[],
        params: &[TASK],
        returns: Returns::Number,
        brief: "a session of its own: setsid(2)",
        rule: "\
A session and a process group of its own. Returns its number.

EPERM for the leader of a session, and when a process group has the caller's number.",
        c: "ksys_setsid",
        example: "\
a = clone
expect 2: setsid a
expect sid a 2
expect EPERM: setsid a",
    },
    Verb {
        name: "setpgid",
        aliases: &[],
        op: Op::Setpgid,
        makes: &[],
        params: &[
            TASK,
            PID.optional(),
            Param::new(ParamKind::Pid, "PGID").optional(),
        ],
        returns: Returns::Zero,
        brief: "into a process group: setpgid(2)",
        rule: "\
Puts PID, the caller or a child, into process group PGID. Left out, PID is the caller
and PGID is the number of PID.

EACCES for a child that has called exec; EPERM for another session, a session leader,
and a group that is not in the session; ESRCH for who is neither the caller nor a child;
EINVAL for a thread that does not lead.",
        c: "",
        example: "\
a = clone
b = clone
setpgid a
setpgid init b a
expect pgid b 2",
    },
    Verb {
        name: "prctl",
        aliases: &[],
        op: Op::Prctl,
        makes: &[],
        params: &[
            TASK,
            Param::new(ParamKind::Constant(&PRCTL), "OPTION"),
            Param::new(ParamKind::PrctlValue, "VALUE").optional(),
        ],
        returns: Returns::NumberOrName,
        brief: "subreaper, parent-death signal, name: prctl(2)",
        rule: "\
SET_PDEATHSIG SIG, GET_PDEATHSIG, SET_CHILD_SUBREAPER 0 or 1, GET_CHILD_SUBREAPER,
SET_NAME COMM, GET_NAME. The parent-death signal comes when the thread that is the parent
ends; a fork does not inherit it. A subreaper gets the orphans among its descendants, as
far as they are at its level.

EINVAL for a signal that there is not.",
        c: "",
        example: "\
a = clone
prctl a SET_CHILD_SUBREAPER 1
b = clone a
c = clone b
exit b
expect parent c a
prctl c SET_NAME sh
expect sh: prctl c GET_NAME",
    },
    Verb {
        name: "reboot",
        aliases: &[],
        op: Op::Reboot,
        makes: &[],
        params: &[
            TASK,
            Param::new(
                ParamKind::Constant(&REBOOT),
                "RESTART|RESTART2|HALT|POWER_OFF",
            ),
        ],
        returns: Returns::Zero,
        brief: "the end of a namespace: reboot(2)",
        rule: "\
Inside of a namespace: its init is killed, and the parent of that sees SIGHUP as the
cause for RESTART, SIGINT for HALT and POWER_OFF. The caller exits.

EINVAL for another command, wherever; EBUSY in the world's own namespace.",
        c: "reboot_pid_ns",
        example: "\
a = clone NEWPID
reboot a RESTART
expect a killed SIGHUP: wait4 init",
    },
];
