// SPDX-License-Identifier: GPL-2.0

//! Plans for random trees: each is grown by a random history on one model of the device, and its
//! plan must grow the same one on another.

mod model;

use altpid::{CloneFlags, NsState, snapshot::Snapshot};
use model::{
    INIT, Model, Parent, TaskNr,
    perform::{normal, rebuild},
};
use proptest::{
    collection::vec, prelude::*, sample::Index, strategy::ValueTree, test_runner::RngSeed,
};
use std::cell::Cell;

/// Something that happens; what cannot is left out of the history.
#[derive(Clone, Debug)]
enum Step {
    Clone(Index, CloneFlags),
    Inject(Index),
    SetNs(Index, Index),
    SetSid(Index),
    /// A task founds a process group, or joins that of the number of another.
    SetPgid(Index, Option<Index>),
    /// A task puts its child into the process group of the number of another.
    PutPgid(Index, Index, Index),
    Exit(Index, bool),
    /// Somebody reaps a child.
    Reap(Index, Index),
    SetName(Index, Vec<u8>),
}

fn flags() -> impl Strategy<Value = CloneFlags> {
    prop_oneof![
        6 => Just(CloneFlags::empty()),
        2 => Just(CloneFlags::THREAD),
        2 => Just(CloneFlags::NEWPID),
        1 => Just(CloneFlags::PARENT),
        1 => Just(CloneFlags::PARENT | CloneFlags::NEWPID),
        1 => Just(CloneFlags::AUTOREAP),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    prop_oneof![
        8 => (index(), flags()).prop_map(|(who, flags)| Step::Clone(who, flags)),
        1 => index().prop_map(Step::Inject),
        2 => (index(), index()).prop_map(|(who, ns)| Step::SetNs(who, ns)),
        2 => index().prop_map(Step::SetSid),
        2 => index().prop_map(|who| Step::SetPgid(who, None)),
        3 => (index(), index()).prop_map(|(who, to)| Step::SetPgid(who, Some(to))),
        3 => (index(), index(), index()).prop_map(|(who, child, to)| Step::PutPgid(who, child, to)),
        3 => (index(), any::<bool>()).prop_map(|(who, whole)| Step::Exit(who, whole)),
        2 => (index(), index()).prop_map(|(who, child)| Step::Reap(who, child)),
        1 => (index(), vec(1u8.., 0..20)).prop_map(|(who, name)| Step::SetName(who, name)),
    ]
}

/// Lets a step happen; whether it could.
fn happen(model: &mut Model, step: &Step) -> bool {
    let alive: Vec<TaskNr> = model
        .tasks
        .iter()
        .filter(|(_, task)| task.is_alive)
        .map(|(&task, _)| task)
        .collect();
    let who = |index: &Index| *index.get(&alive);
    // The number that stands for the group of a process, as a task sees it.
    let group = |model: &Model, who: TaskNr, of: TaskNr| {
        let pgid = model.groups[&model.tasks[&of].group].pgid;
        pgid.map_or(0, |pgid| model.nr(pgid, model.tasks[&who].ns))
    };
    let result = match step {
        Step::Clone(by, flags) => model.clone(who(by), *flags, &[], Parent::Native).map(drop),
        Step::Inject(ns) => model.inject(ns.index(model.spaces.len())).map(drop),
        Step::SetNs(by, ns) => model.setns(who(by), ns.index(model.spaces.len())),
        Step::SetSid(by) => model.setsid(who(by)),
        Step::SetPgid(by, None) => model.setpgid(who(by), 0, 0),
        Step::SetPgid(by, Some(to)) => {
            let pgid = group(model, who(by), who(to));
            model.setpgid(who(by), 0, pgid)
        }
        Step::PutPgid(by, child, to) => {
            let by = who(by);
            let children = model.children(model.tasks[&by].group);
            if children.is_empty() {
                return false;
            }
            let child = model.groups[child.get(&children)].tgid;
            let pgid = group(model, by, who(to));
            model.setpgid(by, model.nr(child, model.tasks[&by].ns), pgid)
        }
        Step::Exit(by, whole) => model.exit(who(by), *whole),
        Step::Reap(by, child) => {
            let children = model.children(model.tasks[&who(by)].group);
            if children.is_empty() {
                return false;
            }
            model.reap(*child.get(&children))
        }
        Step::SetName(by, name) => model.set_name(who(by), name),
    };
    result.is_ok()
}

/// What a tear does to a task, with another one.
#[derive(Clone, Copy, Debug)]
enum Tear {
    Lose,
    Dies,
    Parent,
    Pgid,
    Sid,
}

impl Arbitrary for Tear {
    type Parameters = ();
    type Strategy = prop::sample::Select<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop::sample::select(vec![
            Self::Lose,
            Self::Dies,
            Self::Parent,
            Self::Pgid,
            Self::Sid,
        ])
    }
}

