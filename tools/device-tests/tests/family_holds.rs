// SPDX-License-Identifier: GPL-2.0

//! Lines of descendants, process groups, and children who are waited for or not: no hold of the tree
//! lock grows with what user space has built.

use altpid::{CloneArgs, CloneFlags, Kill, Parent, TaskId, TaskState, WaitFlags};
use altpid_device_tests::{
    Fixture, WCLONE, WNOHANG,
    crowd::{born, children, job, line, threads, wide},
    exited,
    figures::scaled,
    holds::are_bounded,
    meanwhile::AtTheEnd,
    patience::eventually,
    sleeper::Sleeper,
};
use rustix::io::Errno;
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
};

/// Members of a large family.
const MANY: u64 = 5000;

/// Likewise, in the debug kernel fewer.
fn many() -> usize {
    scaled(MANY) as usize
}

/// A world with room for all numbers.
fn world() -> Fixture {
    let world = Fixture::new();
    wide(&world);
    world
}

/// A child subreaper, in a session of its own.
fn subreaper(world: &Fixture) -> TaskId {
    let reaper = world.fork(world.init);
    world.set_child_subreaper(reaper, true).expect("prctl");
    world.setsid(reaper).expect("setsid");
    reaper
}

/// All but so many tasks are zombies.
#[track_caller]
fn all_dead_but(world: &Fixture, alive: u64) {
    let info = world.info().expect("world");
    assert_eq!(info.tasks - info.zombies, alive);
}

/// A line of descendants below a subreaper is killed from its end to its beginning: whose parent is
/// dead gets the nearest subreaper above, which each has to find.
#[test]
fn a_line_below_a_subreaper_dies_from_its_end() {
    let world = world();
    let killer = world.fork(world.init);
    let mut parent = subreaper(&world);
    let count = many() as i32;
    for nr in (0..count).rev() {
        let args = CloneArgs::new().set_tid(&[1000 + nr]);
        parent = world.born(parent, &args);
    }
    world
        .kill(Kill::Pid(killer, -1), libc::SIGKILL)
        .expect("kill");
    all_dead_but(&world, 2);
    are_bounded(&world);
}

/// The line dies from its beginning to its end, one after the other and by one signal, while the
/// subreaper lives: it gets all of them.
#[test]
fn a_line_below_a_subreaper_dies_from_its_beginning() {
    let world = world();
    for at_once in [false, true] {
        let reaper = subreaper(&world);
        let mut all = line(&world, reaper, &CloneArgs::new(), many());
        let last = all.pop().expect("somebody");
        if at_once {
            let group = world.own_pid(all[0]);
            for &task in &all {
                world.setpgid(task, 0, group).expect("setpgid");
            }
            world
                .kill(Kill::Pid(reaper, -group), libc::SIGKILL)
                .expect("kill");
        } else {
            for &task in &all {
                world.exit_group(task, 0).expect("exit_group");
            }
        }
        assert_eq!(world.parent_of(last), Some(reaper));
        for _ in &all {
            world.reap(reaper);
        }
        world.end(last, 0);
        are_bounded(&world);
        // Then it dies itself, above a line that is as long.
        line(&world, reaper, &CloneArgs::new(), many());
        world.end(reaper, 0);
        are_bounded(&world);
    }
}

/// Subreapers, each the child of one before; the deepest die first, or the highest.
#[test]
fn a_line_of_subreapers() {
    for deepest_first in [true, false] {
        let world = world();
        let mut all = line(&world, world.init, &CloneArgs::new(), many() / 5);
        for &task in &all {
            world.set_child_subreaper(task, true).expect("prctl");
        }
        let last = *all.last().expect("somebody");
        let orphans = children(&world, world.fork(last), 100);
        if deepest_first {
            all.reverse();
        }
        for task in all {
            world.exit_group(task, 0).expect("exit_group");
        }
        let heir = world.parent_of(world.parent_of(orphans[0]).expect("a parent"));
        assert_eq!(heir, Some(world.init));
        are_bounded(&world);
    }
}

