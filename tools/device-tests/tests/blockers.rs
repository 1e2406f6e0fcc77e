// SPDX-License-Identifier: GPL-2.0

//! What keeps a namespace from going.

use altpid::{Blocker, NsState};
use altpid_device_tests::{Fixture, figures::scaled};

#[test]
fn what_keeps_a_namespace() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let holder = world.fork(world.init);
    let count = scaled(2000);
    let injected: Vec<_> = (0..count).map(|_| world.inject(holder, ns)).collect();
    for &task in &injected {
        world.exit_group(task, 0).expect("exit");
    }
    world.setns(holder, ns).expect("setns");
    world.exit_group(init, 0).expect("exit");
    // Dying: each zombie, who should reap it, and who else points there.
    let mut expected: Vec<_> = (2..)
        .zip(&injected)
        .map(|(nr, &task)| Blocker::Zombie {
            nr,
            task,
            waits_for: Some(holder),
        })
        .collect();
    expected.push(Blocker::ForChildren { task: holder });
    assert_eq!(world.blockers(ns).expect("list"), expected);
    for _ in &injected {
        world.reap(holder);
    }
    assert_eq!(world.reap(world.init).task, init);
    let held = vec![Blocker::ForChildren { task: holder }];
    assert_eq!(world.blockers(ns).expect("list"), held);
    assert_eq!(world.ns(ns).expect("ns").state, NsState::Dead);
    world.setns(holder, world.root).expect("setns");
    assert!(!world.has_ns(ns));
}
