// SPDX-License-Identifier: GPL-2.0

//! The immunity of a namespace's init: which signals it gets, from whom.

use crate::{
    signal::kill::{By, ByPidfd, Kill},
    support::{signals::*, state::*, world, Errno, Verbs},
    tree::pending::*,
    tree::sighand::Disposition,
    tree::task::TaskId,
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
    parent: TaskId,
    init: TaskId,
    member: TaskId,
    nested: TaskId,
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
        let from = |by| world.kill_from(by, self.init, signal);
        let (sender, kill) = match sender {
            Outside => return from(By::Outside).errno(),
            Sender::Kernel => return from(By::Kernel).errno(),
            Fault => return from(By::Fault).errno(),
            Itself => (self.init, Kill::Pid(1)),
            Member => (self.member, Kill::Pid(1)),
            // It has no number for init; but init is in its process group.
            Nested => (self.nested, Kill::Pid(0)),
            Above => (self.parent, Kill::Pid(above)),
            Sender::ByPidfd => {
                let pidfd = Verbs(world).pidfd(self.init)?;
                (self.member, Kill::Pidfd(pidfd, ByPidfd::default()))
            }
            Queued => {
                let (pid, code, value) = (1, -1, 0);
                (self.member, Kill::Queue { pid, code, value })
            }
        };
        world.kill(sender, kill, signal).errno()
    }
}

#[kernel::macros::kunit_tests(altpid_sending_immunity)]
mod tests {
    use super::*;

    /// `sig_task_ignored()`, `get_signal()`: (sender, signal, init's state afterwards)
    #[test]
    fn the_immunity_of_init() -> Result {
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

    /// `__kill_pgrp_info()`: kill(0) from a nested namespace; init gets it from below, the others die
    #[test]
    fn a_process_group_with_init_in_it() -> Result {
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

    /// `is_global_init()`
    #[test]
    fn the_worlds_init_gets_nothing() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let child = verbs.fork(world.init())?;
        for signal in [SIGKILL, SIGSTOP, SIGTERM, SIGTSTP] {
            verbs.kill(child, 1, signal)?;
            world.kill_from(By::Outside, world.init(), signal)?;
            world.kill_from(By::Kernel, world.init(), signal)?;
            assert_eq!(verbs.state(world.init()), RUNNING);
        }
        assert!(
            world
                .kill_from(By::Fault, world.init(), SIGSEGV)
                .errno()
                .err()
                == Some(EBUSY)
        );
        verbs.sigaction(world.init(), SIGTERM, Disposition::Handler)?;
        verbs.kill(child, 1, SIGTERM)?;
        assert_eq!(verbs.received(world.init())?.0, 1);
        Ok(())
    }

    /// `send_signal_locked()`: (sender, what si_pid says)
    #[test]
    fn a_handler_gets_it_from_anybody() -> Result {
        let cases = [
            (Itself, 1),
            (Member, 2),
            (Sender::ByPidfd, 2),
            (Queued, 2),
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
            let code = match sender {
                Sender::Kernel => SI_KERNEL,
                Queued => -1,
                _ => SI_USER,
            };
            assert_eq!(info.code, code);
            assert_eq!(verbs.state(container.init), RUNNING);
        }
        Ok(())
    }

    /// `__send_signal_locked()`: SEND_SIG_NOINFO, `task_tgid_nr_ns()` of the sender for each receiver
    #[test]
    fn a_group_is_told_what_each_member_sees() -> Result {
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

    /// `sig_ignored()`: blocked signals are queued; `get_signal()` drops them
    #[test]
    fn what_init_blocks_vanishes_when_it_is_unblocked() -> Result {
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

    /// Native 7.3 does: `sig_ignored()` looks at one thread, `complete_signal()` takes another.
    #[test]
    fn no_second_thread_kills_init() -> Result {
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

    /// `do_rt_sigqueueinfo()`: codes of the kernel only to oneself; SI_KERNEL forces
    #[test]
    fn si_kernel_to_oneself() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let container = Container::new(&world)?;
        let queue = |task, pid, code| {
            world.kill(
                task,
                Kill::Queue {
                    pid,
                    code,
                    value: 0,
                },
                SIGKILL,
            )
        };
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

    /// `sig_task_ignored()`, `get_signal()`: every signal with its default action, from inside and
    /// from above
    #[test]
    fn every_signal_from_inside_and_from_above() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let inside = [Itself, Member, Sender::ByPidfd, Queued];
        for sender in inside {
            let container = Container::new(&world)?;
            for signal in 1..=NSIG {
                container.send(&world, sender, signal)?;
                assert_eq!(verbs.state(container.init), RUNNING);
                assert!(verbs.pending(container.init)? == SigSet::EMPTY);
            }
        }
        for sender in [Above, Outside] {
            for signal in 1..=NSIG {
                let container = Container::new(&world)?;
                container.send(&world, sender, signal)?;
                let state = match signal {
                    SIGKILL => ZOMBIE,
                    SIGSTOP => STOPPED,
                    _ => RUNNING,
                };
                assert_eq!(verbs.state(container.init), state);
                // There is not room for all of them.
                container.send(&world, Sender::Kernel, SIGKILL)?;
                verbs.wait(container.parent, -1)?;
            }
        }
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `prepare_signal()`: an init that is stopped from above goes on by SIGCONT, from wherever it
    /// comes and though it is ignored
    #[test]
    fn stopped_from_above_and_continued() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let container = Container::new(&world)?;
        for sender in [Above, Member, Outside] {
            container.send(&world, Above, SIGSTOP)?;
            assert_eq!(verbs.state(container.init), STOPPED);
            container.send(&world, sender, SIGCONT)?;
            assert_eq!(verbs.state(container.init), RUNNING);
        }
        Ok(())
    }

    /// `force_sig_info_to_task()`: abort(3) of an init is ignored, and the fault that it ends in
    /// kills; raise(SIGSEGV) is no fault
    #[test]
    fn abort_ends_by_a_fault() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let container = Container::new(&world)?;
        for signal in [SIGSEGV, SIGABRT] {
            container.send(&world, Itself, signal)?;
            assert_eq!(verbs.state(container.init), RUNNING);
        }
        container.send(&world, Fault, SIGSEGV)?;
        assert_eq!(verbs.wait(container.parent, -1)?.1, SIGSEGV);
        Ok(())
    }

    /// `prepare_signal()`: SIGNAL_GROUP_EXIT; what an init gets that dies already changes nothing
    #[test]
    fn an_init_that_dies_gets_no_more() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let container = Container::new(&world)?;
        // Who is born outside holds it.
        world.setns(container.parent, verbs.ns(container.init)?)?;
        let injected = verbs.fork(container.parent)?;
        verbs.exit(container.init, 5)?;
        assert_eq!(verbs.state(container.init), EXITING);
        for (sender, signal) in [(Above, SIGKILL), (Outside, SIGSTOP), (Above, SIGTERM)] {
            container.send(&world, sender, signal)?;
            assert_eq!(verbs.state(container.init), EXITING);
        }
        verbs.wait(container.parent, verbs.nr(injected, 0))?;
        assert_eq!(verbs.wait(container.parent, -1)?.1, 5 << 8);
        Ok(())
    }
}
