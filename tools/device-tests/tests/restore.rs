// SPDX-License-Identifier: GPL-2.0

//! Snapshots that come alive: on the device every tree must come out as the model of the tools'
//! own tests says.

#[path = "../../altpid/tests/model/mod.rs"]
mod model;

use altpid::{
    World,
    restore::{Verdict, restore},
    snapshot::Snapshot,
};
use altpid_device_tests::Fixture;
use model::{perform::normal, text::tree, trees::TREES};
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
