// SPDX-License-Identifier: GPL-2.0

//! Snapshots that come alive: on the device every tree must come out as the model of the tools'
//! own tests says.

#[path = "../../altpid/tests/model/mod.rs"]
mod model;

use altpid::{
    Blocker, CloneArgs, CloneFlags, NsId, NsState, World,
    restore::{Restored, Verdict, conflicts, restore, restore_in},
    snapshot::Snapshot,
    view::View,
};
use altpid_device_tests::{Fixture, State};
use model::{perform::normal, text::tree, trees::TREES};
use rustix::{fd::AsFd, io::Errno};
use std::fmt::Write;

fn world() -> World {
    World::open().expect("/dev/altpid: is the module loaded?")
}

/// Restores a tree, compares it with its snapshot, and reads it back as one.
#[track_caller]
fn live_again(name: &str, snapshot: &Snapshot) -> Verdict {
    assert_eq!(snapshot.check(), Ok(()), "{name}");
    let restored = match restore(world(), snapshot, |_, _| ()) {
        Ok(restored) => restored,
        Err(error) => panic!("{name}: {error:#}"),
    };
    let verdict = restored.verify(snapshot).expect("the world can be read");
    assert_eq!(verdict.mismatches, <[&str; 0]>::default(), "{name}");
    let mut found = normal(&restored.snapshot().expect("the world can be read"));
    // The world has an init in any case.
    if snapshot.tasks.iter().all(|task| task.root_pid() != 1) {
        found.tasks.retain(|task| task.root_pid() != 1);
    }
    // A dead process that nobody waits for stays alive.
    let mut wanted = normal(snapshot);
    for task in &mut wanted.tasks {
        if task.ppid == 0 && task.is_zombie() {
            let found = found.tasks.iter().find(|found| found.pid == task.pid);
            task.state = found.expect("the task is there").state;
        }
    }
    assert_eq!(found, wanted, "{name}");
    verdict
}

#[test]
fn trees_live_again() {
    for (name, above, text) in TREES {
        live_again(name, &tree(above, text));
    }
}

#[test]
fn in_any_order() {
    for (name, above, text) in TREES {
        let mut snapshot = tree(above, text);
        snapshot.tasks.reverse();
        live_again(name, &snapshot);
    }
}

/// Every level that there is, with another number at each.
#[test]
fn thirty_three_levels() {
    let mut text = String::from("1 = = = 0\n");
    for level in 1..=32 {
        let numbers: Vec<_> = (0..level)
            .map(|i| (500 - 10 * i + level).to_string())
            .collect();
        let parent = if level == 1 { 1 } else { 500 + level - 1 };
        writeln!(text, "{}/1 = = = {parent} @{level}", numbers.join("/")).expect("a string");
    }
    let above: Vec<usize> = (0..32).collect();
    let verdict = live_again("deep", &tree(&above, &text));
    // Four vectors of 1 + 2 + … + 33 numbers, and the parent of each task.
    assert_eq!(verdict.numbers, 4 * (33 * 34 / 2) + 33);
}

/// Restores a snapshot, and says what was noted, after a comparison that found nothing else.
#[track_caller]
fn notes_of(snapshot: &Snapshot) -> (Restored, Vec<String>) {
    assert_eq!(snapshot.check(), Ok(()));
    let restored = restore(world(), snapshot, |_, _| ()).expect("restoring");
    let verdict = restored.verify(snapshot).expect("the world can be read");
    assert_eq!(
        verdict.mismatches,
        Vec::<String>::new(),
        "{:?}",
        restored.notes
    );
    let notes = restored.notes.clone();
    (restored, notes)
}

