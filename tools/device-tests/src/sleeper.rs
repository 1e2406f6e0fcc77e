// SPDX-License-Identifier: GPL-2.0

//! A thread that waits in the kernel for a child of somebody in a world.
//!
//! Whether it sleeps yet is read from `/proc`; nothing here relies on how long anything takes.

use crate::raw;
use altpid::{Result, TaskId, Waited, World};
use rustix::thread::{Pid, gettid};
use std::{
    fs,
    sync::mpsc,
    thread::{Scope, ScopedJoinHandle, yield_now},
};

/// A thread in [`World::wait`]. When it is dropped the wait is interrupted, so that a test that
/// fails meanwhile can end.
pub struct Sleeper<'scope> {
    tid: Pid,
    handle: Option<ScopedJoinHandle<'scope, Result<Option<Waited>>>>,
}

impl<'scope> Sleeper<'scope> {
    /// Starts a thread that waits for a child as `task` would; returns when it sleeps.
    pub fn new<'env>(
        scope: &'scope Scope<'scope, 'env>,
        world: &'env World,
        task: TaskId,
        pid: i32,
        options: u32,
    ) -> Self {
        let (sender, receiver) = mpsc::channel();
        let handle = scope.spawn(move || {
            sender.send(gettid()).expect("somebody who wants to know");
            world.wait(task, pid, options)
        });
        let tid = receiver.recv().expect("a thread");
        let sleeper = Self {
            tid,
            handle: Some(handle),
        };
        sleeper.settles();
        sleeper
    }

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

    /// Whether it sleeps in an ioctl.
    fn sleeps(&self) -> bool {
        let path = format!("/proc/self/task/{}/syscall", self.tid.as_raw_nonzero());
        let number = libc::SYS_ioctl.to_string();
        // "running" while it does; nothing when it has gone.
        fs::read_to_string(path)
            .is_ok_and(|text| text.split_whitespace().next() == Some(number.as_str()))
    }

    /// Sends it a signal that has a handler.
    pub fn interrupt(&self) {
        assert!(raw::interrupt(self.tid), "it waits");
    }

    /// What its wait4(2) has returned.
    pub fn result(mut self) -> Result<Option<Waited>> {
        let handle = self.handle.take().expect("a thread");
        handle.join().expect("a wait")
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        while self.settles() {
            raw::interrupt(self.tid);
        }
    }
}
