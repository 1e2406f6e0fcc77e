// SPDX-License-Identifier: GPL-2.0

//! A signal for many is one event: natively one hold of `tasklist_lock`. Whoever was a member when it
//! began gets it, and so does a child that a member makes meanwhile; who sends it need not live that
//! long.
//!
//! The signal is under way when its first member can do nothing any more. From then on members try to get away, which
//! comes too late for all of them.

use altpid::{CloneArgs, CloneFlags, Kill, Parent, TaskId, TaskState};
use altpid_device_tests::{
    Fixture,
    crowd::{children, job, wide},
    figures::scaled,
    patience::eventually,
};
use std::thread;

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    /// A process group.
    Group,
    /// Everybody but the sender and init.
    All,
}

/// What a member does to get away, once it is known that others have been killed; the tasks that may
/// come of it.
type Attempt = fn(&Crowd, TaskId) -> Option<TaskId>;

/// Those that there are.
const ATTEMPTS: &[(&str, Attempt)] = &[
    ("fork", |crowd, task| crowd.cloned(task, &CloneArgs::new())),
    ("clone of a thread", |crowd, task| {
        crowd.cloned(task, &CloneArgs::thread())
    }),
    ("clone of an init", |crowd, task| {
        crowd.cloned(task, &CloneArgs::new().flags(CloneFlags::NEWPID))
    }),
    ("clone of a sibling", |crowd, task| {
        let sibling = CloneArgs::new().flags(CloneFlags::PARENT).exit_signal(0);
        crowd.cloned(task, &sibling)
    }),
    ("clone of somebody else's child", |crowd, task| {
        crowd.cloned(task, &CloneArgs::new().parent(Parent::Outside))
    }),
    ("vfork", |crowd, task| {
        let flags = CloneFlags::VM | CloneFlags::from_bits_retain(0x4000);
        crowd.cloned(task, &CloneArgs::new().flags(flags))
    }),
    ("fork and setsid", |crowd, task| {
        let child = crowd.cloned(task, &CloneArgs::new())?;
        let _ = crowd.world.setsid(child);
        Some(child)
    }),
    ("fork and setpgid of the child", |crowd, task| {
        let child = crowd.cloned(task, &CloneArgs::new())?;
        let pid = crowd.world.task(child).map_or(0, |child| child.pid[0]);
        let _ = crowd.world.setpgid(task, pid, pid);
        Some(child)
    }),
    ("setsid", |crowd, task| {
        let _ = crowd.world.setsid(task);
        None
    }),
    ("setpgid", |crowd, task| {
        let _ = crowd.world.setpgid(task, 0, 0);
        None
    }),
    ("setpgid to another group", |crowd, task| {
        let _ = crowd.world.setpgid(task, 0, crowd.elsewhere);
        None
    }),
    ("setpgid by its parent", |crowd, task| {
        let pid = crowd.world.task(task).map_or(0, |task| task.pid[0]);
        let _ = crowd.world.setpgid(crowd.shell, pid, pid);
        None
    }),
    ("exec", |crowd, task| {
        let _ = crowd.world.exec(task, b"program");
        None
    }),
];

/// Many processes who are to be killed by one signal.
struct Crowd {
    world: Fixture,
    sender: TaskId,
    /// Their parent; to be killed itself with everybody.
    shell: TaskId,
    members: Vec<TaskId>,
    group: i32,
    /// The number of another group in the same session; its only member is no member of the first.
    elsewhere: i32,
}

impl Crowd {
    fn new(count: usize) -> Self {
        let world = Fixture::new();
        wide(&world);
        let sender = world.fork(world.init);
        let other = world.fork(world.init);
        world.setpgid(other, 0, 0).expect("setpgid");
        let shell = world.fork(world.init);
        // Numbers above those of who is forked meanwhile: kill(-1) goes by numbers, and would meet
        // nobody who has a lower one than the one it is at.
        world.set_last_pid(world.root, 1000).expect("ns_last_pid");
        let members = job(&world, shell, count);
        world.set_last_pid(world.root, 10).expect("ns_last_pid");
        Self {
            group: world.own_pid(members[0]),
            elsewhere: world.own_pid(other),
            sender,
            shell,
            members,
            world,
        }
    }

    fn pid(&self, to: To) -> i32 {
        match to {
            To::Group => -self.group,
            To::All => -1,
        }
    }

    fn cloned(&self, task: TaskId, how: &CloneArgs) -> Option<TaskId> {
        self.world.clone(task, how).ok().map(|cloned| cloned.task)
    }

    /// Waits until the first of the crowd can do nothing any more: it is dead, or about to be.
    fn has_begun(&self) {
        eventually("the first one is killed", || {
            self.world.set_name(self.members[0], b"alive").is_err()
        });
    }

    #[track_caller]
    fn is_dead(&self, task: TaskId, what: &str) {
        let state = self.world.state_of(task);
        let dead = [None, Some(TaskState::Zombie)];
        assert!(dead.contains(&state), "{what}: {state:?}");
    }
}