/// A namespace that is dying is dying again, and what keeps it is the same; so are those that await
/// their init and those that are dead. Reading the world back gives the snapshot again.
#[test]
fn namespaces_in_every_state() {
    let mut wanted = tree(
        &[0, 0, 0, 2],
        "1 = = = 0
         10/1 = = = 1 @1 I
         11 = = = 1 >1
         12/2 = . . 11 @1 Z
         13 = = = 1 >2
         14 = = = 1 >3
         15 = = = 1 >4
         16 = = = 1 >4",
    );
    wanted.namespaces[2].state = NsState::Dead;
    wanted.namespaces[4].state = NsState::Dead;
    let (restored, notes) = notes_of(&wanted);
    assert_eq!(notes, Vec::<String>::new());
    let again = restored.snapshot().expect("the world can be read");
    let key = |snapshot: &Snapshot| {
        let spaces = snapshot.namespaces.iter();
        let mut spaces: Vec<_> = spaces.map(|ns| (ns.level, ns.inode, ns.state)).collect();
        spaces.sort_by_key(|(level, inode, _)| (*level, *inode));
        spaces
    };
    assert_eq!(key(&again), key(&wanted));
    let states = |snapshot: &Snapshot| {
        let tasks = snapshot.tasks.iter();
        let children = |ns: usize| snapshot.namespaces[ns].inode;
        let about = tasks.map(|task| {
            (
                task.root_pid(),
                task.exiting,
                task.ns_for_children.map(children),
            )
        });
        about.collect::<Vec<_>>()
    };
    assert_eq!(states(&again), states(&wanted));
    // The one to ask why is the same namespace as in the snapshot.
    let (view, world) = (View::of_snapshot(&wanted), &restored.world);
    let inode = wanted.namespaces[1].inode.expect("an inode");
    let (id, _) = restored
        .inodes()
        .iter()
        .find(|(_, known)| **known == inode)
        .expect("the namespace");
    let seen: Vec<_> = view.blockers(NsId(inode)).iter().map(kind).collect();
    let found = world.blockers(*id).expect("blockers");
    let found: Vec<_> = found.iter().map(kind).collect();
    assert_eq!(found, seen);
    assert_eq!(found, ["zombie 2", "for children"]);
}

/// What keeps a namespace, by kind and number.
fn kind(blocker: &Blocker) -> String {
    match blocker {
        Blocker::Alive { nr, .. } => format!("alive {nr}"),
        Blocker::Zombie { nr, .. } => format!("zombie {nr}"),
        Blocker::Number { nr, .. } => format!("number {nr}"),
        Blocker::ForChildren { .. } => "for children".into(),
        Blocker::Namespace { .. } => "below".into(),
        Blocker::Pidfd { nr, .. } => format!("pidfd {nr}"),
    }
}

/// A snapshot says what keeps its namespaces as the module does of the world made of it.
#[test]
fn a_snapshot_knows_what_keeps_its_namespaces() {
    for (name, above, text) in TREES {
        let snapshot = tree(above, text);
        let restored = restore(world(), &snapshot, |_, _| ()).expect("restoring");
        let again = restored.snapshot().expect("the world can be read");
        let view = View::of_snapshot(&again);
        for (&id, &inode) in restored.inodes() {
            let found = restored.world.blockers(id).expect("blockers");
            let mut found: Vec<_> = found.iter().map(kind).collect();
            let mut seen: Vec<_> = view.blockers(NsId(inode)).iter().map(kind).collect();
            found.sort();
            seen.sort();
            assert_eq!(seen, found, "{name}, namespace {inode}");
        }
    }
}

