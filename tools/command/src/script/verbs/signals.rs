// SPDX-License-Identifier: GPL-2.0

//! The verbs of signals.

use super::{
    super::{
        constants::{ACTION, DISPOSITION, MASK, PIDFD, PIDFD_SIGNAL},
        scope::Kind,
    },
    Op, PID, Param, ParamKind, Returns, SIG, TASK, Verb,
};

const SENDER: Param = Param::new(ParamKind::Sender, "TASK|outside|kernel");
const SIGSET: Param = Param::new(ParamKind::Signals, "SIGSET");

const PIDFD_PARAM: Param = Param::new(ParamKind::Pidfd, "PIDFD");

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "kill",
        aliases: &[],
        op: Op::Kill,
        makes: &[],
        params: &[SENDER, PID, SIG.optional()],
        returns: Returns::Zero,
        brief: "a signal to a process or more: kill(2)",
        rule: "\
PID is a process, 0 the caller's process group, -1 everybody with a number above 1 but
the caller, -b the process group of b. SIG is SIGTERM when left out; 0 only asks. A
signal from inside of a namespace never does its init any harm, unless that has a
handler; from above only SIGKILL and SIGSTOP do. Of outside and kernel it goes to a
task.

ESRCH for a number that nobody has, as the caller sees it.",
        c: "kill_something_info, sig_task_ignored",
        example: "\
a = clone NEWPID
b = clone a
kill b 1 SIGKILL
expect state a running
kill init a SIGKILL
expect a killed SIGKILL: wait4 init",
    },
    Verb {
        name: "tgkill",
        aliases: &[],
        op: Op::Tgkill,
        makes: &[],
        params: &[TASK, PID, PID, SIG.optional()],
        returns: Returns::Zero,
        brief: "a signal to a thread: tgkill(2)",
        rule: "\
A signal to one thread, named by its process and itself.

EINVAL for numbers that are not positive, ESRCH for a thread that is not of that
process.",
        c: "do_tkill",
        example: "\
a = clone
t = clone a THREAD|SIGHAND|VM
sigprocmask t BLOCK USR1
tgkill init a t USR1
expect pending t USR1",
    },
    Verb {
        name: "tkill",
        aliases: &[],
        op: Op::Tkill,
        makes: &[],
        params: &[TASK, PID, SIG.optional()],
        returns: Returns::Zero,
        brief: "a signal to a thread: tkill(2)",
        rule: "\
A signal to one thread.

EINVAL for a number that is not positive, ESRCH for one that nobody has.",
        c: "do_tkill",
        example: "\
a = clone
tkill init a SIGKILL
expect state a zombie",
    },
    Verb {
        name: "sigqueue",
        aliases: &["rt_sigqueueinfo"],
        op: Op::Sigqueue,
        makes: &[],
        params: &[
            TASK,
            PID,
            SIG,
            Param::new(ParamKind::SiCode, "SI_CODE").keyed("code"),
            Param::new(ParamKind::Number, "N").keyed("value"),
        ],
        returns: Returns::Zero,
        brief: "a signal with a value: rt_sigqueueinfo(2)",
        rule: "\
A signal with a value. The code is SI_QUEUE when left out.

EPERM for a code of the kernel's to another process, EAGAIN when too many real-time
signals wait.",
        c: "do_rt_sigqueueinfo",
        example: "\
a = clone
sigprocmask a BLOCK 40
sigqueue init a 40 value=7
expect 40 code=SI_QUEUE value=7: sigwait a 40",
    },
    Verb {
        name: "tgsigqueue",
        aliases: &["rt_tgsigqueueinfo"],
        op: Op::Tgsigqueue,
        makes: &[],
        params: &[
            TASK,
            PID,
            PID,
            SIG,
            Param::new(ParamKind::SiCode, "SI_CODE").keyed("code"),
            Param::new(ParamKind::Number, "N").keyed("value"),
        ],
        returns: Returns::Zero,
        brief: "likewise to a thread: rt_tgsigqueueinfo(2)",
        rule: "\
A signal with a value to one thread, named by its process and itself. The code is SI_QUEUE
when left out.

EINVAL for numbers that are not positive, EPERM for a code of the kernel's to another
thread, ESRCH for a thread that is not of that process.",
        c: "do_rt_tgsigqueueinfo",
        example: "\
a = clone
t = clone a THREAD|SIGHAND|VM
sigprocmask t BLOCK 40
tgsigqueue init a t 40 value=7
expect 40 code=SI_QUEUE value=7: sigwait t 40
expect EPERM: tgsigqueue t a a 40 code=SI_TKILL",
    },
    Verb {
        name: "pidfd_open",
        aliases: &[],
        op: Op::PidfdOpen,
        makes: &[Kind::Pidfd],
        params: &[
            TASK,
            PID,
            Param::new(ParamKind::Constant(&PIDFD), "THREAD|NONBLOCK").optional(),
        ],
        returns: Returns::Zero,
        brief: "a handle on a process: pidfd_open(2)",
        rule: "\
The pidfd means the same process for ever, whoever has its number later; it also holds the
namespace of one that is gone.

EINVAL for a number that is not positive, ESRCH for one that nobody has, ENOENT for a thread
that does not lead without THREAD.",
        c: "pidfd_create",
        example: "\
a = clone
h = pidfd_open init a
exit a 3
expect a exited 3: waitid init P_PIDFD h
expect status h exited 3",
    },
    Verb {
        name: "pidfd_send_signal",
        aliases: &[],
        op: Op::PidfdSendSignal,
        makes: &[],
        params: &[
            TASK,
            Param::new(ParamKind::TaskOrPidfd, "PIDFD|TASK"),
            SIG.optional(),
            Param::new(
                ParamKind::Constant(&PIDFD_SIGNAL),
                "THREAD|THREAD_GROUP|PROCESS_GROUP",
            )
            .optional(),
            Param::new(ParamKind::SiCode, "SI_CODE").keyed("code"),
            Param::new(ParamKind::Number, "N").keyed("value"),
            Param::new(ParamKind::Signal, "SIG").keyed("signo"),
        ],
        returns: Returns::Zero,
        brief: "a signal by handle: pidfd_send_signal(2)",
        rule: "\
A signal to whom a pidfd means, or to a task as by a pidfd for it. It goes to the process, by
a pidfd for a thread to that; the flag says otherwise. With code, value or signo a siginfo
is given; what is left out of it is SI_QUEUE, 0 and SIG.

EINVAL for a task that the caller does not see, and for a siginfo of another signal. EPERM
for a code of the kernel's to anybody else. ESRCH for a task that is reaped, EBADF for a
pidfd that is closed.",
        c: "do_pidfd_send_signal",
        example: "\
a = clone NEWPID
b, h = clone a PIDFD
pidfd_send_signal a h SIGKILL
expect b killed SIGKILL: wait4 a
expect ESRCH: pidfd_send_signal a h 0
expect EINVAL: pidfd_send_signal a h 40 signo=41",
    },
    Verb {
        name: "poll",
        aliases: &[],
        op: Op::Poll,
        makes: &[],
        params: &[PIDFD_PARAM],
        returns: Returns::Events,
        brief: "whether a process has exited: poll(2)",
        rule: "\
What has come true of a pidfd, without sleeping: IN when the process has exited, HUP when it
is reaped, 0 before.",
        c: "pidfd_poll",
        example: "\
a, h = clone PIDFD
expect 0: poll h
exit a
expect IN: poll h
wait4
expect IN|HUP: poll h",
    },
    Verb {
        name: "close",
        aliases: &[],
        op: Op::Close,
        makes: &[],
        params: &[PIDFD_PARAM],
        returns: Returns::Zero,
        brief: "the end of a handle: close(2)",
        rule: "\
Closes a pidfd; kills the process if it was made with PIDFD_AUTOKILL.

EBADF for one that is closed.",
        c: "pidfs_file_release",
        example: "\
a, h = clone AUTOREAP|PIDFD|PIDFD_AUTOKILL
close h
expect state a gone
expect EBADF: close h",
    },
    Verb {
        name: "fault",
        aliases: &[],
        op: Op::Fault,
        makes: &[],
        params: &[TASK, SIG.optional()],
        returns: Returns::Zero,
        brief: "a fault in the own code: force_sig_info()",
        rule: "\
A fault in the task's own code, SIGSEGV if none is given. Not even the init of a
namespace is immune to that.",
        c: "force_sig_info",
        example: "\
a = clone NEWPID
fault a SIGBUS
expect a killed SIGBUS: wait4 init",
    },
    Verb {
        name: "sigaction",
        aliases: &["rt_sigaction"],
        op: Op::Sigaction,
        makes: &[],
        params: &[
            TASK,
            SIG,
            Param::new(ParamKind::Constant(&DISPOSITION), "DFL|IGN|HANDLER").optional(),
            Param::new(
                ParamKind::Constant(&ACTION),
                "NOCLDSTOP|NOCLDWAIT|RESTART|NODEFER|RESETHAND",
            )
            .optional(),
            SIGSET.keyed("mask"),
        ],
        returns: Returns::Action,
        brief: "what is done about a signal: sigaction(2)",
        rule: "\
Returns what was done so far; without a disposition it only asks. A virtual task runs no
code: a handler is counted as called, and has returned at once. With RESETHAND it is called
once; a wait that one with RESTART interrupts goes on; what NODEFER and mask are about is
over before anybody can see it. Children of a process that ignores SIGCHLD, or has
NOCLDWAIT, do not become zombies.

EINVAL for a change of SIGKILL or SIGSTOP.",
        c: "do_sigaction",
        example: "\
a = clone
expect DFL: sigaction a SIGTERM HANDLER RESETHAND mask=USR1
kill init a
expect received a 1
expect DFL RESETHAND mask=USR1: sigaction a SIGTERM",
    },
    Verb {
        name: "sigprocmask",
        aliases: &["rt_sigprocmask"],
        op: Op::Sigprocmask,
        makes: &[],
        params: &[
            TASK,
            Param::new(ParamKind::Constant(&MASK), "BLOCK|UNBLOCK|SETMASK"),
            SIGSET,
        ],
        returns: Returns::Signals,
        brief: "which signals are blocked: sigprocmask(2)",
        rule: "\
Returns what was blocked so far. What waits and is no longer blocked is taken at once;
SIGKILL and SIGSTOP are never blocked. A call that changes nothing takes nothing either.",
        c: "",
        example: "\
a = clone
sigprocmask a BLOCK TERM,USR1
kill init a
expect state a running
expect TERM,USR1: sigprocmask a UNBLOCK TERM
expect state a zombie",
    },
    Verb {
        name: "sigpending",
        aliases: &["rt_sigpending"],
        op: Op::Sigpending,
        makes: &[],
        params: &[TASK],
        returns: Returns::Signals,
        brief: "which blocked signals wait: sigpending(2)",
        rule: "\
What waits for the task or for its process, and is blocked.",
        c: "do_sigpending",
        example: "\
a = clone
sigprocmask a BLOCK TERM,USR1
kill init a USR1
expect USR1: sigpending a",
    },
    Verb {
        name: "sigwait",
        aliases: &["sigtimedwait", "rt_sigtimedwait"],
        op: Op::Sigwait,
        makes: &[],
        params: &[TASK, SIGSET],
        returns: Returns::Signal,
        brief: "takes a signal that waits: sigtimedwait(2)",
        rule: "\
Without a time: takes a signal that waits. Returns it and what came with it: code, pid,
the sender's number as the receiver sees it, and status or value.

EAGAIN when none of them waits.",
        c: "do_sigtimedwait",
        example: "\
a = clone
sigprocmask a SETMASK ALL
kill init a USR1
expect SIGUSR1 code=SI_USER pid=1: sigwait a ALL
expect EAGAIN: sigwait a ALL",
    },
    Verb {
        name: "signals",
        aliases: &[],
        op: Op::Signals,
        makes: &[],
        params: &[TASK],
        returns: Returns::View,
        brief: "the signals of a task",
        rule: "\
What a task blocks, ignores and handles, and which signals wait for it.",
        c: "",
        example: "\
a = clone
sigprocmask a BLOCK USR1
kill init a USR1
signals a",
    },
];