/// Each attempt is made by a few of those who come last, all of them during one signal.
fn nobody_escapes(to: To) {
    let crowd = Crowd::new(scaled(60_000) as usize);
    let world = &crowd.world;
    let made: Vec<(&str, TaskId)> = thread::scope(|scope| {
        let kill = scope.spawn(|| {
            let by = Kill::Pid(crowd.sender, crowd.pid(to));
            world.kill(by, libc::SIGKILL)
        });
        crowd.has_begun();
        // From the last on, who is furthest from the one that was killed first.
        let last = crowd.members.iter().rev();
        let made = last
            .zip(ATTEMPTS.iter().cycle())
            .take(4 * ATTEMPTS.len())
            .flat_map(|(&task, (name, attempt))| {
                let child = attempt(&crowd, task);
                [Some(task), child]
                    .into_iter()
                    .flatten()
                    .map(|task| (*name, task))
            });
        let made = made.collect();
        kill.join().expect("a call").expect("kill");
        made
    });
    for (name, task) in made {
        crowd.is_dead(task, &format!("{name}, while {to:?} is killed"));
    }
    for &task in &crowd.members {
        crowd.is_dead(task, "a member");
    }
    // Nobody else came of it: there are the world's init, the sender, and of a group the shell and
    // the one who was elsewhere all the time.
    let others = if to == To::Group { 4 } else { 2 };
    let info = world.info().expect("world");
    assert_eq!(info.tasks - info.zombies, others, "while {to:?} is killed");
}

#[test]
fn nobody_escapes_from_a_signal_to_a_group() {
    nobody_escapes(To::Group);
}

#[test]
fn nobody_escapes_from_a_signal_to_everybody() {
    nobody_escapes(To::All);
}

/// Who joins the group meanwhile gets the signal or does not; nobody is lost or met for ever.
#[test]
fn others_join_meanwhile() {
    let crowd = Crowd::new(scaled(5000) as usize);
    let world = &crowd.world;
    let joining = children(world, crowd.shell, 200);
    thread::scope(|scope| {
        let kill = scope.spawn(|| {
            let by = Kill::Pid(crowd.sender, -crowd.group);
            world.kill(by, libc::SIGKILL)
        });
        crowd.has_begun();
        for &task in &joining {
            let _ = world.setpgid(task, 0, crowd.group);
        }
        kill.join().expect("a call").expect("kill");
    });
    for &member in &crowd.members {
        crowd.is_dead(member, "a member");
    }
}

/// What is sent is sent, whatever becomes of the sender meanwhile.
#[test]
fn the_sender_is_stopped_or_dies() {
    for to in [To::Group, To::All] {
        for signal in [libc::SIGSTOP, libc::SIGKILL] {
            let crowd = Crowd::new(scaled(40_000) as usize);
            let world = &crowd.world;
            thread::scope(|scope| {
                let kill = scope.spawn(|| {
                    let by = Kill::Pid(crowd.sender, crowd.pid(to));
                    world.kill(by, libc::SIGKILL)
                });
                crowd.has_begun();
                world
                    .kill(Kill::Kernel(crowd.sender), signal)
                    .expect("kill");
                let sent = kill.join().expect("a call");
                sent.unwrap_or_else(|error| panic!("{to:?}, {signal}: {error}"));
            });
            for &member in &crowd.members {
                crowd.is_dead(member, "a member");
            }
            let state = if signal == libc::SIGKILL {
                TaskState::Zombie
            } else {
                TaskState::Stopped
            };
            assert_eq!(world.state_of(crowd.sender), Some(state));
        }
    }
}

/// Two signals for the same group, and for everybody, by two senders: each member gets both.
#[test]
fn two_at_once() {
    for to in [To::Group, To::All] {
        let crowd = Crowd::new(scaled(5000) as usize);
        let world = &crowd.world;
        let other = world.fork(world.init);
        let queued = |signal| {
            let set = altpid::SigSet::of(&[libc::SIGUSR1, libc::SIGUSR2]);
            let has = |&task: &TaskId| {
                let signals = world.signals(task).expect("signals");
                assert_eq!(signals.blocked, set);
                signals.shared.contains(signal)
            };
            crowd.members.iter().all(has)
        };
        for &task in &crowd.members {
            let set = altpid::SigSet::of(&[libc::SIGUSR1, libc::SIGUSR2]);
            world
                .sigprocmask(task, altpid::Mask::Set, set)
                .expect("sigprocmask");
        }
        // Those who would die of it.
        for task in [crowd.shell, crowd.sender, other] {
            for signal in [libc::SIGUSR1, libc::SIGUSR2] {
                let ignore = Some(altpid::Disposition::Ignore.into());
                world.sigaction(task, signal, ignore).expect("sigaction");
            }
        }
        thread::scope(|scope| {
            let senders = [(crowd.sender, libc::SIGUSR1), (other, libc::SIGUSR2)];
            for (sender, signal) in senders {
                let by = Kill::Pid(sender, crowd.pid(to));
                scope.spawn(move || world.kill(by, signal).expect("kill"));
            }
        });
        assert!(queued(libc::SIGUSR1) && queued(libc::SIGUSR2), "{to:?}");
    }
}
