// SPDX-License-Identifier: GPL-2.0

//! A thread that sleeps in the kernel: waits for a child of somebody in a world, or for events.
//!
//! Whether it sleeps yet is read from `/proc`; nothing here relies on how long anything takes.

use crate::raw;
use altpid::{Result, TaskId, WaitFlags, Waited, World};
use rustix::thread::{Pid, gettid};
use std::{
    fs,
    sync::mpsc,
    thread::{Scope, ScopedJoinHandle, yield_now},
};

/// A thread in [`World::wait`], or in something else that sleeps. When it is dropped the sleep is
/// interrupted, so that a test that fails meanwhile can end.
pub struct Sleeper<'scope, T = Result<Option<Waited>>> {
    tid: Pid,
    handle: Option<ScopedJoinHandle<'scope, T>>,
}

impl<'scope> Sleeper<'scope> {
    /// Starts a thread that waits for a child as `task` would; returns when it sleeps.
    pub fn new<'env>(
        scope: &'scope Scope<'scope, 'env>,
        world: &'env World,
        task: TaskId,
        pid: i32,
        options: WaitFlags,
    ) -> Self {
        Self::of(scope, move || world.wait(task, pid, options))
    }
}

impl<'scope, T: Send + 'scope> Sleeper<'scope, T> {
    /// Starts a thread that makes a call; returns when it sleeps in there.
    pub fn of<'env>(
        scope: &'scope Scope<'scope, 'env>,
        call: impl FnOnce() -> T + Send + 'scope,
    ) -> Self {
        let (sender, receiver) = mpsc::channel();
        let handle = scope.spawn(move || {
            sender.send(gettid()).expect("somebody who wants to know");
            call()
        });
        let tid = receiver.recv().expect("a thread");
        let sleeper = Self {
            tid,
            handle: Some(handle),
        };
        sleeper.settles();
        sleeper
    }

    /// What the call has returned.
    pub fn result(mut self) -> T {
        let handle = self.handle.take().expect("a thread");
        handle.join().expect("a call")
    }
}

impl<T> Sleeper<'_, T> {
    /// Waits until it sleeps, or has returned; says whether it sleeps.
    pub fn settles(&self) -> bool {
        loop {
            if self.handle.as_ref().is_none_or(|h| h.is_finished()) {
                return false;
            }
            if self.sleeps() {
                return true;
            }
            yield_now();
        }
    }

    /// How often it has gone to sleep so far: once more each time that it is woken and sleeps on.
    ///
    /// # Panics
    ///
    /// When it has ended.
    pub fn sleeps_so_far(&self) -> u64 {
        let path = format!("/proc/self/task/{}/status", self.tid.as_raw_nonzero());
        let text = fs::read_to_string(path).expect("a thread");
        let mut lines = text.lines();
        let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.and_then(|n| n.trim().parse().ok()).expect("a count")
    }

    /// Whether it sleeps in an ioctl, a read or a poll.
    fn sleeps(&self) -> bool {
        const CALLS: [i64; 4] = [
            libc::SYS_ioctl,
            libc::SYS_pread64,
            libc::SYS_poll,
            libc::SYS_ppoll,
        ];
        let path = format!("/proc/self/task/{}/syscall", self.tid.as_raw_nonzero());
        // "running" while it does; nothing when it has gone.
        fs::read_to_string(path).is_ok_and(|text| {
            let number = text.split_whitespace().next().and_then(|n| n.parse().ok());
            number.is_some_and(|n| CALLS.contains(&n))
        })
    }

    /// Sends it a signal that has a handler.
    pub fn interrupt(&self) {
        assert!(raw::interrupt(self.tid), "it waits");
    }
}

impl<T> Drop for Sleeper<'_, T> {
    fn drop(&mut self) {
        while self.settles() {
            raw::interrupt(self.tid);
        }
    }
}
