// SPDX-License-Identifier: GPL-2.0

//! Handles on tasks: `pidfd_open(2)`, `CLONE_PIDFD`, and what is done by them.

use crate::{
    process::clone::{flags::*, ParentArg},
    process::pidfd::Target,
    process::wait::{Wanted, WEXITED, WNOHANG, WNOWAIT, WSTOPPED},
    reason::errno,
    signal::kill::{ByPidfd, Given, Kill, To},
    support::{exit_signal, signals::*, state, world, Errno, Verbs},
    tree::handles::PidfdId,
    tree::pending::{SIGKILL, SIGSTOP},
    tree::sighand::Disposition,
    tree::task::TaskId,
    uapi,
    world::World,
};
use kernel::{bindings, prelude::*};

const IN: u32 = uapi::ALTPID_POLL_IN;
const HUP: u32 = uapi::ALTPID_POLL_HUP;

/// What [`World::poll`] says without sleeping.
fn poll(world: &World, pidfd: PidfdId) -> Result<u32> {
    world.poll(pidfd, IN, false).errno()
}

/// How the task of a handle ended, `None` as long as it is not reaped.
pub(crate) fn exit_code(world: &World, pidfd: PidfdId) -> Result<Option<i32>> {
    let info = world.pidfd_info(pidfd, None, true)?;
    let has_exit = info.mask & u64::from(uapi::ALTPID_PIDFD_INFO_EXIT) != 0;
    Ok(has_exit.then_some(info.exit_code))
}

/// `clone3()` with a handle on the child: both.
pub(crate) fn clone_pidfd(world: &World, task: TaskId, flags: u64) -> Result<(TaskId, PidfdId)> {
    let cloned = Verbs(world).cloned(
        task,
        flags | PIDFD,
        exit_signal(flags),
        &[],
        ParentArg::Native,
    )?;
    Ok((cloned.child, cloned.pidfd.ok_or(EINVAL)?))
}

/// A signal by a handle, with no siginfo.
fn send(world: &World, sender: TaskId, pidfd: PidfdId, signal: i32, to: Option<To>) -> Result {
    let how = ByPidfd { to, info: None };
    world.kill(sender, Kill::Pidfd(pidfd, how), signal).errno()
}

#[kernel::macros::kunit_tests(altpid_pidfd)]
mod tests {
    use super::*;

