// SPDX-License-Identifier: GPL-2.0

//! The system calls that an operation consists of natively, and what their results mean.

mod answer;

pub use answer::{Asked, Looked, siginfo};

use crate::{
    channel::{Arg, Channel, Program},
    native::Arena,
    op::{Call, Handle, Name, Num, Op, Whom},
    protocol::{DRIVER_FD, LAST_PID_FD},
    twin::State,
};
use altpid::{Disposition, Mask, Scope};
use answer::{Form, Made};
use anyhow::{Context, Result, bail};
use libc::c_long;

const SIGSET_SIZE: i32 = 8;
const SA_SIGINFO: u64 = 4;
const SA_RESTORER: u64 = 0x0400_0000;

/// Adds what an agent says of itself; returns where the text of the last pid, and if it is asked
/// for that of pid_max, will be.
fn add_look(program: &mut Program, with_pid_max: bool) -> (usize, Option<usize>) {
    let zero = Arg::from(0);
    program.call(libc::SYS_getpid, &[]);
    program.call(libc::SYS_gettid, &[]);
    program.call(libc::SYS_getppid, &[]);
    program.call(libc::SYS_getpgid, &[zero]);
    program.call(libc::SYS_getsid, &[zero]);
    let (room, last_pid) = program.room(16);
    program.call(
        libc::SYS_pread64,
        &[LAST_PID_FD.into(), room, 15.into(), zero],
    );
    let pid_max = with_pid_max.then(|| {
        let path = program.text("/proc/sys/kernel/pid_max");
        let (room, offset) = program.room(16);
        let at = Arg::from(libc::AT_FDCWD);
        let fd = program.call(libc::SYS_openat, &[at, path, libc::O_RDONLY.into()]);
        program.call(libc::SYS_read, &[Arg::Of(fd), room, 15.into()]);
        program.call(libc::SYS_close, &[Arg::Of(fd)]);
        offset
    });
    (last_pid, pid_max)
}

/// The end of a descriptor.
pub fn close(name: Name, fd: i32) -> Program {
    let mut program = Program::new(name);
    program.call(libc::SYS_close, &[fd.into()]);
    program
}

/// Only what an agent says of itself.
pub fn look(name: Name) -> Program {
    let mut program = Program::new(name);
    add_look(&mut program, false);
    program
}

/// Adds a file that is written to; returns the index of the write.
fn add_write(program: &mut Program, path: &str, value: i64) -> usize {
    let path = program.text(path);
    let text = value.to_string();
    let bytes = program.text(&text);
    let at = Arg::from(libc::AT_FDCWD);
    let fd = program.call(libc::SYS_openat, &[at, path, libc::O_WRONLY.into()]);
    let length = Arg::from(text.len() as u64);
    let main = program.call(libc::SYS_write, &[Arg::Of(fd), bytes, length]);
    program.always();
    program.call(libc::SYS_close, &[Arg::Of(fd)]);
    main
}

/// Adds a call that takes a descriptor and is followed by the end of that; returns its index.
fn with_fd(program: &mut Program, fd: usize, number: c_long, rest: &[Arg]) -> usize {
    let args = [&[Arg::Of(fd)], rest].concat();
    let main = program.call(number, &args);
    program.always();
    program.call(libc::SYS_close, &[Arg::Of(fd)]);
    main
}

/// Adds a call with a pidfd, of which the driver has the original; returns its index.
fn with_pidfd(program: &mut Program, pidfd: i32, number: c_long, rest: &[Arg]) -> usize {
    let args = [DRIVER_FD.into(), pidfd.into(), 0.into()];
    let fd = program.call(libc::SYS_pidfd_getfd, &args);
    with_fd(program, fd, number, rest)
}

