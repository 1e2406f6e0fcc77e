// SPDX-License-Identifier: GPL-2.0

//! Signals: the immunity of a namespace's init, scopes of kill(2), what waits, and what is told.

use crate::{
    clone::flags::*,
    kill::{self, Kill},
    pending::*,
    support::{signals::*, state::*, world, Errno, Verbs},
    task::Disposition,
    world::World,
};
use kernel::prelude::*;

/// Somebody who sends a signal to the init of a namespace.
#[derive(Clone, Copy)]
enum Sender {
    /// init itself.
    Itself,
    /// A member of the namespace.
    Member,
    /// A member of a namespace below.
    Nested,
    /// The parent of init, in the namespace above.
    Above,
    /// A process outside of the world.
    Outside,
    Kernel,
    Fault,
    /// A member, by a handle on init (pidfd_send_signal(2)).
    ByPidfd,
    /// A member, with a code of its own (rt_sigqueueinfo(2), `SI_QUEUE`).
    Queued,
}
use Sender::*;

/// The init of a namespace, and those who may send it signals.
struct Container {
    parent: u64,
    init: u64,
    member: u64,
    nested: u64,
}

impl Container {
    fn new(world: &World) -> Result<Self> {
        let verbs = Verbs(world);
        let parent = verbs.fork(world.init())?;
        let init = verbs.container(parent)?;
        let member = verbs.fork(init)?;
        let nested = verbs.container(member)?;
        Ok(Self {
            parent,
            init,
            member,
            nested,
        })
    }

    /// Sends a signal to init.
    fn send(&self, world: &World, sender: Sender, signal: i32) -> Result {
        let above = Verbs(world).nr(self.init, 0);
        let kill = match sender {
            Itself => Kill::Pid(self.init, 1),
            Member => Kill::Pid(self.member, 1),
            // It has no number for init; but init is in its process group.
            Nested => Kill::Pid(self.nested, 0),
            Above => Kill::Pid(self.parent, above),
            Outside => Kill::Outside(self.init),
            Sender::Kernel => Kill::Kernel(self.init),
            Fault => Kill::Fault(self.init),
            Sender::ByPidfd => {
                let pidfd = Verbs(world).pidfd(self.init)?;
                Kill::Pidfd(self.member, pidfd, kill::ByPidfd::default())
            }
            Queued => Kill::Queue(self.member, 1, -1, 0),
        };
        world.kill(kill, signal).errno()
    }
}

#[kernel::macros::kunit_tests(altpid_signal)]
mod tests {
    use super::*;

