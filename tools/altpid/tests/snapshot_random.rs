// SPDX-License-Identifier: GPL-2.0

//! Snapshots with anything in them: written and read again, and broken.

mod model;

use altpid::{
    NsState,
    snapshot::{Comm, Namespace, Snapshot, Task},
};
use model::text::tree;
use proptest::{collection::vec, option, prelude::*};

fn task() -> impl Strategy<Value = Task> {
    let numbers = || vec(any::<i32>(), 0..4);
    (
        (numbers(), numbers(), numbers(), numbers()),
        (any::<i32>(), any::<usize>(), option::of(any::<usize>())),
        (any::<char>(), any::<bool>()),
        vec(any::<u8>(), 0..16),
    )
        .prop_map(
            |((pid, tgid, pgid, sid), (ppid, ns, children), (state, exiting), comm)| Task {
                pid,
                tgid,
                pgid,
                sid,
                ppid,
                ns,
                ns_for_children: children,
                state,
                exiting,
                comm: Comm::new(&comm),
            },
        )
}

fn state() -> impl Strategy<Value = NsState> {
    prop::sample::select(vec![
        NsState::AwaitingInit,
        NsState::Active,
        NsState::Dying,
        NsState::Dead,
    ])
}

fn comm() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..16),
        vec(
            prop::sample::select(&b"()\"'\\\n\t\r \0{}[],:/\xff\xc3\xa9a"[..]),
            0..16
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// What is written is read as it was, whatever it is.
    #[test]
    fn nothing_is_lost(
        kernel in ".*",
        last_pid in option::of(any::<i32>()),
        pid_max in option::of(any::<i32>()),
        namespaces in vec(
            (option::of(any::<usize>()), any::<usize>(), option::of(any::<u64>()), state()),
            0..4
        ),
        tasks in vec(task(), 0..8),
    ) {
        let namespaces = namespaces
            .into_iter()
            .map(|(parent, level, inode, state)| Namespace { parent, level, inode, state })
            .collect();
        let snapshot = Snapshot { version: 1, kernel, pid_max, last_pid, namespaces, tasks };
        let text = snapshot.to_json();
        let again: Snapshot = serde_json::from_str(&text).expect("it is JSON");
        prop_assert_eq!(&again, &snapshot);
        // A line for each.
        let rows = snapshot.namespaces.len() + snapshot.tasks.len();
        let frames = [snapshot.namespaces.is_empty(), snapshot.tasks.is_empty()];
        let frames = frames.iter().filter(|empty| !**empty).count();
        prop_assert_eq!(text.lines().count(), 8 + rows + frames);
    }

    #[test]
    fn names_of_any_bytes(names in vec(comm(), 1..6)) {
        let mut snapshot = tree(&[], "1 = = = 0");
        for (i, name) in names.iter().enumerate() {
            let mut task = snapshot.tasks[0].clone();
            task.pid = vec![10 + i as i32];
            (task.tgid, task.ppid) = (task.pid.clone(), 1);
            task.comm = Comm::new(name);
            snapshot.tasks.push(task);
        }
        let again = Snapshot::parse(snapshot.to_json().as_bytes());
        let again = again.map_err(|problem| TestCaseError::fail(problem.to_string()))?;
        for (task, name) in again.tasks[1..].iter().zip(&names) {
            prop_assert_eq!(task.comm.as_bytes(), &name[..]);
            prop_assert!(!task.comm.to_string().contains(char::is_control));
        }
    }

    /// Whatever is read, it is refused or taken, and never a panic.
    #[test]
    fn broken_files_are_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut file = tree(&[0], "1 = = = 0\n 5/1 = = = 1 @1").to_json().into_bytes();
        let at = at.index(file.len());
        file[at] = byte;
        if let Ok(snapshot) = Snapshot::parse(&file) {
            prop_assert_eq!(snapshot.check(), Ok(()));
        }
        // What is cut off before its last brace.
        file.truncate(at.min(file.len() - 2));
        prop_assert!(Snapshot::parse(&file).is_err());
    }
}
