// SPDX-License-Identifier: GPL-2.0

//! Snapshots whose namespaces are in states that do not fit.

mod model;

use altpid::{
    NsState,
    snapshot::{Namespace, Snapshot},
};
use model::text::tree;

/// What a namespace is said to be fits its init, and those without tasks are what somebody has for
/// children.
#[test]
fn states_of_namespaces() {
    let text = "1 = = = 0\n 10/1 = = = 1 @1 I\n 11 = = = 1 >1\n 12/2 = . . 11 @1 Z";
    let dying = tree(&[0], text);
    assert_eq!(dying.check(), Ok(()));
    // It is known by the init, in a file that does not say so.
    let mut old = dying.to_json();
    for said in [",\"state\":\"dying\"", ",\"exiting\":true"] {
        assert!(old.contains(said), "{old}");
        old = old.replace(said, "");
    }
    assert_eq!(Snapshot::parse(old.as_bytes()), Ok(dying.clone()));
    let problem = |change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = dying.clone();
        change(&mut snapshot);
        snapshot.check().expect_err("a problem").to_string()
    };
    assert_eq!(
        problem(&|s| s.tasks[1].exiting = false),
        "namespace 1: it is dying, and its init is not"
    );
    assert_eq!(
        problem(&|s| s.namespaces[1].state = NsState::Dead),
        "namespace 1: it is dead, and a task is in it"
    );
    let more = |state, above| Namespace {
        parent: Some(above),
        level: above + 1,
        inode: None,
        state,
    };
    assert_eq!(
        problem(&|s| s.namespaces.push(more(NsState::Dead, 0))),
        "namespace 2: it is dead, and no task has it for its children"
    );
    assert_eq!(
        problem(&|s| {
            s.namespaces.push(more(NsState::AwaitingInit, 0));
            s.namespaces.push(Namespace {
                parent: Some(2),
                level: 2,
                ..more(NsState::AwaitingInit, 0)
            });
            s.tasks[0].ns_for_children = Some(3);
        }),
        "namespace 3: it is awaiting init, and the one above is awaiting init"
    );
    assert_eq!(
        problem(&|s| s.namespaces[1].inode = s.namespaces[0].inode),
        "namespace 1 has the inode of namespace 0"
    );
}
