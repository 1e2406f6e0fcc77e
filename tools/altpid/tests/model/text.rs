// SPDX-License-Identifier: GPL-2.0

//! Trees by hand: a line for each task.

use altpid::{
    NsState,
    snapshot::{Comm, Namespace, Snapshot, Task, VERSION},
};

/// Reads a vector, outermost number first. `=` stands for the task's own numbers, and `.` for none.
fn vector(word: &str, own: &[i32]) -> Vec<i32> {
    match word {
        "=" => own.to_vec(),
        "." => vec![0; own.len()],
        _ => word
            .split('/')
            .map(|nr| nr.parse().expect("a number"))
            .collect(),
    }
}

/// A snapshot whose namespaces, after that at level 0, have the parents `above`. A line of `text` is
/// a task: `PID TGID PGID SID PPID`, then any of `@NS`, `>NS_FOR_CHILDREN`, `Z` (zombie), `T` (stopped), `t`
/// (traced), `I` (exiting) and a name.
///
/// ```text
/// 1      =  =      =      0
/// 100    =  =      =      1
/// 101    =  100    100    100  >1
/// 102/1  =  100/0  100/0  101  @1  Z  sh
/// ```
pub fn tree(above: &[usize], text: &str) -> Snapshot {
    let mut namespaces = vec![Namespace {
        parent: None,
        level: 0,
        inode: Some(4026531836),
        state: NsState::Active,
    }];
    for (i, &parent) in above.iter().enumerate() {
        namespaces.push(Namespace {
            parent: Some(parent),
            level: namespaces[parent].level + 1,
            inode: Some(4026532000 + i as u64),
            state: NsState::Active,
        });
    }
    let tasks = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| !words.is_empty())
        .map(|words| {
            let pid = vector(words[0], &[]);
            let mut task = Task {
                tgid: vector(words[1], &pid),
                pgid: vector(words[2], &pid),
                sid: vector(words[3], &pid),
                ppid: words[4].parse().expect("the number of the parent"),
                ns: 0,
                ns_for_children: None,
                state: 'S',
                exiting: false,
                comm: Comm::Text(format!("t{}", pid[0])),
                pid,
            };
            for word in &words[5..] {
                match word.split_at(1) {
                    ("@", ns) => task.ns = ns.parse().expect("a namespace"),
                    (">", ns) => task.ns_for_children = Some(ns.parse().expect("a namespace")),
                    ("Z" | "T" | "t", "") => task.state = word.chars().next().unwrap_or('?'),
                    ("I", "") => (task.state, task.exiting) = ('I', true),
                    _ => task.comm = Comm::Text((*word).into()),
                }
            }
            task
        })
        .collect();
    let mut snapshot = Snapshot {
        version: VERSION,
        kernel: "7.3.0".into(),
        pid_max: Some(32768),
        last_pid: Some(1000),
        namespaces,
        tasks,
    };
    for ns in 1..snapshot.namespaces.len() {
        snapshot.namespaces[ns].state = state_of(&snapshot, ns);
    }
    snapshot
}

/// Where a namespace is in its life: dying when its init is exiting, and awaiting its init when
/// nobody is in it.
fn state_of(snapshot: &Snapshot, ns: usize) -> NsState {
    let mut inside = snapshot.tasks.iter().filter(|task| task.ns == ns);
    if inside.clone().next().is_none() {
        return NsState::AwaitingInit;
    }
    match inside.any(|task| task.exiting && task.tgid.ends_with(&[1])) {
        true => NsState::Dying,
        false => NsState::Active,
    }
}
