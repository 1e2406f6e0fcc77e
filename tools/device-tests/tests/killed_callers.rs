// SPDX-License-Identifier: GPL-2.0

//! A caller is killed in the middle of a call that causes much: what is left is done without him, by the
//! world's work item, and without a call of anybody else. What is left is seen after he is gone; from then
//! on these tests only look.

use altpid::{
    CloneArgs, CloneFlags, Disposition, Kill, Mask, Result, SigSet, TaskId, TaskState, WaitFlags,
    World,
};
use altpid_device_tests::{
    Fixture, WALL, WCLONE,
    caller::{Caller, Gate, Given, kill_all},
    crowd::{children, job, threads, wide},
    exited,
    figures::scaled,
    holds::are_bounded,
    meanwhile::AtTheEnd,
    patience::eventually,
    sleeper::Sleeper,
};
use std::{
    iter,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

/// How often it is tried to kill a caller while there is work left.
const TRIES: usize = 16;

/// A call that causes much.
struct Large {
    name: &'static str,
    /// How many make the same one at once.
    callers: usize,
    /// Makes what it is called on, with so many that it concerns.
    build: fn(&Fixture, usize) -> Built,
    /// The call, on behalf of a task, with a number.
    call: fn(&World, TaskId, i32) -> Result<()>,
    /// Whether all is done that it causes to one of those that it concerns.
    is_done: fn(&Fixture, TaskId) -> bool,
}

/// What such a call is made on.
struct Built {
    task: TaskId,
    number: i32,
    /// Whom it concerns.
    members: Vec<TaskId>,
    /// Somebody who waits, the child whose death he is told of, and the status.
    death: Option<(TaskId, TaskId, i32)>,
}

impl Built {
    fn new(task: TaskId, members: Vec<TaskId>) -> Self {
        Self {
            task,
            number: 0,
            members,
            death: None,
        }
    }

    fn number(self, number: i32) -> Self {
        Self { number, ..self }
    }

    fn death(self, parent: TaskId, child: TaskId, status: i32) -> Self {
        let death = Some((parent, child, status));
        Self { death, ..self }
    }

    /// Some of the members, spread over all.
    fn some(&self) -> impl Iterator<Item = TaskId> {
        let apart = self.members.len() / 16 + 1;
        let last = self.members.last();
        self.members.iter().step_by(apart).chain(last).copied()
    }
}

/// Whether a task is no longer alive.
fn is_dead(world: &Fixture, task: TaskId) -> bool {
    matches!(world.state_of(task), None | Some(TaskState::Zombie))
}

/// The init of a container exits.
const ZAP: Large = Large {
    name: "exit_group of an init",
    callers: 1,
    build: |world, count| {
        let parent = world.fork(world.init);
        let (init, _) = world.container(parent);
        let members = children(world, init, count);
        Built::new(init, members).death(parent, init, exited(3))
    },
    call: |world, task, _| world.exit_group(task, 3),
    is_done: is_dead,
};

/// A process of many threads exits.
const EXIT: Large = Large {
    name: "exit_group of many threads",
    callers: 1,
    build: |world, count| {
        let parent = world.fork(world.init);
        let leader = world.fork(parent);
        let mut members = threads(world, leader, count);
        members.push(leader);
        Built::new(leader, members).death(parent, leader, exited(3))
    },
    call: |world, task, _| world.exit_group(task, 3),
    is_done: is_dead,
};

/// A parent exits: its children are handed on.
const ORPHANS: Large = Large {
    name: "exit_group of a parent",
    callers: 1,
    build: |world, count| {
        let grandparent = world.fork(world.init);
        let parent = world.fork(grandparent);
        let members = children(world, parent, count);
        Built::new(parent, members).death(grandparent, parent, exited(3))
    },
    call: |world, task, _| world.exit_group(task, 3),
    is_done: |world, child| world.parent_of(child) == Some(world.init),
};

/// SIGKILL for everybody in a container but its init and the sender.
const KILL_ALL: Large = Large {
    name: "kill(-1)",
    callers: 1,
    build: |world, count| {
        let (init, _) = world.container(world.init);
        let sender = world.fork(init);
        let members = children(world, init, count);
        let last = members[count - 1];
        let built = Built::new(sender, members).number(-1);
        built.death(init, last, libc::SIGKILL)
    },
    call: kill,
    is_done: is_dead,
};

/// SIGKILL for a process group.
const KILL_GROUP: Large = Large {
    name: "kill of a process group",
    callers: 1,
    build: |world, count| {
        let shell = world.fork(world.init);
        let sender = world.fork(world.init);
        let members = job(world, shell, count);
        let (first, last) = (members[0], members[count - 1]);
        let built = Built::new(sender, members).number(-world.own_pid(first));
        built.death(shell, last, libc::SIGKILL)
    },
    call: kill,
    is_done: is_dead,
};

/// A thread calls exec, which ends the others.
const EXEC: Large = Large {
    name: "exec",
    callers: 1,
    build: |world, count| {
        let leader = world.fork(world.init);
        let task = world.thread(leader);
        let mut members = threads(world, leader, count);
        members.push(leader);
        Built::new(task, members)
    },
    call: |world, task, _| world.exec(task, b"program"),
    is_done: is_dead,
};

/// A thread clones, and takes a signal before that was left to another one, which is in vfork: it kills
/// all of them.
const CLONE: Large = Large {
    name: "clone",
    callers: 1,
    build: |world, count| {
        let parent = world.fork(world.init);
        let leader = world.fork(parent);
        let task = world.thread(leader);
        let mut members = threads(world, leader, count);
        members.push(leader);
        let vfork = CloneFlags::VM | CloneFlags::VFORK;
        world.born(leader, &CloneArgs::new().flags(vfork));
        let by = Kill::Outside(leader);
        world.kill(by, libc::SIGQUIT).expect("kill");
        assert_eq!(world.state_of(task), Some(TaskState::Running));
        Built::new(task, members).death(parent, leader, libc::SIGQUIT)
    },
    call: |world, task, _| world.clone(task, &CloneArgs::new()).map(drop),
    is_done: is_dead,
};

/// A process ignores a signal that waits for some of its many threads, twice: the second call waits until
/// the first is done.
const IGNORE: Large = Large {
    name: "sigaction",
    callers: 2,
    build: |world, count| {
        let leader = world.fork(world.init);
        let set = SigSet::of(&[libc::SIGUSR1]);
        world
            .sigprocmask(leader, Mask::Block, set)
            .expect("sigprocmask");
        let threads = threads(world, leader, count);
        // All are looked at; it waits for some of them.
        let members: Vec<_> = threads.into_iter().step_by(100).collect();
        let pid = world.own_pid(leader);
        for &thread in &members {
            let by = Kill::Thread(world.init, pid, world.own_pid(thread));
            world.kill(by, libc::SIGUSR1).expect("tgkill");
        }
        Built::new(leader, members)
    },
    call: |world, task, _| {
        let ignore = Some(Disposition::Ignore.into());
        world.sigaction(task, libc::SIGUSR1, ignore).map(drop)
    },
    is_done: |world, thread| {
        let signals = world.signals(thread).expect("signals");
        !signals.pending.contains(libc::SIGUSR1)
    },
};

/// Forks, one after the other: each goes on with the signals for many that are on their way.
const FORKS: Large = Large {
    name: "forks",
    callers: 1,
    build: |world, _| Built::new(world.fork(world.init), Vec::new()),
    call: |world, task, _| {
        loop {
            let args = CloneArgs::new().flags(CloneFlags::AUTOREAP);
            let child = world.clone(task, &args.exit_signal(0))?;
            world.exit(child.task, 0)?;
        }
    },
    is_done: is_dead,
};

const ALL: [Large; 9] = [
    ZAP, EXIT, ORPHANS, KILL_ALL, KILL_GROUP, EXEC, CLONE, IGNORE, FORKS,
];

/// The task sends SIGKILL.
fn kill(world: &World, task: TaskId, to: i32) -> Result<()> {
    world.kill(Kill::Pid(task, to), libc::SIGKILL)
}

/// Makes a call and stays, or waits again and again, until it is killed.
#[test]
#[ignore = "another test starts it"]
fn the_other_process() {
    let Some(given) = Given::by_the_other() else {
        return;
    };
    let (world, task) = (&given.world, TaskId(given.numbers[0]));
    if given.what == "wait" {
        given.is_ready();
        loop {
            // For children of a kind that it has none of.
            let _ = world.wait(task, -1, WCLONE);
        }
    }
    let index: usize = given.what.parse().expect("which");
    given.makes(|| {
        // Who is killed in there does not see what comes of it.
        let _ = (ALL[index].call)(world, task, given.numbers[1] as i32);
    });
}

/// Others make some calls in a new world, each concerning so many tasks, and are killed. Whether they have
/// left work of each call when they were gone.
fn is_left_by_killed(calls: &[Large], count: usize) -> bool {
    let world = Fixture::new();
    wide(&world);
    let built: Vec<Built> = calls.iter().map(|c| (c.build)(&world, count)).collect();
    let works: Vec<_> = calls.iter().zip(&built).collect();
    let gate = Gate::new(&world);
    let is_hit = thread::scope(|scope| {
        let world = &world;
        let deaths: Vec<_> = built.iter().filter_map(|built| built.death).collect();
        let sleepers: Vec<_> = deaths
            .iter()
            .map(|&(parent, child, _)| {
                let ns = world.task(parent).expect("task").ns;
                let pid = world.number_in(child, ns);
                Sleeper::new(scope, world, parent, pid, WALL)
            })
            .collect();
        assert!(sleepers.iter().all(Sleeper::settles), "nobody is dead yet");
        let mut callers: Vec<_> = works
            .iter()
            .flat_map(|work| iter::repeat_n(work, work.0.callers))
            .map(|(call, built)| {
                let which = ALL.iter().position(|one| one.name == call.name);
                let which = which.expect("one of them").to_string();
                let number = i64::from(built.number) as u64;
                Caller::start(&which, world, &[built.task.0, number, gate.number()])
            })
            .collect();
        gate.open(world);
        let is_begun = |(call, built): &(&Large, &Built)| {
            built.members.is_empty() || built.some().any(|task| (call.is_done)(world, task))
        };
        eventually("the calls are under way", || works.iter().all(is_begun));
        kill_all(&mut callers);
        let is_left = |(call, built): &(&Large, &Built)| {
            built.members.is_empty() || built.some().any(|task| !(call.is_done)(world, task))
        };
        let is_hit = works.iter().all(is_left);
        for (call, built) in &works {
            let mut left = &built.members[..];
            eventually(&format!("all that {} causes", call.name), || {
                while let [task, rest @ ..] = left
                    && (call.is_done)(world, *task)
                {
                    left = rest;
                }
                left.is_empty()
            });
        }
        for (sleeper, (_, child, status)) in sleepers.into_iter().zip(deaths) {
            eventually("who waits for a death is awake", || !sleeper.settles());
            let waited = sleeper.result().expect("wait4").expect("a child");
            assert_eq!((waited.task, waited.status), (child, status));
        }
        is_hit
    });
    world.check();
    // It can be worked on.
    assert_eq!(world.end(world.fork(world.init), 3), exited(3));
    is_hit
}

/// Callers are killed in some calls until they have left work of each of them, which concern more and more.
#[track_caller]
fn leave_work(calls: &[Large], count: u64) {
    let count = scaled(count) as usize;
    let is_hit = (0..TRIES).any(|number| is_left_by_killed(calls, count << (number / 4)));
    let names: Vec<_> = calls.iter().map(|call| call.name).collect();
    assert!(
        is_hit,
        "{names:?}: in {TRIES} tries all was done when the callers were gone"
    );
}

/// Each of these calls alone: all that it causes happens, who waits for a death wakes, and the audit finds
/// nothing.
#[test]
fn what_a_killed_caller_leaves_is_done() {
    for call in [ZAP, EXIT, ORPHANS, KILL_ALL, KILL_GROUP, EXEC, CLONE] {
        leave_work(&[call], 20_000);
    }
    leave_work(&[IGNORE], 50_000);
}

/// Two callers with work of their own are killed at once: the work item does that of both.
#[test]
fn two_callers_are_killed_at_once() {
    leave_work(&[ZAP, ZAP], 20_000);
    leave_work(&[EXIT, KILL_ALL], 20_000);
    leave_work(&[CLONE, EXEC], 20_000);
}

/// One of them only waits for what the other one has begun: he goes too.
#[test]
fn who_helps_is_killed_as_well() {
    leave_work(&[KILL_GROUP, FORKS], 20_000);
}

/// A wait that looks at more children than one hold of the lock allows begins again when the family has
/// changed, and others change it all the time: who is killed in there goes all the same.
#[test]
fn a_wait_that_others_prolong() {
    let world = Fixture::new();
    wide(&world);
    let parent = world.fork(world.init);
    children(&world, parent, scaled(100_000) as usize);
    let others = threads(&world, parent, 4);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let end = AtTheEnd(&done);
        for &thread in &others {
            let (world, done) = (&world, &done);
            scope.spawn(move || {
                while !done.load(Relaxed) {
                    let child = world.autoreap(thread);
                    world.exit(child, 0).expect("exit");
                }
            });
        }
        for _ in 0..5 {
            let mut callers = [Caller::start("wait", &world, &[parent.0])];
            kill_all(&mut callers);
        }
        drop(end);
    });
    // The call of the one who was killed is over.
    let waited = world.wait(parent, -1, WCLONE | WaitFlags::NOHANG);
    assert_eq!(
        waited.expect_err("no child").errno,
        rustix::io::Errno::CHILD
    );
    are_bounded(&world);
}