    /// `pidfd_open()`, `pidfd_prepare()`
    #[test]
    fn whom_one_can_be_opened_for() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let process = verbs.fork(init)?;
        let thread = verbs.thread(process)?;
        let (nr, tid) = (verbs.nr(process, 0), verbs.nr(thread, 0));
        let open = |nr, is_thread| {
            let target = Target::Number(init, nr);
            world.pidfd_open(target, is_thread, false).errno()
        };
        for nr in [0, -1, i32::MIN] {
            assert!(open(nr, false).err() == Some(EINVAL));
        }
        assert!(open(77, false).err() == Some(ESRCH));
        assert!(open(tid, false).err() == Some(ENOENT));
        assert!(open(nr, false)? != open(nr, false)?);
        open(tid, true)?;
        open(nr, true)?;
        // A zombie still has one, who is reaped has none, whatever his number is used for.
        verbs.setsid(process)?;
        let member = verbs.fork(process)?;
        verbs.exit(process, 0)?;
        open(nr, false)?;
        verbs.wait(init, nr)?;
        assert!(open(nr, false).err() == Some(ESRCH));
        assert!(open(nr, true).err() == Some(ESRCH));
        assert!(verbs.state(member) == state::RUNNING);
        let from_outside = |task| {
            let opened = world.pidfd_open(Target::Task(task), false, false);
            opened.errno()
        };
        from_outside(member)?;
        assert!(from_outside(process).err() == Some(ESRCH));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `pidfd_poll()`, `pidfs_exit()`, `pid_nr_ns()` of a pid without task
    #[test]
    fn it_outlives_its_task() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let child = verbs.fork(init)?;
        let nr = verbs.nr(child, 0);
        let pidfd = verbs.pidfd(child)?;
        assert_eq!(poll(&world, pidfd)?, 0);
        let info = world.pidfd_info(pidfd, Some(init), false)?;
        assert_eq!((info.pid, info.tgid, info.ppid), (nr, nr, 1));
        let ns = world.root().id().to_raw();
        assert_eq!((info.target, info.ns), (child.to_raw(), ns));
        verbs.exit(child, 33)?;
        assert_eq!(poll(&world, pidfd)?, IN);
        assert_eq!(exit_code(&world, pidfd)?, None);
        // A zombie has no namespaces any more (`nsproxy`).
        let info = world.pidfd_info(pidfd, Some(init), false)?;
        assert_eq!((info.pid, info.ns, info.ns_for_children), (nr, 0, 0));
        verbs.wait(init, -1)?;
        assert_eq!(poll(&world, pidfd)?, IN | HUP);
        // POLLHUP is told of without being asked for.
        assert_eq!(world.poll(pidfd, 0, false)?, HUP);
        assert_eq!(exit_code(&world, pidfd)?, Some(33 << 8));
        assert!(world.pidfd_info(pidfd, Some(init), false).errno().err() == Some(ESRCH));
        let info = world.pidfd_info(pidfd, Some(init), true)?;
        assert_eq!((info.pid, info.target, info.nr[0]), (0, 0, nr));
        // Another process with the number is not the one of the handle.
        let (other, again) = verbs.clone(init, 0, &[nr])?;
        assert_eq!(again, nr);
        assert_eq!(poll(&world, pidfd)?, IN | HUP);
        assert!(send(&world, init, pidfd, SIGKILL, None).err() == Some(ESRCH));
        assert_eq!(verbs.state(other), state::RUNNING);
        assert!(verbs.is_sound());
        world.pidfd_close(pidfd)?;
        assert!(world.pidfd_close(pidfd).errno().err() == Some(EBADF));
        assert!(poll(&world, pidfd).err() == Some(EBADF));
        assert!(exit_code(&world, pidfd).err() == Some(EBADF));
        Ok(())
    }

    /// `PIDFD_INFO_EXIT` of who is reaped by nobody, of an init, and of threads
    #[test]
    fn how_each_kind_of_task_ended() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (child, pidfd) = clone_pidfd(&world, init, AUTOREAP)?;
        verbs.exit(child, 33)?;
        assert_eq!(poll(&world, pidfd)?, IN | HUP);
        assert_eq!(exit_code(&world, pidfd)?, Some(33 << 8));

        let (container, pidfd) = clone_pidfd(&world, init, AUTOREAP | NEWPID)?;
        let (_, member) = clone_pidfd(&world, container, 0)?;
        verbs.exit(container, 21)?;
        assert_eq!(exit_code(&world, pidfd)?, Some(21 << 8));
        assert_eq!(exit_code(&world, member)?, Some(SIGKILL));

        // A thread has a status of its own; the leader that waits for it gets that of the process.
        let (leader, process) = clone_pidfd(&world, init, 0)?;
        let (thread, handle) = clone_pidfd(&world, leader, THREAD | SIGHAND | VM)?;
        world.exit(leader, 1, false)?;
        assert_eq!(poll(&world, process)?, 0);
        assert_eq!(poll(&world, handle)?, 0);
        world.exit(thread, 2, false)?;
        assert_eq!(poll(&world, handle)?, IN | HUP);
        assert_eq!(exit_code(&world, handle)?, Some(2 << 8));
        assert_eq!(poll(&world, process)?, IN);
        verbs.wait(init, -1)?;
        assert_eq!(exit_code(&world, process)?, Some(2 << 8));

        // What init's wait tells of a reboot is not what it died of.
        let (rebooted, pidfd) = clone_pidfd(&world, init, NEWPID)?;
        let member = verbs.fork(rebooted)?;
        world.reboot(member, 0x0123_4567)?;
        assert_eq!(verbs.wait(init, -1)?.1, 1);
        assert_eq!(exit_code(&world, pidfd)?, Some(SIGKILL));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `exchange_tids()`: a handle is on the struct pid, not on the task
    #[test]
    fn it_follows_an_exec() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (leader, process) = clone_pidfd(&world, world.init(), 0)?;
        let (thread, handle) = clone_pidfd(&world, leader, THREAD | SIGHAND | VM)?;
        world.exec(thread, &[b'x'; 16])?;
        assert_eq!(poll(&world, process)?, 0);
        assert_eq!(
            world.pidfd_info(process, None, false)?.target,
            thread.to_raw()
        );
        // The old number of the thread went with the old leader.
        assert_eq!(poll(&world, handle)?, IN | HUP);
        assert_eq!(exit_code(&world, handle)?, Some(0));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `pidfd_send_signal()`: the type of the handle and the flags say whom it is for
    #[test]
    fn a_signal_for_a_thread_a_process_or_a_group() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (leader, process) = clone_pidfd(&world, init, 0)?;
        let (thread, handle) = clone_pidfd(&world, leader, THREAD | SIGHAND | VM)?;
        verbs.setsid(leader)?;
        let child = verbs.fork(leader)?;
        for task in [leader, thread, child] {
            verbs.block(task, &[SIGUSR1])?;
        }
        let waiting = |task| -> Result<(bool, bool)> {
            let signals = world.describe_signals(task)?;
            Ok((signals.pending != 0, signals.shared != 0))
        };
        let forget = || -> Result {
            verbs.sigaction(leader, SIGUSR1, Disposition::Ignore)?;
            verbs.sigaction(child, SIGUSR1, Disposition::Ignore)?;
            verbs.sigaction(leader, SIGUSR1, Disposition::Default)?;
            verbs.sigaction(child, SIGUSR1, Disposition::Default)
        };
        let cases = [
            (process, None, (false, true), false, false),
            (handle, None, (false, false), true, false),
            (process, Some(To::Thread), (true, false), false, false),
            (handle, Some(To::Process), (false, true), false, false),
            (process, Some(To::ProcessGroup), (false, true), false, true),
        ];
        for (pidfd, to, at_leader, at_thread, at_child) in cases {
            send(&world, init, pidfd, SIGUSR1, to)?;
            assert_eq!(waiting(leader)?, at_leader);
            assert_eq!(waiting(thread)?.0, at_thread);
            assert_eq!(waiting(child)?.1, at_child);
            forget()?;
        }
        // A thread's number is that of no process group; a reaped leader's still is.
        let group = Some(To::ProcessGroup);
        assert!(send(&world, init, handle, 0, group).err() == Some(ESRCH));
        verbs.exit(leader, 0)?;
        send(&world, init, process, 0, None)?;
        verbs.wait(init, -1)?;
        assert!(send(&world, init, process, 0, None).err() == Some(ESRCH));
        send(&world, init, process, 0, group)?;
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `do_pidfd_send_signal()`: `access_pidfd_pidns()`, `si_signo`, `si_code_reserved_to_kernel()`
    #[test]
    fn who_may_send_what() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (outer, outer_pidfd) = clone_pidfd(&world, init, 0)?;
        let (container, pidfd) = clone_pidfd(&world, init, NEWPID)?;
        let member = verbs.fork(container)?;
        assert!(send(&world, member, outer_pidfd, 0, None).err() == Some(EINVAL));
        assert!(send(&world, init, PidfdId::from_raw(77), 0, None).err() == Some(EBADF));
        assert!(send(&world, init, outer_pidfd, 65, None).err() == Some(EINVAL));
        // As by kill(2): an init is immune from inside, and not from above.
        send(&world, member, pidfd, SIGKILL, None)?;
        assert_eq!(verbs.state(container), state::RUNNING);
        let with_info = |sender, pidfd, to, signo, code| {
            let value = 7;
            let info = Some(Given { signo, code, value });
            let how = ByPidfd { to, info };
            world.kill(sender, Kill::Pidfd(pidfd, how), SIGUSR1).errno()
        };
        let with_code = |sender, pidfd, code| with_info(sender, pidfd, None, SIGUSR1, code);
        // SI_USER is as reserved as every code that is not negative.
        assert!(with_code(init, outer_pidfd, 0).err() == Some(EPERM));
        assert!(with_code(init, outer_pidfd, 0x80).err() == Some(EPERM));
        assert!(with_code(init, outer_pidfd, -6).err() == Some(EPERM));
        verbs.sigaction(outer, SIGUSR1, Disposition::Handler)?;
        with_code(init, outer_pidfd, -1)?;
        with_code(outer, outer_pidfd, 0x80)?;
        let (count, last) = verbs.received(outer)?;
        assert_eq!((count, last.code, last.value), (2, 0x80, 7));
        // To oneself it is not, but to one's own process group.
        with_code(outer, outer_pidfd, 0)?;
        let (count, last) = verbs.received(outer)?;
        assert_eq!((count, last.code, last.value), (3, 0, 7));
        verbs.setsid(outer)?;
        let group = Some(To::ProcessGroup);
        let to_group = |code| with_info(outer, outer_pidfd, group, SIGUSR1, code);
        assert!(to_group(0).err() == Some(EPERM));
        to_group(-1)?;
        // Of another signal: before who may send it and before whether anybody is there, not before
        // who is seen.
        for (sender, code) in [(outer, -1), (outer, 0), (init, 0x80)] {
            for signo in [0, SIGUSR1 + 1, -1] {
                let other = with_info(sender, outer_pidfd, None, signo, code);
                assert!(other.err() == Some(EINVAL));
            }
        }
        assert_eq!(verbs.received(outer)?.0, 4);
        verbs.exit(outer, 0)?;
        verbs.wait(init, -1)?;
        let reaped = |signo| with_info(init, outer_pidfd, None, signo, -1).err();
        assert!(reaped(SIGUSR1) == Some(ESRCH));
        assert!(reaped(SIGUSR1 + 1) == Some(EINVAL));
        send(&world, init, pidfd, SIGKILL, None)?;
        assert_eq!(verbs.state(container), state::ZOMBIE);
        Ok(())
    }

    /// `pidfd_info()`: `pid_in_current_pidns()`, `task_ppid_vnr()`
    #[test]
    fn what_is_seen_from_where() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (container, pidfd) = clone_pidfd(&world, init, NEWPID)?;
        let (member, member_pidfd) = clone_pidfd(&world, container, 0)?;
        let above = world.pidfd_info(pidfd, Some(init), false)?;
        assert_eq!((above.pid, above.ppid), (verbs.nr(container, 0), 1));
        let inside = world.pidfd_info(pidfd, Some(member), false)?;
        assert_eq!((inside.pid, inside.tgid, inside.ppid), (1, 1, 0));
        assert_eq!(inside.nr[..2], [verbs.nr(container, 0), 1]);
        let sibling = world.pidfd_info(member_pidfd, Some(container), false)?;
        assert_eq!((sibling.pid, sibling.ppid), (2, 1));
        let outer = verbs.pidfd(init)?;
        assert!(
            world.pidfd_info(outer, Some(member), true).errno().err()
                == Some(errno(bindings::EREMOTE))
        );
        Ok(())
    }

    /// `kernel_waitid_prepare()`: `P_PIDFD`, `PIDFD_NONBLOCK`
    #[test]
    fn waiting_by_one() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (child, pidfd) = clone_pidfd(&world, init, 0)?;
        let (grandchild, other) = clone_pidfd(&world, child, 0)?;
        let wait = |pidfd, options| world.wait(init, Wanted::Pidfd(pidfd, options)).errno();
        assert!(wait(pidfd, 0).err() == Some(EINVAL));
        assert!(wait(pidfd, WEXITED | 0x40).err() == Some(EINVAL));
        assert!(wait(PidfdId::from_raw(77), WEXITED).err() == Some(EBADF));
        assert!(wait(other, WEXITED).err() == Some(ECHILD));
        assert!(wait(pidfd, WEXITED | WNOHANG)?.is_none());
        let impatient = world.pidfd_open(Target::Task(child), false, true)?;
        assert!(wait(impatient, WEXITED).err() == Some(EAGAIN));
        assert!(wait(impatient, WEXITED | WNOHANG)?.is_none());
        world.kill(init, Kill::Task(child), SIGSTOP)?;
        let stopped = wait(impatient, WSTOPPED)?.ok_or(EINVAL)?;
        assert_eq!((stopped.child, stopped.status), (child, SIGSTOP));
        verbs.exit(grandchild, 0)?;
        world.kill(init, Kill::Task(child), SIGKILL)?;
        for _ in 0..2 {
            let seen = wait(pidfd, WEXITED | WNOWAIT)?.ok_or(EINVAL)?;
            assert_eq!((seen.child, seen.status), (child, SIGKILL));
        }
        assert!(wait(impatient, WEXITED)?.is_some());
        assert!(wait(pidfd, WEXITED).err() == Some(ECHILD));
        assert_eq!(exit_code(&world, pidfd)?, Some(SIGKILL));
        Ok(())
    }

    /// `validate_nsset()`
    #[test]
    fn joining_by_one() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (container, pidfd) = clone_pidfd(&world, init, NEWPID)?;
        let member = verbs.fork(container)?;
        let caller = verbs.fork(init)?;
        world.setns_by_pidfd(caller, pidfd)?;
        let child = verbs.fork(caller)?;
        assert_eq!(verbs.ns(child)?, verbs.ns(container)?);
        // The active namespace counts, not the one for children.
        let (unshared, other) = clone_pidfd(&world, init, 0)?;
        world.unshare(unshared, NEWPID)?;
        world.setns_by_pidfd(caller, other)?;
        let children = world.describe_task(caller)?.ns_for_children;
        assert_eq!(children, world.root().id().to_raw());
        let own = verbs.pidfd(init)?;
        assert!(world.setns_by_pidfd(member, own).errno().err() == Some(EINVAL));
        assert!(
            world
                .setns_by_pidfd(caller, PidfdId::from_raw(77))
                .errno()
                .err()
                == Some(EBADF)
        );
        verbs.exit(unshared, 0)?;
        assert!(world.setns_by_pidfd(caller, other).errno().err() == Some(ESRCH));
        verbs.wait(init, verbs.nr(unshared, 0))?;
        assert!(world.setns_by_pidfd(caller, other).errno().err() == Some(ESRCH));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `copy_process()`: what goes with `CLONE_PIDFD` and `CLONE_PIDFD_AUTOKILL`
    #[test]
    fn flags_of_a_clone() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let refused = [
            PIDFD | PIDFD_AUTOKILL,
            AUTOREAP | PIDFD_AUTOKILL,
            PIDFD | AUTOREAP | PIDFD_AUTOKILL | THREAD | SIGHAND | VM,
            PIDFD | DETACHED,
        ];
        for flags in refused {
            assert!(verbs.clone(init, flags, &[]).err() == Some(EINVAL));
        }
        assert_eq!(world.describe().pidfds, 0);
        // Everybody is privileged: CLONE_NNP is not needed, and does no harm.
        let kind = AUTOREAP | PIDFD_AUTOKILL;
        clone_pidfd(&world, init, kind)?;
        clone_pidfd(&world, init, kind | NNP)?;
        assert_eq!(world.describe().pidfds, 2);
        // A thread's handle is a thread's.
        let (thread, pidfd) = clone_pidfd(&world, init, THREAD | SIGHAND | VM)?;
        world.exit(thread, 3, false)?;
        assert_eq!(exit_code(&world, pidfd)?, Some(3 << 8));
        Ok(())
    }
}
