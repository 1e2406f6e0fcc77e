// SPDX-License-Identifier: GPL-2.0

//! A machine on which everything goes on at once: `c/machine.c`.

use rustix::{
    pipe::pipe,
    process::{Pid, Signal, WaitOptions, kill_process, waitpid},
};
use std::{ffi::c_int, fs::File, io::Read, os::fd::AsRawFd};

unsafe extern "C" {
    fn altpid_c_everything(out: c_int) -> c_int;
}

/// The processes; when this is dropped they are killed.
pub struct Machine(Pid);

impl Machine {
    /// Starts them; returns when all were begun.
    ///
    /// # Panics
    ///
    /// When one of them cannot be made.
    pub fn start() -> Self {
        let (reader, writer) = pipe().expect("a pipe");
        // SAFETY: It forks, and only the child goes on with anything but returning; that does so with
        // system calls and with memory of its own stack.
        let child = unsafe { altpid_c_everything(writer.as_raw_fd()) };
        drop(writer);
        let machine = Self(Pid::from_raw(child).expect("a process"));
        let mut said = [0; 6];
        let read = File::from(reader).read_exact(&mut said);
        read.expect("the processes are begun");
        assert_eq!(&said, b"ready\n");
        machine
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::KILL);
        let _ = waitpid(Some(self.0), WaitOptions::empty());
    }
}