/// What is known of a process group is kept for few of them: members of many large ones exit in turns,
/// none of which is controlled, while somebody is stopped.
#[test]
fn exits_from_many_large_groups_in_turns() {
    const GROUPS: usize = 24;
    let world = world();
    let stopped = world.fork(world.fork(world.init));
    world.setpgid(stopped, 0, 0).expect("setpgid");
    world
        .kill(Kill::Outside(stopped), libc::SIGSTOP)
        .expect("kill");
    let groups = (0..GROUPS).map(|_| {
        let leader = world.fork(world.init);
        world.setpgid(leader, 0, 0).expect("setpgid");
        let members = children(&world, leader, many() / 5);
        world.end(leader, 0);
        members
    });
    let groups: Vec<Vec<TaskId>> = groups.collect();
    for round in 0..20 {
        for group in &groups {
            world.end(group[round], 0);
        }
    }
    are_bounded(&world);
    // In each somebody stops, and somebody exits: all are told.
    for group in &groups {
        world
            .kill(Kill::Outside(group[30]), libc::SIGSTOP)
            .expect("kill");
        world.end(group[31], 0);
        assert_eq!(world.state_of(group[30]), Some(TaskState::Zombie));
    }
    assert_eq!(world.state_of(stopped), Some(TaskState::Stopped));
    are_bounded(&world);
}

/// A job of many, all stopped, loses its shell; the last that is looked at is who has a parent that
/// controls it, or nobody has.
#[test]
fn a_shell_of_a_stopped_job_dies() {
    for is_controlled in [false, true] {
        let world = world();
        let shell = world.fork(world.init);
        world.setsid(shell).expect("setsid");
        let other = world.fork(shell);
        let members = job(&world, shell, many());
        let group = world.own_pid(members[0]);
        if is_controlled {
            let last = world.born(other, &CloneArgs::new());
            world.setpgid(last, 0, group).expect("setpgid");
        }
        world
            .kill(Kill::Pid(shell, -group), libc::SIGSTOP)
            .expect("kill");
        for &member in &members[..50] {
            world
                .kill(Kill::Outside(member), libc::SIGKILL)
                .expect("kill");
        }
        world.end(shell, 0);
        let expected = if is_controlled {
            TaskState::Stopped
        } else {
            TaskState::Zombie
        };
        world.all_are(expected, &members[50..]);
        are_bounded(&world);
    }
}

/// Of many children none is one that is waited for: they are in another process group, send another
/// signal, or are another thread's. Meanwhile others come and go, so that no answer is final.
#[test]
fn children_that_are_not_waited_for() {
    let world = world();
    let parent = world.fork(world.init);
    let crowd = job(&world, parent, many());
    let other = world.fork(parent);
    world.setpgid(other, 0, 0).expect("setpgid");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = AtTheEnd(&done);
        scope.spawn(|| {
            while !done.load(Relaxed) {
                world.end(world.fork(world.init), 0);
            }
        });
        for round in 0..200 {
            let nr = world.own_pid(other);
            let (pid, options) = [(-nr, WNOHANG), (nr, WNOHANG)][round % 2];
            assert_eq!(world.wait(parent, pid, options), Ok(None));
            let none = world.wait(parent, -1, WNOHANG | WCLONE);
            assert_eq!(none.expect_err("of no kind").errno, Errno::CHILD);
        }
        let nr = world.own_pid(other);
        let sleeper = Sleeper::new(scope, &world, parent, -nr, WaitFlags::empty());
        for &child in &crowd[1..500] {
            world
                .kill(Kill::Outside(child), libc::SIGKILL)
                .expect("kill");
        }
        assert!(sleeper.settles(), "those were others");
        world.exit_group(other, 3).expect("exit_group");
        let waited = sleeper.result().expect("wait4").expect("a child");
        assert_eq!((waited.task, waited.status), (other, exited(3)));
    });
    are_bounded(&world);
}