    #[test]
    fn the_immunity_of_init() -> Result {
        // sig_task_ignored(), get_signal(): (sender, signal, init's state afterwards)
        let cases = [
            (Itself, SIGKILL, RUNNING),
            (Itself, SIGSTOP, RUNNING),
            (Itself, SIGTERM, RUNNING),
            (Itself, SIGSEGV, RUNNING),
            (Member, SIGKILL, RUNNING),
            (Member, SIGSTOP, RUNNING),
            (Member, SIGTERM, RUNNING),
            (Member, SIGHUP, RUNNING),
            (Member, SIGTSTP, RUNNING),
            (Sender::ByPidfd, SIGKILL, RUNNING),
            (Sender::ByPidfd, SIGSTOP, RUNNING),
            (Queued, SIGKILL, RUNNING),
            (Queued, SIGTERM, RUNNING),
            (Above, SIGKILL, ZOMBIE),
            (Above, SIGSTOP, STOPPED),
            (Above, SIGTERM, RUNNING),
            (Above, SIGINT, RUNNING),
            (Above, SIGHUP, RUNNING),
            (Above, SIGTSTP, RUNNING),
            (Above, SIGTTIN, RUNNING),
            (Above, SIGTTOU, RUNNING),
            (Outside, SIGKILL, ZOMBIE),
            (Outside, SIGSTOP, STOPPED),
            (Outside, SIGTERM, RUNNING),
            (Sender::Kernel, SIGKILL, ZOMBIE),
            (Sender::Kernel, SIGALRM, RUNNING),
            (Sender::Kernel, SIGPIPE, RUNNING),
            (Fault, SIGSEGV, ZOMBIE),
            (Fault, SIGBUS, ZOMBIE),
        ];
        for (sender, signal, state) in cases {
            let world = world()?;
            let verbs = Verbs(&world);
            let container = Container::new(&world)?;
            container.send(&world, sender, signal)?;
            assert_eq!(verbs.state(container.init), state);
            if state == ZOMBIE {
                assert_eq!(verbs.state(container.member), GONE);
                assert_eq!(verbs.wait(container.parent, -1)?.1, signal);
            }
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    #[test]
    fn a_process_group_with_init_in_it() -> Result {
        // kill(0) from a nested namespace: init gets it from below, the others die
        let world = world()?;
        let verbs = Verbs(&world);
        let container = Container::new(&world)?;
        verbs.setsid(container.init)?;
        let member = verbs.fork(container.init)?;
        let nested = verbs.container(member)?;
        let in_group = Container {
            nested,
            ..container
        };
        in_group.send(&world, Nested, SIGKILL)?;
        assert_eq!(verbs.state(in_group.init), RUNNING);
        assert_eq!(verbs.state(member), ZOMBIE);
        // The nested init has hit itself too, and is immune to that.
        assert_eq!(verbs.state(nested), RUNNING);
        assert!(verbs.is_sound());
        Ok(())
    }

    #[test]
    fn the_worlds_init_gets_nothing() -> Result {
        // is_global_init()
        let world = world()?;
        let verbs = Verbs(&world);
        let child = verbs.fork(world.init())?;
        for signal in [SIGKILL, SIGSTOP, SIGTERM, SIGTSTP] {
            verbs.kill(child, 1, signal)?;
            world.kill(Kill::Outside(world.init()), signal)?;
            world.kill(Kill::Kernel(world.init()), signal)?;
            assert_eq!(verbs.state(world.init()), RUNNING);
        }
        assert!(world.kill(Kill::Fault(world.init()), SIGSEGV).errno().err() == Some(EBUSY));
        verbs.sigaction(world.init(), SIGTERM, Disposition::Handler)?;
        verbs.kill(child, 1, SIGTERM)?;
        assert_eq!(verbs.received(world.init())?.0, 1);
        Ok(())
    }

    #[test]
    fn a_handler_gets_it_from_anybody() -> Result {
        // send_signal_locked(): (sender, what si_pid says)
        let cases = [
            (Itself, 1),
            (Member, 2),
            (Above, 0),
            (Outside, 0),
            (Sender::Kernel, 0),
        ];
        for (sender, pid) in cases {
            let world = world()?;
            let verbs = Verbs(&world);
            let container = Container::new(&world)?;
            verbs.sigaction(container.init, SIGTERM, Disposition::Handler)?;
            container.send(&world, sender, SIGTERM)?;
            let (count, info) = verbs.received(container.init)?;
            assert_eq!((count, info.signo, info.pid), (1, SIGTERM, pid));
            let code = if matches!(sender, Sender::Kernel) {
                SI_KERNEL
            } else {
                SI_USER
            };
            assert_eq!(info.code, code);
            assert_eq!(verbs.state(container.init), RUNNING);
        }
        Ok(())
    }

    #[test]
    fn a_group_is_told_what_each_member_sees() -> Result {
        // kill(): SEND_SIG_NOINFO, task_tgid_nr_ns(current, task_active_pid_ns(t))
        let world = world()?;
        let verbs = Verbs(&world);
        let container = Container::new(&world)?;
        for task in [world.init(), container.init] {
            verbs.sigaction(task, SIGTERM, Disposition::Handler)?;
        }
        verbs.kill(container.init, 0, SIGTERM)?;
        assert_eq!(verbs.received(container.init)?.1.pid, 1);
        let outside = verbs.nr(container.init, 0);
        assert!(outside > 1);
        assert_eq!(verbs.received(world.init())?.1.pid, outside);
        Ok(())
    }

    #[test]
    fn what_init_blocks_vanishes_when_it_is_unblocked() -> Result {
        // sig_ignored(): blocked signals are queued; get_signal() drops them
        let world = world()?;
        let verbs = Verbs(&world);
        let container = Container::new(&world)?;
        verbs.block(container.init, &[SIGTERM])?;
        container.send(&world, Member, SIGTERM)?;
        assert!(verbs.pending(container.init)?.contains(SIGTERM));
        verbs.unblock(container.init, &[SIGTERM])?;
        assert!(verbs.pending(container.init)? == SigSet::EMPTY);
        assert_eq!(verbs.state(container.init), RUNNING);
        // A handler that was installed meanwhile gets it.
        verbs.block(container.init, &[SIGTERM])?;
        container.send(&world, Member, SIGTERM)?;
        verbs.sigaction(container.init, SIGTERM, Disposition::Handler)?;
        verbs.unblock(container.init, &[SIGTERM])?;
        assert_eq!(verbs.received(container.init)?.0, 1);
        Ok(())
    }

    #[test]
    fn no_second_thread_kills_init() -> Result {
        // Native 7.3 does: sig_ignored() looks at one thread, complete_signal() takes another.
        let world = world()?;
        let verbs = Verbs(&world);
        let container = Container::new(&world)?;
        let thread = verbs.thread(container.init)?;
        verbs.block(container.init, &[SIGTERM])?;
        container.send(&world, Member, SIGTERM)?;
        container.send(&world, Above, SIGTERM)?;
        assert_eq!(verbs.state(container.init), RUNNING);
        assert_eq!(verbs.state(thread), RUNNING);
        assert!(verbs.is_sound());
        Ok(())
    }

    #[test]
    fn si_kernel_to_oneself() -> Result {
        // do_rt_sigqueueinfo(): codes of the kernel only to oneself; SI_KERNEL forces
        let world = world()?;
        let verbs = Verbs(&world);
        let container = Container::new(&world)?;
        let queue = |task, pid, code| world.kill(Kill::Queue(task, pid, code, 0), SIGKILL);
        assert!(queue(container.member, 1, SI_KERNEL).errno().err() == Some(EPERM));
        assert!(queue(container.member, 1, SI_TKILL).errno().err() == Some(EPERM));
        queue(container.member, 1, -1)?;
        queue(container.init, 1, -1)?;
        queue(container.init, 1, SI_USER)?;
        assert_eq!(verbs.state(container.init), RUNNING);
        queue(container.init, 1, SI_KERNEL)?;
        assert_eq!(verbs.state(container.init), ZOMBIE);
        Ok(())
    }

    #[test]
    fn whom_kill_means() -> Result {
        // kill_something_info(): (pid, error), in a namespace with 1, 2 and a zombie 3
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        let member = verbs.fork(init)?;
        let zombie = verbs.fork(init)?;
        verbs.setsid(init)?;
        verbs.exit(zombie, 0)?;
        let cases = [
            (1, None),
            (2, None),
            (3, None),
            (4, Some(ESRCH)),
            (0, None),
            (-1, None),
            (-2, Some(ESRCH)),
            (i32::MIN, Some(ESRCH)),
        ];
        for (pid, error) in cases {
            assert!(verbs.kill(member, pid, 0).err() == error);
        }
        for (pid, signal, error) in [
            (1, 65, EINVAL),
            (1, -1, EINVAL),
            (4, 65, ESRCH),
            (0, 65, EINVAL),
            (-1, 65, EINVAL),
        ] {
            assert!(verbs.kill(member, pid, signal).err() == Some(error));
        }
        let thread_kill = |tgid, tid| world.kill(Kill::Thread(member, tgid, tid), 0);
        assert!(thread_kill(0, 0).errno().err() == Some(EINVAL));
        assert!(thread_kill(-1, 1).errno().err() == Some(EINVAL));
        assert!(thread_kill(2, 1).errno().err() == Some(ESRCH));
        assert!(thread_kill(1, 9).errno().err() == Some(ESRCH));
        thread_kill(0, 1)?;
        thread_kill(1, 1)?;
        // Reaped: nobody.
        verbs.wait(init, 3)?;
        assert!(verbs.kill(member, 3, 0).err() == Some(ESRCH));
        // access_pidfd_pidns(): not who is not below
        assert!(
            world
                .kill(Kill::Task(member, world.init()), 0)
                .errno()
                .err()
                == Some(EINVAL)
        );
        world.kill(Kill::Task(world.init(), member), SIGKILL)?;
        assert_eq!(verbs.state(member), ZOMBIE);
        Ok(())
    }

    #[test]
    fn everybody_but_oneself_and_init() -> Result {
        // kill(-1)
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        assert!(verbs.kill(init, -1, SIGKILL).err() == Some(ESRCH));
        let member = verbs.fork(init)?;
        let nested = verbs.container(member)?;
        let deepest = verbs.fork(nested)?;
        let bystander = verbs.fork(world.init())?;
        let thread = verbs.thread(member)?;
        verbs.kill(member, -1, SIGKILL)?;
        assert_eq!(verbs.state(member), RUNNING);
        assert_eq!(verbs.state(thread), RUNNING);
        assert_eq!(verbs.state(init), RUNNING);
        assert_eq!(verbs.state(bystander), RUNNING);
        // Nested inits are like everybody, and take their own along.
        assert_eq!(verbs.state(nested), ZOMBIE);
        assert_eq!(verbs.state(deepest), GONE);
        Ok(())
    }

    #[test]
    fn one_of_each_and_all_of_the_real_time() -> Result {
        // legacy_queue(), collect_signal()
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        let nr = verbs.nr(task, 0);
        let realtime = SIGRTMIN + 2;
        verbs.block(task, &[SIGUSR1, SIGTERM, realtime])?;
        for value in 1..=3 {
            for signal in [realtime, SIGUSR1, SIGTERM] {
                world.kill(Kill::Queue(task, nr, -1, value), signal)?;
            }
        }
        let every = SigSet::from_bits(u64::MAX);
        // The lowest first, the real-time ones in order.
        for (signal, value) in [
            (SIGUSR1, 1),
            (SIGTERM, 1),
            (realtime, 1),
            (realtime, 2),
            (realtime, 3),
        ] {
            let info = world.sigwait(task, every)?;
            assert_eq!((info.signo, info.value), (signal, value));
            assert_eq!((info.code, info.pid), (-1, nr));
        }
        assert!(world.sigwait(task, every).errno().err() == Some(EAGAIN));
        assert!(verbs.is_sound());
        Ok(())
    }

    #[test]
    fn too_many_real_time_signals() -> Result {
        // __send_signal_locked(): EAGAIN for sigqueue, none for kill
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        let nr = verbs.nr(task, 0);
        verbs.block(task, &[SIGRTMIN, SIGRTMIN + 1])?;
        let mut sent = 0;
        while world
            .kill(Kill::Queue(task, nr, -1, sent), SIGRTMIN)
            .is_ok()
        {
            sent += 1;
            assert!(sent < 100_000);
        }
        let refused = world.kill(Kill::Queue(task, nr, -1, sent), SIGRTMIN);
        assert!(refused.errno().err() == Some(EAGAIN));
        verbs.kill(task, nr, SIGRTMIN + 1)?;
        // What came along is lost, the signal is not.
        let info = world.sigwait(task, SigSet::of(&[SIGRTMIN + 1]))?;
        assert_eq!((info.signo, info.pid), (SIGRTMIN + 1, 0));
        assert!(verbs.is_sound());
        verbs.exit(task, 0)?;
        assert!(verbs.is_sound());
        Ok(())
    }

    #[test]
    fn what_is_ignored_is_forgotten() -> Result {
        // do_sigaction(), POSIX 3.3.1.3
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        let nr = verbs.nr(task, 0);
        verbs.block(task, &[SIGUSR1, SIGCHLD])?;
        verbs.kill(task, nr, SIGUSR1)?;
        verbs.kill(task, nr, SIGCHLD)?;
        verbs.sigaction(task, SIGUSR1, Disposition::Ignore)?;
        verbs.sigaction(task, SIGCHLD, Disposition::Default)?;
        assert!(verbs.pending(task)? == SigSet::EMPTY);
        for signal in [0, 65, SIGKILL, SIGSTOP] {
            let changed = verbs.sigaction(task, signal, Disposition::Ignore);
            assert!(changed.err() == Some(EINVAL));
        }
        assert!(world.sigaction(task, SIGKILL, None).is_ok());
        Ok(())
    }

    #[test]
    fn a_signal_takes_all_threads() -> Result {
        // complete_signal(): whichever thread takes it
        let world = world()?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let leader = verbs.fork(parent)?;
        let thread = verbs.thread(leader)?;
        let nr = verbs.nr(leader, 0);
        verbs.block(leader, &[SIGTERM])?;
        verbs.kill(parent, nr, SIGTERM)?;
        assert_eq!(verbs.state(leader), ZOMBIE);
        assert_eq!(verbs.state(thread), GONE);
        assert_eq!(verbs.wait(parent, -1)?, (nr, SIGTERM));
        // For one thread, which blocks it: it waits.
        let leader = verbs.fork(parent)?;
        let thread = verbs.thread(leader)?;
        let tid = verbs.nr(thread, 0);
        verbs.block(thread, &[SIGTERM])?;
        world.kill(Kill::Thread(parent, 0, tid), SIGTERM)?;
        assert_eq!(verbs.state(leader), RUNNING);
        verbs.unblock(thread, &[SIGTERM])?;
        assert_eq!(verbs.state(leader), ZOMBIE);
        Ok(())
    }

    #[test]
    fn children_inherit_what_is_ignored_blocked_and_handled() -> Result {
        // copy_sighand(), copy_signal(); flush_signal_handlers() for CLONE_CLEAR_SIGHAND
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        verbs.sigaction(task, SIGUSR1, Disposition::Handler)?;
        verbs.sigaction(task, SIGTERM, Disposition::Ignore)?;
        verbs.block(task, &[SIGALRM])?;
        verbs.kill(task, verbs.nr(task, 0), SIGALRM)?;
        for (flags, handled) in [(0, true), (CLEAR_SIGHAND, false)] {
            let (child, _) = verbs.clone(task, flags, &[])?;
            let signals = world.describe_signals(child)?;
            assert_eq!(
                signals.handled,
                SigSet::of(&[SIGUSR1]).bits() * u64::from(handled)
            );
            assert_eq!(signals.ignored, SigSet::of(&[SIGTERM]).bits());
            assert_eq!(signals.blocked, SigSet::of(&[SIGALRM]).bits());
            assert_eq!((signals.pending, signals.shared), (0, 0));
        }
        Ok(())
    }

    #[test]
    fn a_parent_is_told_of_a_death() -> Result {
        // do_notify_parent(): exit signal, si_code, si_status, si_pid in the parent's namespace
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        for signal in [SIGCHLD, SIGUSR1] {
            verbs.sigaction(init, signal, Disposition::Handler)?;
        }
        let child = verbs.fork(init)?;
        verbs.exit(child, 7)?;
        let (_, info) = verbs.received(init)?;
        assert_eq!((info.signo, info.code), (SIGCHLD, CLD_EXITED));
        assert_eq!((info.status, info.pid), (7, 2));
        let parent = crate::clone::ParentArg::Native;
        let (child, nr) = verbs.clone_with(init, 0, SIGUSR1, &[], parent)?;
        world.kill(Kill::Task(init, child), SIGKILL)?;
        let (count, info) = verbs.received(init)?;
        assert_eq!((count, info.signo, info.code), (2, SIGUSR1, CLD_KILLED));
        assert_eq!((info.status, info.pid), (SIGKILL, nr));
        Ok(())
    }

    /// `complete_signal()`: who has taken the last one is asked first (`curr_target`), unless the one
    /// that it was sent to takes it
    #[test]
    fn complete_signal_goes_on_where_it_was() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let leader = verbs.fork(world.init())?;
        let threads = [leader, verbs.thread(leader)?, verbs.thread(leader)?];
        let blocker = verbs.thread(leader)?;
        verbs.sigaction(leader, SIGUSR1, Disposition::Handler)?;
        let received = |thread: u64| verbs.received(thread).map(|received| received.0);
        let queue = Kill::Queue(leader, verbs.nr(blocker, 0), -1, 0);
        for thread in [leader, threads[1], blocker] {
            verbs.block(thread, &[SIGUSR1])?;
        }
        world.kill(queue, SIGUSR1).errno()?;
        assert_eq!(received(threads[2])?, 1);
        for thread in [leader, threads[1]] {
            verbs.unblock(thread, &[SIGUSR1])?;
        }
        world.kill(queue, SIGUSR1).errno()?;
        assert_eq!(received(threads[2])?, 2);
        verbs.kill(leader, verbs.nr(threads[1], 0), SIGUSR1)?;
        world.kill(queue, SIGUSR1).errno()?;
        assert_eq!((received(threads[1])?, received(threads[2])?), (1, 3));
        // When it is gone, or does not want it any more, it is the turn of those behind it.
        verbs.block(threads[2], &[SIGUSR1])?;
        world.kill(queue, SIGUSR1).errno()?;
        assert_eq!(received(leader)?, 1);
        verbs.block(leader, &[SIGUSR1])?;
        world.kill(queue, SIGUSR1).errno()?;
        assert_eq!(received(threads[1])?, 2);
        world.exit(threads[1], 0, false)?;
        verbs.unblock(leader, &[SIGUSR1])?;
        verbs.unblock(threads[2], &[SIGUSR1])?;
        world.kill(queue, SIGUSR1).errno()?;
        assert_eq!((received(leader)?, received(threads[2])?), (1, 4));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `do_notify_parent()`: the signal has what the leader itself exited with, wait has what the
    /// process is said to have exited with
    #[test]
    fn do_notify_parent_of_a_rebooted_init() -> Result {
        const RESTART: u32 = 0x0123_4567;
        // (by init itself, by a second thread, si_code, si_status)
        let cases = [
            (true, false, CLD_EXITED, 0),
            (false, false, CLD_KILLED, SIGKILL),
            (false, true, CLD_KILLED, SIGHUP),
        ];
        for (by_init, leader_is_gone, code, status) in cases {
            let world = world()?;
            let verbs = Verbs(&world);
            let parent = verbs.fork(world.init())?;
            verbs.sigaction(parent, SIGCHLD, Disposition::Handler)?;
            let (init, nr) = verbs.clone(parent, NEWPID, &[])?;
            let member = verbs.fork(init)?;
            if leader_is_gone {
                verbs.thread(init)?;
                world.exit(init, 5, false)?;
            }
            world.reboot(if by_init { init } else { member }, RESTART)?;
            let (count, info) = verbs.received(parent)?;
            assert_eq!((count, info.signo, info.pid), (1, SIGCHLD, nr));
            assert_eq!((info.code, info.status), (code, status));
            assert_eq!(verbs.wait(parent, -1)?, (nr, SIGHUP));
        }
        Ok(())
    }

    #[test]
    fn who_does_not_want_to_know_of_deaths() -> Result {
        // do_notify_parent(): (ignored, SA_NOCLDWAIT, told, reaped by itself)
        let cases = [
            (Disposition::Handler, false, 1, false),
            (Disposition::Handler, true, 1, true),
            (Disposition::Ignore, false, 0, true),
            (Disposition::Default, true, 0, true),
            (Disposition::Default, false, 0, false),
        ];
        for (disposition, nocldwait, told, reaped) in cases {
            let world = world()?;
            let verbs = Verbs(&world);
            let parent = verbs.fork(world.init())?;
            let action = crate::sigaction::Action {
                disposition,
                nocldwait,
                nocldstop: false,
            };
            world.sigaction(parent, SIGCHLD, Some(action))?;
            let child = verbs.fork(parent)?;
            verbs.exit(child, 0)?;
            assert_eq!(verbs.received(parent)?.0, told);
            let state = if reaped { GONE } else { ZOMBIE };
            assert_eq!(verbs.state(child), state);
            if reaped {
                assert!(verbs.wait(parent, -1).err() == Some(ECHILD));
            }
            // One with another exit signal is not reaped by itself.
            let native = crate::clone::ParentArg::Native;
            let (child, _) = verbs.clone_with(parent, 0, SIGUSR1, &[], native)?;
            verbs.sigaction(parent, SIGUSR1, Disposition::Ignore)?;
            verbs.exit(child, 0)?;
            assert_eq!(verbs.state(child), ZOMBIE);
        }
        Ok(())
    }

    #[test]
    fn a_zombie_can_be_sent_signals() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let child = verbs.fork(world.init())?;
        verbs.exit(child, 3)?;
        verbs.kill(world.init(), 2, SIGKILL)?;
        world.kill(Kill::Task(world.init(), child), SIGKILL)?;
        assert_eq!(verbs.wait(world.init(), -1)?, (2, 3 << 8));
        assert!(
            world
                .kill(Kill::Task(world.init(), child), SIGKILL)
                .errno()
                .err()
                == Some(ESRCH)
        );
        Ok(())
    }
}
