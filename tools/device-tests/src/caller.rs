// SPDX-License-Identifier: GPL-2.0

//! Another process that calls something on a world of this one, again and again until it is killed, or once:
//! then it stays until it is killed ([`Given::makes`]).
//!
//! It is this program once more, with the test [`TEST`] as the only one, which asks with
//! [`Given::by_the_other`] what it is to do.

use crate::patience::eventually;
use altpid::{CloneArgs, CloneFlags, TaskId, World};
use rustix::{
    fd::{AsFd, AsRawFd, BorrowedFd},
    io::{FdFlags, fcntl_getfd, fcntl_setfd},
    process::{Signal, set_parent_process_death_signal},
};
use std::{
    env,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread::{park, yield_now},
};

/// The name of the test that is the other process, ignored where nobody starts it.
pub const TEST: &str = "the_other_process";

/// What it is to do, the descriptor of the world, and numbers that go with it.
const WHAT: &str = "ALTPID_TEST_CALLER";
/// What it says when it begins.
const READY: &str = "the other process is ready";

/// What the other process was told.
pub struct Given {
    /// What to do.
    pub what: String,
    /// On which world.
    pub world: World,
    /// Ids and numbers.
    pub numbers: Vec<u64>,
}

impl Given {
    /// What this process is told, if it is such a one. It dies with the test that has started it.
    ///
    /// # Panics
    ///
    /// When that makes no sense.
    pub fn by_the_other() -> Option<Self> {
        let text = env::var(WHAT).ok()?;
        set_parent_process_death_signal(Some(Signal::KILL)).expect("prctl");
        let mut words = text.split(' ');
        let what = words.next().expect("what to do").to_owned();
        let mut numbers = words.map(|word| word.parse::<u64>().expect("a number"));
        let fd = numbers.next().expect("a descriptor") as i32;
        // SAFETY: The one who has started this process has left it open, and nobody closes it here.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        let fd = fd.try_clone_to_owned().expect("a descriptor");
        Some(Self {
            what,
            world: World::from_fd(fd).expect("a world"),
            numbers: numbers.collect(),
        })
    }

    /// Says that it begins.
    pub fn is_ready(&self) {
        println!("{READY}");
    }

    /// Says that it begins, makes a call when the [`Gate`] is open, and stays. The gate is the last of the
    /// numbers.
    ///
    /// # Panics
    ///
    /// When no gate was given.
    pub fn makes(&self, call: impl FnOnce()) -> ! {
        let gate = TaskId(*self.numbers.last().expect("a gate"));
        self.is_ready();
        while self.world.task(gate).is_ok() {
            yield_now();
        }
        call();
        loop {
            park();
        }
    }
}

/// What callers wait for before they make their calls, so that they do so at the same time: a task that is
/// still there.
pub struct Gate(TaskId);

impl Gate {
    /// A child of the world's init.
    pub fn new(world: &World) -> Self {
        let init = world.info().expect("world").init;
        let flags = CloneFlags::AUTOREAP;
        let args = CloneArgs::new().flags(flags).exit_signal(0);
        Self(world.clone(init, &args).expect("clone").task)
    }

    /// A number for [`Caller::start`].
    pub fn number(&self) -> u64 {
        self.0.0
    }

    /// Lets them begin.
    pub fn open(self, world: &World) {
        world.exit(self.0, 0).expect("exit");
    }
}

/// Sends all of some callers SIGKILL; returns when all are gone.
///
/// # Panics
///
/// When one of them stays, or has ended by itself.
pub fn kill_all(callers: &mut [Caller]) {
    callers.iter_mut().for_each(Caller::kill);
    eventually("those who were killed are gone", || {
        callers.iter_mut().all(Caller::is_gone)
    });
}

/// The process. When this is dropped it is killed.
pub struct Caller(Child);

impl Caller {
    /// Starts it; returns when it begins.
    ///
    /// # Panics
    ///
    /// When it does not.
    pub fn start(what: &str, world: impl AsFd, numbers: &[u64]) -> Self {
        /// Whether descriptors are closed in a new process is a matter of the whole process.
        static STARTING: Mutex<()> = Mutex::new(());
        let fd = world.as_fd();
        let mut text = format!("{what} {}", fd.as_raw_fd());
        for number in numbers {
            text += &format!(" {number}");
        }
        let starting = STARTING.lock().expect("nobody has failed to start one");
        let flags = fcntl_getfd(fd).expect("fcntl");
        fcntl_setfd(fd, FdFlags::empty()).expect("fcntl");
        let child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", TEST, "--ignored", "--nocapture"])
            .env(WHAT, text)
            .stdout(Stdio::piped())
            .spawn();
        fcntl_setfd(fd, flags).expect("fcntl");
        drop(starting);
        let mut child = child.expect("another process");
        let out = child.stdout.take().expect("what it says");
        let begins = BufReader::new(out)
            .lines()
            .any(|line| line.expect("text").contains(READY));
        assert!(begins, "the other process has ended");
        Self(child)
    }

    /// Sends it SIGKILL.
    ///
    /// # Panics
    ///
    /// When it has ended by itself.
    pub fn kill(&mut self) {
        let early = self.0.try_wait().expect("wait");
        assert!(early.is_none(), "it does not end by itself: {early:?}");
        self.0.kill().expect("kill");
    }

    /// Whether it is gone since.
    ///
    /// # Panics
    ///
    /// When it has died of something else.
    pub fn is_gone(&mut self) -> bool {
        let status = self.0.try_wait().expect("wait");
        if let Some(status) = status {
            assert_eq!(status.signal(), Some(libc::SIGKILL));
        }
        status.is_some()
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        // A test that fails because it does not go cannot wait for it either.
        if !std::thread::panicking() {
            let _ = self.0.wait();
        }
    }
}