/// Children that vanish, that nobody in the world waits for, and zombies, in numbers, lose their
/// parent.
#[test]
fn children_of_every_kind_lose_their_parent() {
    let world = world();
    let parent = world.fork(world.init);
    let thread = world.thread(parent);
    let kinds = [
        CloneArgs::new(),
        CloneArgs::new().exit_signal(0),
        CloneArgs::new().flags(CloneFlags::AUTOREAP).exit_signal(0),
        CloneArgs::new().parent(Parent::Outside),
    ];
    for kind in &kinds {
        let all = born(&world, parent, kind, many() / 2);
        for &task in &all[..many() / 4] {
            world.exit_group(task, 0).expect("exit_group");
        }
        born(&world, thread, kind, many() / 4);
    }
    // First to another thread, then to the world's init.
    world.exit(parent, 0).expect("exit");
    are_bounded(&world);
    world.end_by(thread, 0);
    are_bounded(&world);
    world
        .kill(Kill::Pid(world.init, -1), libc::SIGKILL)
        .expect("kill");
    all_dead_but(&world, 1);
    are_bounded(&world);
}

/// Two numbers in use with millions free between them: who looks for the next one does not go through
/// them in one hold.
#[test]
fn few_numbers_far_apart() {
    let world = world();
    let first = world.fork(world.init);
    for nr in (500_000..4_000_000).step_by(500_000) {
        world.set_last_pid(world.root, nr).expect("ns_last_pid");
        world.fork(first);
    }
    for signal in [0, libc::SIGCONT, libc::SIGKILL] {
        world.kill(Kill::Pid(first, -1), signal).expect("kill");
    }
    all_dead_but(&world, 2);
    are_bounded(&world);
}

/// While a large process tree dies, a small process exits and its parent's wait returns, again and
/// again: neither does the work of the other.
#[test]
fn a_large_exit_beside_small_ones() {
    let world = world();
    // Odd while a large exit is under way.
    let phase = AtomicU64::new(0);
    let inside = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = AtTheEnd(&done);
        let (world, phase, inside, done) = (&world, &phase, &inside, &done);
        scope.spawn(move || {
            let parent = world.fork(world.init);
            while !done.load(Relaxed) {
                let child = world.fork(parent);
                let before = phase.load(Relaxed);
                world.exit_group(child, 1).expect("exit_group");
                let waited = world.wait(parent, -1, WaitFlags::empty()).expect("wait4");
                assert_eq!(waited.expect("a child").task, child);
                let is_inside = before % 2 == 1 && phase.load(Relaxed) == before;
                inside.fetch_add(is_inside.into(), Relaxed);
            }
        });
        let mut count = many() / 2;
        eventually("a small exit while a large one is under way", || {
            // So large that one fits in, however slow the machine is.
            count = (count * 2).min(many() * 16);
            // Its children go with it.
            let (large, _) = world.container(world.init);
            for thread in threads(world, large, 10) {
                children(world, thread, count);
            }
            phase.fetch_add(1, Relaxed);
            world.exit_group(large, 0).expect("exit_group");
            phase.fetch_add(1, Relaxed);
            inside.load(Relaxed) > 0
        });
    });
    are_bounded(&world);
}

/// Two threads of a process exit, the second while the first still hands on its children. Who gets them is
/// found out then, and not by what was known before an ancestor became a subreaper.
#[test]
fn orphans_of_two_threads_that_exit() {
    let world = world();
    let outer = subreaper(&world);
    let parent = world.fork(world.fork(outer));
    let leader = world.fork(parent);
    let thread = world.thread(leader);
    // Looks for a subreaper above: only the outer one is.
    let child = world.fork(leader);
    world.fork(child);
    world.exit_group(child, 0).expect("exit_group");
    world.set_child_subreaper(parent, true).expect("prctl");
    let orphans = children(&world, thread, 20 * many());
    thread::scope(|scope| {
        let exit = |task| world.exit(task, 0).expect("exit");
        let first = scope.spawn(move || exit(thread));
        while world.state_of(thread) == Some(TaskState::Running) {
            thread::yield_now();
        }
        exit(leader);
        first.join().expect("an exit");
    });
    for orphan in orphans {
        assert_eq!(world.parent_of(orphan), Some(parent));
    }
    are_bounded(&world);
}