/// Stopped is stopped again; what a world has no form for is named.
#[test]
fn what_is_stopped_and_what_cannot_be() {
    let wanted = tree(
        &[0],
        "1 = = = 0
         10 = = = 1 T
         11 10 10 10 1 T
         12 = = = 1 t traced
         20/1 = = = 1 @1 I
         21/2 = = = 20 @1 doomed
         30 = = = 1 >1
         31/3 = . . 30 @1 Z
         32/4 = . . 20 @1 Z reaped",
    );
    let (restored, notes) = notes_of(&wanted);
    let expected = [
        "task 21/2 (doomed): alive in a namespace that is dying, it is killed",
        "task 32/4 (reaped): its namespace is dying and its parent too, so that it is reaped",
        "task 12 (traced): a tracer has stopped it, and a world has none: it runs",
    ];
    assert_eq!(notes, expected);
    let again = restored.snapshot().expect("the world can be read");
    let state = |nr: i32| {
        again
            .tasks
            .iter()
            .find(|task| task.root_pid() == nr)
            .map(|task| task.state)
    };
    assert_eq!(
        [state(10), state(11), state(12)],
        [Some('T'), Some('T'), Some('S')]
    );
    assert_eq!([state(20), state(21), state(32)], [Some('I'), None, None]);
    assert_eq!(state(31), Some('Z'));
}

/// A difference in any of it is a mismatch.
#[test]
fn a_verdict_compares_everything() {
    let snapshot = tree(
        &[0],
        "1 = = = 0\n 10 = = = 1 T\n 11 = = = 1 >1\n 20/1 = = = 1 @1",
    );
    let restored = restore(world(), &snapshot, |_, _| ()).expect("restoring");
    let found = |change: &dyn Fn(&mut Snapshot)| {
        let mut other = snapshot.clone();
        change(&mut other);
        restored
            .verify(&other)
            .expect("the world can be read")
            .mismatches
    };
    assert_eq!(found(&|_| ()), Vec::<String>::new());
    for (change, wanted) in [
        (
            &(|s: &mut Snapshot| s.tasks[1].state = 'S') as &dyn Fn(&mut Snapshot),
            "task 10 (t10): it is stopped, was running",
        ),
        (
            &|s: &mut Snapshot| s.tasks[2].ns_for_children = None,
            "task 11 (t11): its children are born elsewhere",
        ),
        (
            &|s: &mut Snapshot| s.namespaces[1].state = NsState::Dying,
            "namespace 4026532000: it is active, was dying",
        ),
        (
            &|s: &mut Snapshot| s.pid_max = Some(400),
            "pid_max: it is 32768, was 400",
        ),
        (
            &|s: &mut Snapshot| s.last_pid = Some(7),
            "last_pid: it is 1000, was 7",
        ),
    ] {
        assert_eq!(found(change), [wanted]);
    }
}

/// A few containers with many processes each.
#[test]
fn ten_thousand_tasks() {
    const CONTAINERS: i32 = 20;
    const EACH: i32 = 500;
    let mut text = String::from("1 = = = 0\n");
    for c in 1..=CONTAINERS {
        let first = c * 1000;
        writeln!(text, "{first}/1 = = = 1 @{c}").expect("a string");
        for nr in 1..EACH {
            // Every tenth leads a session, the others are in that of the last one who does.
            let (pid, leader) = (first + nr, (nr / 10 * 10).max(1));
            let outer = if leader == 1 { first } else { first + leader };
            let (vector, parent) = if nr % 10 == 0 {
                ("=".to_owned(), first)
            } else {
                (format!("{outer}/{leader}"), outer)
            };
            let inner = if nr == 1 { 900 } else { nr };
            writeln!(text, "{pid}/{inner} = {vector} {vector} {parent} @{c}").expect("a string");
        }
    }
    let above = vec![0; CONTAINERS as usize];
    let verdict = live_again("many", &tree(&above, &text));
    assert_eq!(verdict.tasks, (CONTAINERS * EACH + 1) as usize);
    assert_eq!(verdict.namespaces, (CONTAINERS + 1) as usize);
}

/// A tree that no history can have led to: said, and the world goes with the error.
#[test]
fn nothing_is_left_of_what_fails() {
    let watch = Fixture::new();
    let strange = tree(&[], "1 = 5 5 0\n 5 = = = 1");
    for _ in 0..100 {
        assert!(restore(world(), &strange, |_, _| ()).is_err());
    }
    // Other tests have worlds too, but never so many.
    assert!(watch.info().expect("world").worlds < 100);
}