/// Whether somebody was put into a process group that they cannot see, by a parent that has left the
/// session since: a plan for that may be refused.
fn is_strange(tree: &Snapshot) -> bool {
    tree.tasks.iter().any(|task| {
        let parent = tree.tasks.iter().find(|t| t.pid[0] == task.ppid);
        task.pgid[0] != 0
            && task.pgid.last() == Some(&0)
            && parent.is_none_or(|parent| parent.sid[0] != task.sid[0])
    })
}

/// The tree that a history leads to.
fn grow(pid_max: i32, last_pid: i32, history: &[Step]) -> Snapshot {
    let mut model = Model::new();
    let set = model
        .set_sysctl(0, true, pid_max)
        .and_then(|()| model.set_sysctl(0, false, last_pid.min(pid_max)));
    assert_eq!(set, Ok(()));
    assert!(model.alive(INIT).is_ok());
    for step in history {
        happen(&mut model, step);
    }
    model.snapshot()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Default::default() })]

    #[test]
    fn plans_build_random_trees(
        pid_max in prop_oneof![Just(301), Just(400), Just(32768), Just(4194304)],
        last_pid in prop_oneof![Just(0), 0..40000],
        history in vec(step(), 0..90),
    ) {
        let wanted = grow(pid_max, last_pid, &history);
        prop_assert_eq!(wanted.check(), Ok(()));
        let again = Snapshot::parse(wanted.to_json().as_bytes());
        prop_assert_eq!(again.as_ref(), Ok(&wanted));
        match rebuild(&wanted) {
            Ok(found) => prop_assert_eq!(found, normal(&wanted)),
            Err(error) => prop_assert!(is_strange(&wanted), "{}\n{}", error, wanted.to_json()),
        }
    }

    /// A tree in which something was changed is refused, or built all the same: what passes `check`
    /// and can be planned never fails half way.
    #[test]
    fn plans_for_torn_trees_never_fail_half_way(
        history in vec(step(), 0..90),
        tears in vec((any::<Tear>(), any::<Index>(), any::<Index>()), 1..4),
    ) {
        let mut torn = grow(32768, 0, &history);
        for (tear, one, other) in tears {
            if torn.tasks.is_empty() {
                break;
            }
            let other = other.get(&torn.tasks).clone();
            let one = one.index(torn.tasks.len());
            let task = &mut torn.tasks[one];
            match tear {
                Tear::Lose => drop(torn.tasks.remove(one)),
                Tear::Dies => (task.state, task.ns_for_children) = ('Z', None),
                Tear::Parent => task.ppid = other.tgid[0],
                Tear::Pgid => task.pgid = other.pgid,
                Tear::Sid => task.sid = other.sid,
            }
        }
        // A thread does not stay as a zombie, and nor does whom nobody can reap.
        torn.tasks.retain(|t| t.is_leader() || !t.is_zombie());
        for i in 0..torn.tasks.len() {
            let task = &torn.tasks[i];
            let alone = torn.tasks.iter().filter(|t| t.tgid == task.tgid).count() == 1;
            if task.is_leader() && task.ppid == 0 && alone {
                torn.tasks[i].state = 'S';
            }
        }
        for ns in &mut torn.namespaces {
            ns.state = NsState::Active;
        }
        torn.note_dying();
        if torn.check().is_ok() && altpid::plan::plan(&torn).is_ok() {
            match rebuild(&torn) {
                Ok(found) => prop_assert_eq!(found, normal(&torn)),
                Err(error) => prop_assert!(false, "{}\n{}", error, torn.to_json()),
            }
        }
    }
}

/// The histories are not idle: most steps can happen, and the trees have everything in them that
/// makes planning hard.
#[test]
fn random_trees_are_worth_it() {
    let counts: [Cell<usize>; 7] = Default::default();
    let count = |i: usize, add: bool| counts[i].set(counts[i].get() + usize::from(add));
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..200 {
        let history = vec(step(), 60..90)
            .new_tree(&mut runner)
            .expect("a history")
            .current();
        let tree = grow(32768, 0, &history);
        let is_there = |nr: i32| {
            tree.tasks
                .iter()
                .any(|t| t.is_leader() && t.root_pid() == nr)
        };
        let some = |f: &dyn Fn(&altpid::snapshot::Task) -> bool| tree.tasks.iter().any(f);
        count(0, tree.tasks.len() >= 10);
        count(1, tree.namespaces.iter().any(|ns| ns.level >= 3));
        count(2, some(&|t| !t.is_leader()));
        count(3, some(&|t| t.is_zombie()));
        count(4, some(&|t| t.pgid[0] != 0 && !is_there(t.pgid[0])));
        count(5, some(&|t| t.sid[0] != 0 && !is_there(t.sid[0])));
        count(6, some(&|t| t.ns != 0 && t.ppid == 0));
    }
    let counts = counts.map(Cell::into_inner);
    assert!(counts.iter().all(|&n| n >= 5), "{counts:?} of 200");
}
