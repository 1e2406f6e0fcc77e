// SPDX-License-Identifier: GPL-2.0

//! Plans, carried out on a model of the device: each gives exactly the tree that it is for.

mod model;

use altpid::{
    plan::{Op, Role, plan},
    snapshot::Snapshot,
};
use model::{
    perform::{normal, rebuild},
    text::tree,
    trees::TREES,
};

fn find(name: &str) -> Snapshot {
    let found = TREES.iter().find(|(other, ..)| *other == name);
    let (_, above, text) = found.expect("the tree is in the table");
    tree(above, text)
}

#[test]
fn plans_build_what_they_are_for() {
    for (name, above, text) in TREES {
        let wanted = tree(above, text);
        match rebuild(&wanted) {
            Ok(found) => assert_eq!(found, normal(&wanted), "{name}"),
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn plans_do_not_depend_on_the_order_of_tasks() {
    for (name, above, text) in TREES {
        let mut wanted = tree(above, text);
        wanted.tasks.reverse();
        match rebuild(&wanted) {
            Ok(found) => assert_eq!(found, normal(&wanted), "{name}"),
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn a_plan_is_the_same_each_time() {
    for (name, above, text) in TREES {
        let wanted = tree(above, text);
        assert_eq!(plan(&wanted), plan(&wanted), "{name}");
    }
}

/// A task at level 32, and one more beside it, in namespaces nested as deep as they can be.
#[test]
fn thirty_three_numbers() {
    let mut text = String::from("1 = = = 0\n");
    let mut numbers = Vec::new();
    for level in 1..=32 {
        numbers = (0..level).map(|i| 400 - 10 * i + level).collect();
        numbers.push(1);
        let vector: Vec<_> = numbers.iter().map(ToString::to_string).collect();
        let parent = if level == 1 { 1 } else { 400 + level - 1 };
        text += &format!("{} = = = {parent} @{level}\n", vector.join("/"));
    }
    let last = numbers.iter().map(|nr| (nr + 1).to_string());
    let last: Vec<_> = last.collect();
    text += &format!("{} = = = 432 @32\n", last.join("/"));
    text += &format!(
        "2{} 433{} 433{0} 433{0} 432 @32\n",
        "/3".repeat(32),
        "/0".repeat(0)
    );
    let above: Vec<usize> = (0..32).collect();
    let mut wanted = tree(&above, &text);
    // The second thread belongs to the process before it.
    let leader = wanted.tasks[33].clone();
    let thread = wanted.tasks.last_mut().expect("there are tasks");
    (thread.tgid, thread.pgid, thread.sid) =
        (leader.pid.clone(), leader.pgid.clone(), leader.sid.clone());
    assert_eq!(leader.pid.len(), 33);
    assert_eq!(rebuild(&wanted), Ok(normal(&wanted)));
}

#[test]
fn a_dead_process_of_an_outside_parent_stays_alive() {
    let mut wanted = tree(&[], "1 = = = 0\n 10 = . . 0 Z dead");
    let made = plan(&wanted).expect("it can be planned");
    assert_eq!(
        made.notes,
        ["task 10 (dead): a zombie whose parent is outside stays alive"]
    );
    let found = rebuild(&wanted).expect("it can be built");
    wanted.tasks[1].state = 'S';
    assert_eq!(found, normal(&wanted));
}

#[test]
fn a_missing_pid_1_is_noted() {
    let made = plan(&find("pid 1 missing")).expect("it can be planned");
    assert_eq!(
        made.notes,
        ["pid 1 is not in the snapshot; the world has one all the same"]
    );
    assert_eq!(made.cast[0], Role::Helper);
}

/// `kernel.pid_max` is put back where it was, and raised for the time of building only when numbers
/// or helpers need that.
#[test]
fn pid_max() {
    let first_and_all = |pid_max: i32, text: &str| {
        let mut wanted = tree(&[], text);
        (wanted.pid_max, wanted.last_pid) = (Some(pid_max), Some(pid_max));
        let ops = plan(&wanted).expect("it can be planned").ops;
        let set: Vec<_> = ops
            .into_iter()
            .filter_map(|op| match op {
                Op::PidMax(value) => Some(value),
                _ => None,
            })
            .collect();
        assert_eq!(rebuild(&wanted), Ok(normal(&wanted)), "pid_max {pid_max}");
        set
    };
    assert_eq!(first_and_all(400, "1 = = = 0"), [400]);
    assert_eq!(
        first_and_all(400, "1 = = = 0\n 390 = = = 1"),
        [4194304, 400]
    );
    // Lowered by somebody while a task had a higher number.
    assert_eq!(
        first_and_all(400, "1 = = = 0\n 999 = = = 1"),
        [4194304, 400]
    );
    assert_eq!(first_and_all(4194304, "1 = = = 0"), [4194304]);
}

/// What passes `check`, but no history of system calls leads to; or one that has no second chance:
/// here init put 3 into the group of 4, and founded its session after that.
#[test]
fn what_cannot_have_come_about() {
    let cases: &[(&[usize], &str, &str)] = &[
        (
            &[],
            "1 = 5 5 0\n 5 = = = 1",
            "task 1 (t1): the first task there is cannot be in a session of somebody else",
        ),
        (
            &[],
            "1 = = = 0\n 2 = 3 3 1\n 3 = = = 2",
            "task 2 (t2): no order was found in which its parent, session and process group come about",
        ),
        (
            &[0],
            "1 = = = 0\n 2 = 3 . 1\n 3/1 = 4/0 . 1 @1\n 4 = = . 1",
            "task 3/1 (t3): nobody can put it into its process group any more",
        ),
    ];
    for (above, text, message) in cases {
        let snapshot = tree(above, text);
        assert_eq!(snapshot.check(), Ok(()), "{message}");
        let problem = plan(&snapshot).expect_err(message);
        assert_eq!(problem.to_string(), *message);
    }
}

/// Helpers of namespaces make room for each other: as many as there are, a few numbers are enough.
#[test]
fn helpers_use_few_numbers() {
    let mut text = String::from("1 = = = 0\n 2/1 = = = 1 @1\n");
    // Each is init of a namespace below the first, and a child of somebody two levels up.
    for i in 0..200 {
        text += &format!("{}/{}/1 = = = 1 @{}\n", 10 + i, 10 + i, 2 + i);
    }
    let above: Vec<usize> = std::iter::once(0)
        .chain(std::iter::repeat_n(1, 200))
        .collect();
    let mut wanted = tree(&above, &text);
    wanted.pid_max = Some(301);
    wanted.last_pid = Some(300);
    assert_eq!(rebuild(&wanted), Ok(normal(&wanted)));
    let ops = plan(&wanted).expect("it can be planned").ops;
    assert_eq!(ops[0], Op::PidMax(301));
}
