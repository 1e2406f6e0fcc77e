// SPDX-License-Identifier: GPL-2.0

//! Crowds of something under one lock: the kernel says so when it is held for too long (soft
//! lockups, RCU stalls), which fails the run.

use altpid::{Disposition, Kill, Mask, SigSet};
use altpid_device_tests::Fixture;
use rustix::io::Errno;

/// As many signals wait as there can, in the worst order, and are taken at once. It took three
/// seconds when there could be four times as many.
#[test]
fn every_signal_that_can_wait() {
    let world = Fixture::new();
    let task = world.fork(world.init);
    for signal in 34..=64 {
        world
            .sigaction(task, signal, Some(Disposition::Handler.into()))
            .expect("sigaction");
    }
    world
        .sigprocmask(task, Mask::Set, SigSet::ALL)
        .expect("sigprocmask");
    let pid = world.own_pid(task);
    let (mut sent, mut refused) = (0, 0);
    for signal in (34..=64).rev() {
        for _ in 0..200 {
            match world.kill(Kill::Queue(world.init, pid, -1, 1), signal) {
                Ok(()) => sent += 1,
                Err(error) => {
                    assert_eq!(error.errno, Errno::AGAIN);
                    refused += 1;
                }
            }
        }
    }
    world
        .sigprocmask(task, Mask::Set, SigSet::from_bits(0))
        .expect("sigprocmask");
    assert!(refused > 0, "there is a limit");
    assert_eq!(
        u64::from(world.signals(task).expect("signals").received),
        sent
    );
}