/// The world of a fixture once more.
fn duplicate(world: &Fixture) -> World {
    let fd = world.as_fd().try_clone_to_owned().expect("dup");
    World::from_fd(fd).expect("a world")
}

/// Beside a process that has a number, and a namespace.
fn inhabited() -> Fixture {
    let world = Fixture::new();
    world.setsid(world.init).expect("setsid");
    world.born(world.init, &CloneArgs::new().set_tid(&[30_000]));
    let container = CloneArgs::new().flags(CloneFlags::NEWPID);
    world.born(world.init, &container.set_tid(&[1, 30_001]));
    world
}

#[test]
fn trees_live_beside_others() {
    let mut count = 0;
    for (name, above, text) in TREES {
        let (world, snapshot) = (inhabited(), tree(above, text));
        let before = State::of(&world);
        let found = conflicts(&world, &snapshot).expect("conflicts");
        assert_eq!(State::of(&world), before, "{name}: to ask has changed this");
        if !found.is_empty() {
            println!("{name}: {found:?}");
            continue;
        }
        let restored = restore_in(duplicate(&world), &snapshot, |_, _| ());
        let restored = restored.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let verdict = restored.verify(&snapshot).expect("the world can be read");
        assert_eq!(verdict.mismatches, <[&str; 0]>::default(), "{name}");
        count += 1;
    }
    assert!(count > TREES.len() / 2, "{count} of {}", TREES.len());
}

/// Whenever something comes in between, nothing is left of what was made until then.
#[test]
fn what_fails_beside_others_is_undone() {
    let text = "1 = = = 0\n 10 = = = 1\n 11 = 10 10 10\n 12 10 10 10 1\n 20/1 = = = 11 @1\n \
                21/2 = = = 20 @1\n 22/3/1 = = = 21 @2\n 23/4/2 = = = 22 @2 Z\n 40 = = = 1";
    let snapshot = tree(&[0, 1], text);
    assert_eq!(snapshot.check(), Ok(()));
    let mut failed = 0;
    for step in 0.. {
        let world = inhabited();
        let mut steps = 0;
        // The last one that is made finds its number taken.
        let before = State::of(&world);
        let mut thief = None;
        let result = restore_in(duplicate(&world), &snapshot, |done, all| {
            steps = all;
            if done == step {
                let steal = [40, 23, 22, 21, 20, 12, 11, 10].into_iter().find_map(|nr| {
                    World::clone(&world, world.init, &CloneArgs::new().set_tid(&[nr])).ok()
                });
                thief = steal.map(|cloned| cloned.task);
            }
        });
        if result.is_err() {
            let thief = thief.expect("who took the number");
            world.end(thief, 0);
            assert_eq!(State::of(&world), before, "step {step}");
            failed += 1;
        }
        if step > steps {
            break;
        }
    }
    assert!(failed > 5, "{failed}");
}

/// What stands in the way is all said, whatever it is.
#[test]
fn every_conflict_is_listed() {
    let world = inhabited();
    for nr in [10, 20] {
        world.born(world.init, &CloneArgs::new().set_tid(&[nr]));
    }
    world.set_pid_max(world.root, 31_000).expect("pid_max");
    let snapshot = tree(
        &[0],
        "1 = = = 0\n 10 = 20 20 1\n 15/1 = = = 1 @1\n 31500 = = = 1",
    );
    let found = conflicts(&world, &snapshot).expect("conflicts");
    let expected = [
        "task 10 (t10): number 10 is in use by 10 (init)",
        "task 31500 (t31500): number 31500 is not below pid_max, 31000",
        "the process group of task 10 (t10): number 20 is in use by 20 (init)",
    ];
    assert_eq!(found, expected);
    // One by one is what a system call says: the same.
    let error = world.clone(world.init, &CloneArgs::new().set_tid(&[10]));
    assert_eq!(error.expect_err("it is in use").errno, Errno::EXIST);
}
