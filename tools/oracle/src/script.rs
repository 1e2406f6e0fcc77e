// SPDX-License-Identifier: GPL-2.0

//! Operations as lines of a scenario (docs/scenarios.md), to be written and read.
//!
//! The language is the one of the `altpid` command, whose library reads and writes the lines; here
//! is what they are as operations.

mod read;
mod write;

pub use read::read;
pub use write::{fact, line};

/// What a scenario begins with: `d` is to it what the driver is to the arena `a`.
pub const PREAMBLE: &str = "\
d = clone
setsid d
h = clone d
setpgid h
exit_group h
unshare d NEWPID
a = clone d
setns d init
setpgid d a h
exec a
";

/// In a comment: a setns(2) gets a pidfd and not a descriptor of nsfs.
const BY_PIDFD: &str = "by pidfd";

#[cfg(test)]
mod tests {
    use super::{PREAMBLE, line, read};
    use crate::op::{Answer, Call, Handle, Name, Num, Op};
    use altpid_command::script::Script;

    fn as_it_was(text: &str) {
        let ops = read(text).unwrap();
        let again: String = ops.iter().map(|op| format!("{op}\n")).collect();
        assert_eq!(again, text);
    }

    #[test]
    fn every_call_is_read_as_it_is_written() {
        as_it_was(
            "\
t1, h1 = clone a PIDFD|NEWPID set_tid=1,-1 exit_signal=65
n2 = unshare t1 NEWPID
setns a n2
setns a t1
setns a t1  # by pidfd
setns a h1
exec t1
exit t1 3
exit_group t1 300
kill a -t1 SIGTERM
kill a -2147483648 -1
tgkill a t1 -1 65
tkill a 300 34
sigqueue a a SIGKILL code=SI_KERNEL value=7
h3 = pidfd_open a t1 THREAD|NONBLOCK
pidfd_send_signal a h3 0 PROCESS_GROUP
pidfd_send_signal a t1 SIGKILL
close h3
poll h1
sigaction a SIGCHLD HANDLER NOCLDSTOP|NOCLDWAIT
sigprocmask a BLOCK SIGTERM,40
sigwait a ALL
wait4 a -1 WNOHANG|__WALL|0x10
waitid a P_ALL WNOHANG|WEXITED
waitid a P_PID t1 WNOHANG
waitid a P_PGID 0 WNOHANG|WEXITED
waitid a P_PIDFD h1 WEXITED
setsid a
setpgid a 0 t1
prctl a SET_CHILD_SUBREAPER 1
prctl a SET_PDEATHSIG SIGUSR1
reboot a RESTART2
reboot a CAD_OFF
sysctl a kernel.pid_max=301
sysctl a kernel.ns_last_pid=-1
",
        );
    }

    #[test]
    fn what_is_expected_and_the_preamble_are_left_out() {
        // As a divergence is printed.
        let text = format!(
            "# a story\n{PREAMBLE}expect EINVAL: clone a SIGHAND\n\nexec a\nexpect received a 3\n"
        );
        let ops = read(&text).unwrap();
        assert_eq!(ops.len(), 2);
        assert!(matches!(ops[0].call, Call::Clone { flags: 0x800, .. }));
        assert!(read("exec nobody").is_err());
        assert!(read("expect pid nobody 1").is_err());
    }

    #[test]
    fn what_failed_is_expected_to_and_makes_nothing() {
        let by = Name::INIT;
        let open = Op {
            by,
            call: Call::PidfdOpen(Handle(4), Num::Is(0), altpid::PidfdFlags::empty()),
        };
        let failed = line(&open, Some(Answer::Error(22)), None);
        assert_eq!(failed, "expect EINVAL: pidfd_open a 0");
        let wait = Op {
            by,
            call: Call::Wait4(Num::Is(-1), 1),
        };
        let child = line(&wait, Some(Answer::Waited(3, 0x300)), Some(Name(2)));
        assert_eq!(child, "expect t2 exited 3 pid=3: wait4 a -1 WNOHANG");
        let text = format!("{PREAMBLE}t2 = clone a\n{failed}\n{child}\n");
        assert!(Script::parse(&text).is_ok());
    }
}