/// What `op` is natively.
pub fn program(op: &Op, state: &State, arena: &Arena<'_>) -> Result<(Program, Asked)> {
    let by = op.by;
    let mut program = Program::new(by);
    let p = &mut program;
    let nr = |num: Num| state.resolve(by, num).context("a number").map(Arg::from);
    let zero = Arg::from(0);
    let at = Arg::from(libc::AT_FDCWD);
    let held = |handle: Handle| arena.handle(handle).context("no such pidfd");
    let mut made = None;
    let (main, form) = match &op.call {
        Call::Clone {
            child,
            flags,
            exit_signal,
            set_tid,
        } => {
            let (stack, stack_size) = Channel::stack(*child);
            let pidfd = match p.room(8) {
                (Arg::Is(address), offset) if op.makes().is_some() => {
                    made = Some(Made::At(offset));
                    address
                }
                _ => 0,
            };
            let bytes: Vec<u8> = set_tid.iter().flat_map(|nr| nr.to_ne_bytes()).collect();
            let numbers = match p.bytes(&bytes) {
                Arg::Is(address) if !set_tid.is_empty() => address,
                _ => 0,
            };
            let size = set_tid.len() as u64;
            let signal = *exit_signal as u64;
            let args = p.words(&[
                *flags, pidfd, 0, 0, signal, stack, stack_size, 0, numbers, size, 0,
            ]);
            let child = Arg::from(u64::from(child.0));
            (
                p.call(libc::SYS_clone3, &[args, 88.into(), child]),
                Form::Value,
            )
        }
        Call::Unshare(_) => (
            p.call(libc::SYS_unshare, &[libc::CLONE_NEWPID.into()]),
            Form::Value,
        ),
        Call::Setns(space) => {
            let path = p.text(&arena.space_path(*space).context("no such namespace")?);
            let fd = p.call(libc::SYS_openat, &[at, path, zero]);
            let flags = [libc::CLONE_NEWPID.into()];
            (with_fd(p, fd, libc::SYS_setns, &flags), Form::Value)
        }
        Call::SetnsOf(name) => {
            let leader = state.tasks[name].leader;
            let fd = p.call(libc::SYS_pidfd_open, &[nr(Num::Of(leader))?, zero]);
            let flags = [libc::CLONE_NEWPID.into()];
            (with_fd(p, fd, libc::SYS_setns, &flags), Form::Value)
        }
        Call::SetnsBy(handle) => {
            let flags = [libc::CLONE_NEWPID.into()];
            let main = with_pidfd(p, held(*handle)?, libc::SYS_setns, &flags);
            (main, Form::Value)
        }
        Call::Exec => {
            let path = p.text(&arena.driver.agent().to_string_lossy());
            let (Arg::Is(name), Arg::Is(slot)) = (path, p.text(&by.0.to_string())) else {
                unreachable!("strings have addresses");
            };
            let argv = p.words(&[name, slot, 0]);
            let envp = p.words(&[0]);
            (p.call(libc::SYS_execve, &[path, argv, envp]), Form::Value)
        }
        Call::Exit(code) => (p.call(libc::SYS_exit, &[(*code).into()]), Form::Value),
        Call::ExitGroup(code) => (p.call(libc::SYS_exit_group, &[(*code).into()]), Form::Value),
        Call::Kill(pid, signal) => (
            p.call(libc::SYS_kill, &[nr(*pid)?, (*signal).into()]),
            Form::Value,
        ),
        Call::Tgkill(tgid, tid, signal) => (
            p.call(libc::SYS_tgkill, &[nr(*tgid)?, nr(*tid)?, (*signal).into()]),
            Form::Value,
        ),
        Call::Tkill(tid, signal) => (
            p.call(libc::SYS_tkill, &[nr(*tid)?, (*signal).into()]),
            Form::Value,
        ),
        Call::Queue(pid, signal, code, value) => {
            let own = state.number(by, by, |task| &task.tgid).unwrap_or(0);
            let mut info = [0; 16];
            info[0] = u64::from(*signal as u32);
            info[1] = u64::from(*code as u32);
            info[2] = u64::from(own as u32);
            info[3] = *value;
            let info = p.words(&info);
            let args = [nr(*pid)?, (*signal).into(), info];
            (p.call(libc::SYS_rt_sigqueueinfo, &args), Form::Value)
        }
        Call::PidfdSend(name, signal) => {
            // A directory of /proc does for a pidfd, and can be had of who is not visible.
            let tid = arena.tid(*name).context("no such agent")?;
            let path = p.text(&format!("/proc/{tid}"));
            let flags = libc::O_RDONLY | libc::O_DIRECTORY;
            let fd = p.call(libc::SYS_openat, &[at, path, flags.into()]);
            let rest = [(*signal).into(), zero, zero];
            (
                with_fd(p, fd, libc::SYS_pidfd_send_signal, &rest),
                Form::Value,
            )
        }
        Call::PidfdOpen(_, pid, flags) => {
            made = Some(Made::Returned);
            let args = [nr(*pid)?, u64::from(flags.bits()).into()];
            (p.call(libc::SYS_pidfd_open, &args), Form::Success)
        }
        Call::PidfdSendBy(handle, signal, scope) => {
            let flags = match scope {
                Scope::AsOpened => 0,
                Scope::Thread => libc::PIDFD_SIGNAL_THREAD,
                Scope::ThreadGroup => libc::PIDFD_SIGNAL_THREAD_GROUP,
                Scope::ProcessGroup => libc::PIDFD_SIGNAL_PROCESS_GROUP,
            };
            let rest = [(*signal).into(), zero, u64::from(flags).into()];
            let main = with_pidfd(p, held(*handle)?, libc::SYS_pidfd_send_signal, &rest);
            (main, Form::Value)
        }
        Call::Close(_) | Call::Poll(_) => bail!("the driver does that"),
        Call::Sigaction(signal, action) => {
            let (handler, restorer) = arena.driver.channel.handler(by);
            let mut flags = SA_RESTORER | SA_SIGINFO;
            flags |= u64::from(action.flags.bits());
            let handler = match action.disposition {
                Disposition::Default => 0,
                Disposition::Ignore => 1,
                Disposition::Handler => handler,
            };
            // Everything is blocked meanwhile: handlers run in the order of the signals.
            let new = p.words(&[handler, flags, restorer, u64::MAX]);
            let (old, offset) = p.room(32);
            let args = [(*signal).into(), new, old, SIGSET_SIZE.into()];
            (p.call(libc::SYS_rt_sigaction, &args), Form::Action(offset))
        }
        Call::Sigprocmask(how, set) => {
            let how = match how {
                Mask::Block => libc::SIG_BLOCK,
                Mask::Unblock => libc::SIG_UNBLOCK,
                Mask::Set => libc::SIG_SETMASK,
            };
            let new = p.words(&[set.bits()]);
            let (old, offset) = p.room(8);
            let args = [how.into(), new, old, SIGSET_SIZE.into()];
            (p.call(libc::SYS_rt_sigprocmask, &args), Form::Set(offset))
        }
        Call::Sigwait(set) => {
            let set = p.words(&[set.bits()]);
            let (info, offset) = p.room(128);
            let timeout = p.words(&[0, 0]);
            let args = [set, info, timeout, SIGSET_SIZE.into()];
            (
                p.call(libc::SYS_rt_sigtimedwait, &args),
                Form::Signal(offset),
            )
        }
        Call::Wait4(pid, options) => {
            let (status, offset) = p.room(8);
            let options = Arg::from(u64::from(*options));
            let args = [nr(*pid)?, status, options, zero];
            (p.call(libc::SYS_wait4, &args), Form::Waited(offset))
        }
        Call::WaitId(whom, options) => {
            let getfd = |p: &mut Program, fd: i32| {
                let args = [DRIVER_FD.into(), fd.into(), zero];
                Arg::Of(p.call(libc::SYS_pidfd_getfd, &args))
            };
            let (which, id) = match whom {
                Whom::Pidfd(handle) => (libc::P_PIDFD, getfd(p, held(*handle)?)),
                Whom::All => (libc::P_ALL, zero),
                Whom::Pid(pid) => (libc::P_PID, nr(*pid)?),
                Whom::Pgid(pgid) => (libc::P_PGID, nr(*pgid)?),
            };
            let (info, offset) = p.room(128);
            let options = Arg::from(u64::from(*options));
            let args = [Arg::from(u64::from(which)), id, info, options, zero];
            let main = p.call(libc::SYS_waitid, &args);
            if let Whom::Pidfd(_) = whom {
                p.always();
                p.call(libc::SYS_close, &[id]);
            }
            (main, Form::Told(offset))
        }
        Call::Setsid => (p.call(libc::SYS_setsid, &[]), Form::Value),
        Call::Setpgid(pid, pgid) => (
            p.call(libc::SYS_setpgid, &[nr(*pid)?, nr(*pgid)?]),
            Form::Value,
        ),
        Call::Subreaper(on) => {
            let args = [libc::PR_SET_CHILD_SUBREAPER.into(), u64::from(*on).into()];
            (p.call(libc::SYS_prctl, &args), Form::Value)
        }
        Call::Pdeath(signal) => {
            let args = [libc::PR_SET_PDEATHSIG.into(), (*signal).into()];
            (p.call(libc::SYS_prctl, &args), Form::Value)
        }
        Call::Reboot(command) => {
            let magic = [0xfee1_dead_u64.into(), 0x2812_1969_u64.into()];
            let args = [magic[0], magic[1], Arg::from(u64::from(*command)), zero];
            (p.call(libc::SYS_reboot, &args), Form::Value)
        }
        Call::PidMax(value) => (
            add_write(p, "/proc/sys/kernel/pid_max", *value),
            Form::Success,
        ),
        Call::LastPid(value) => (
            add_write(p, "/proc/sys/kernel/ns_last_pid", *value),
            Form::Success,
        ),
    };
    program.always();
    let look = program.len();
    let with_pid_max = matches!(op.call, Call::PidMax(_) | Call::LastPid(_));
    let (last_pid, pid_max) = add_look(&mut program, with_pid_max);
    let asked = Asked {
        form,
        main,
        look,
        last_pid,
        pid_max,
        made,
    };
    Ok((program, asked))
}
