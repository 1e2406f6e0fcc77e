// SPDX-License-Identifier: GPL-2.0

//! The module goes when nobody uses it, and not before.

use altpid_device_tests::{Fixture, module, sleeper::Sleeper};
use rustix::{
    event::{PollFd, PollFlags, epoll, poll},
    io::Errno,
};
use std::thread;

#[test]
fn it_stays_while_somebody_polls_and_goes_before_what_has_polled() {
    let set = epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll");
    let world = Fixture::new();
    let data = epoll::EventData::new_u64(1);
    epoll::add(&set, &*world, data, epoll::EventFlags::IN).expect("add");
    thread::scope(|scope| {
        let sleeper = Sleeper::of(scope, || {
            poll(&mut [PollFd::new(&*world, PollFlags::IN)], None)
        });
        assert_eq!(module::unload(), Err(Errno::AGAIN));
        world.fork(world.init);
        assert_eq!(sleeper.result(), Ok(1));
    });
    assert_eq!(module::unload(), Err(Errno::AGAIN));
    // The world goes with its descriptor, though the set has asked for it.
    drop(world);
    module::unload_when_unused();
    drop(set);
    module::load("").expect("the module loads");
}
