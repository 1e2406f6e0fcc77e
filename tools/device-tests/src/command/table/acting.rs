// SPDX-License-Identifier: GPL-2.0

//! Commands by which something happens, and what is asked of one task.

use super::{Command, bytes, pidfd, somebody};
use altpid::{WaitFlags, uapi::*};
use std::mem::offset_of;

pub(super) const COMMANDS: &[Command] = &[
    command!(
        "WORLD",
        ALTPID_CMD_WORLD,
        altpid_world,
        true,
        [flags],
        [(flags, 1)],
        |_| { bytes(&altpid_world::default()) }
    ),
    command!(
        "CLONE",
        ALTPID_CMD_CLONE,
        altpid_clone,
        true,
        [reserved],
        [(flags, 1 << 38)],
        |world| {
            bytes(&altpid_clone {
                task: world.init.0,
                exit_signal: crate::SIGCHLD,
                ..Default::default()
            })
        }
    ),
    command!(
        "UNSHARE",
        ALTPID_CMD_UNSHARE,
        altpid_unshare,
        true,
        [reserved],
        [(flags, 1 << 28)],
        |world| {
            bytes(&altpid_unshare {
                task: somebody(world).0,
                flags: altpid::CloneFlags::NEWPID.bits(),
                ..Default::default()
            })
        }
    ),
    command!(
        "SETNS",
        ALTPID_CMD_SETNS,
        altpid_setns,
        false,
        [reserved pidfd],
        [(flags, 1 << 28)],
        |world| {
            bytes(&altpid_setns {
                task: somebody(world).0,
                ns: world.root.0,
                ..Default::default()
            })
        }
    ),
    command!(
        "EXIT",
        ALTPID_CMD_EXIT,
        altpid_exit,
        false,
        [reserved],
        [(flags, 2)],
        |world| {
            bytes(&altpid_exit {
                task: somebody(world).0,
                ..Default::default()
            })
        }
    ),
    command!(
        "WAIT",
        ALTPID_CMD_WAIT,
        altpid_wait,
        true,
        [reserved],
        [(options, 4)],
        |world| {
            world.exit(somebody(world), 7).expect("exit");
            bytes(&altpid_wait {
                task: world.init.0,
                pid: -1,
                options: crate::WNOHANG.bits(),
                ..Default::default()
            })
        }
    ),
    command!(
        "SETSID",
        ALTPID_CMD_SETSID,
        altpid_setsid,
        true,
        [],
        [],
        |world| {
            bytes(&altpid_setsid {
                task: somebody(world).0,
                ..Default::default()
            })
        }
    ),
    command!(
        "SETPGID",
        ALTPID_CMD_SETPGID,
        altpid_setpgid,
        false,
        [reserved],
        [],
        |world| {
            bytes(&altpid_setpgid {
                task: somebody(world).0,
                ..Default::default()
            })
        }
    ),
    command!(
        "SET_NAME",
        ALTPID_CMD_SET_NAME,
        altpid_set_name,
        false,
        [reserved],
        [],
        |world| {
            bytes(&altpid_set_name {
                task: somebody(world).0,
                comm: *b"somebody\0\0\0\0\0\0\0\0",
                ..Default::default()
            })
        }
    ),
    command!(
        "KILL",
        ALTPID_CMD_KILL,
        altpid_kill,
        false,
        [target tgid code value signo],
        [(how, 16)(flags, 1)],
        |world| {
            bytes(&altpid_kill {
                task: somebody(world).0,
                how: ALTPID_KILL_PID,
                pid: 1,
                sig: 15,
                ..Default::default()
            })
        }
    ),
    command!(
        "SIGACTION",
        ALTPID_CMD_SIGACTION,
        altpid_sigaction,
        true,
        [],
        [(flags, 4)(handler, 4)],
        |world| {
            bytes(&altpid_sigaction {
                task: somebody(world).0,
                sig: 15,
                handler: ALTPID_SIG_HANDLER,
                ..Default::default()
            })
        }
    ),
    command!(
        "SIGPROCMASK",
        ALTPID_CMD_SIGPROCMASK,
        altpid_sigprocmask,
        true,
        [],
        [(how, 3)],
        |world| {
            bytes(&altpid_sigprocmask {
                task: somebody(world).0,
                how: ALTPID_SIG_BLOCK,
                set: !0,
                ..Default::default()
            })
        }
    ),
    command!(
        "SIGWAIT",
        ALTPID_CMD_SIGWAIT,
        altpid_sigwait,
        true,
        [reserved],
        [],
        |world| {
            let task = somebody(world);
            let every = altpid::SigSet::ALL;
            let sent = world
                .sigprocmask(task, altpid::Mask::Set, every)
                .and_then(|_| world.kill(altpid::Kill::Outside(task), 10));
            sent.expect("a signal that waits");
            bytes(&altpid_sigwait {
                task: task.0,
                set: !0,
                ..Default::default()
            })
        }
    ),
    command!(
        "EXEC",
        ALTPID_CMD_EXEC,
        altpid_exec,
        false,
        [reserved],
        [],
        |world| {
            bytes(&altpid_exec {
                task: somebody(world).0,
                comm: *b"program\0\0\0\0\0\0\0\0\0",
                ..Default::default()
            })
        }
    ),
    command!(
        "PRCTL",
        ALTPID_CMD_PRCTL,
        altpid_prctl,
        true,
        [],
        [(option, 64)],
        |world| {
            bytes(&altpid_prctl {
                task: somebody(world).0,
                option: ALTPID_PR_GET_PDEATHSIG,
                value: 77,
                ..Default::default()
            })
        }
    ),
    command!(
        "REBOOT",
        ALTPID_CMD_REBOOT,
        altpid_reboot,
        false,
        [],
        [(cmd, 1)],
        |world| {
            let (init, _) = world.container(world.init);
            bytes(&altpid_reboot {
                task: init.0,
                cmd: 0x0123_4567,
                ..Default::default()
            })
        }
    ),
    command!(
        "WAITID",
        ALTPID_CMD_WAITID,
        altpid_waitid,
        true,
        [reserved pidfd],
        [(options, 0x40)(which, 4)],
        |world| {
            world.exit(somebody(world), 7).expect("exit");
            bytes(&altpid_waitid {
                task: world.init.0,
                options: (crate::WNOHANG | WaitFlags::EXITED).bits(),
                ..Default::default()
            })
        }
    ),
    command!(
        "PIDFD_OPEN",
        ALTPID_CMD_PIDFD_OPEN,
        altpid_pidfd_open,
        true,
        [target reserved],
        [(flags, 1)],
        |world| {
            bytes(&altpid_pidfd_open {
                task: world.init.0,
                pid: 1,
                ..Default::default()
            })
        }
    ),
    command!(
        "PIDFD_CLOSE",
        ALTPID_CMD_PIDFD_CLOSE,
        altpid_pidfd_close,
        false,
        [reserved],
        [],
        |world| {
            bytes(&altpid_pidfd_close {
                pidfd: pidfd(world).0,
                ..Default::default()
            })
        }
    ),
    command!(
        "POLL",
        ALTPID_CMD_POLL,
        altpid_poll,
        true,
        [],
        [(flags, 2)(events, 2)],
        |world| {
            bytes(&altpid_poll {
                flags: ALTPID_POLL_NOWAIT,
                pidfd: pidfd(world).0,
                events: ALTPID_POLL_IN,
                ..Default::default()
            })
        }
    ),
    command!(
        "GETID",
        ALTPID_CMD_GETID,
        altpid_getid,
        true,
        [pid],
        [(what, 8)],
        |world| {
            bytes(&altpid_getid {
                task: somebody(world).0,
                what: ALTPID_GETPPID,
                ..Default::default()
            })
        }
    ),
    command!(
        "SIGPENDING",
        ALTPID_CMD_SIGPENDING,
        altpid_sigpending,
        true,
        [reserved],
        [],
        |world| {
            bytes(&altpid_sigpending {
                task: somebody(world).0,
                ..Default::default()
            })
        }
    ),
    command!(
        "GET_NAME",
        ALTPID_CMD_GET_NAME,
        altpid_get_name,
        true,
        [reserved],
        [],
        |world| {
            bytes(&altpid_get_name {
                task: somebody(world).0,
                ..Default::default()
            })
        }
    ),
];
