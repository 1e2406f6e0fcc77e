// SPDX-License-Identifier: GPL-2.0

//! A command on a pseudo terminal of its own.
//!
//! Nothing here relies on how long anything takes: whoever types first reads what the command has to
//! say before.

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::OwnedFd,
    io::{Errno, read, retry_on_intr, write},
    pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use std::process::{Child, Command};

/// The terminal that a command runs on, as whoever sits before it has it.
pub struct Terminal {
    child: Child,
    master: OwnedFd,
    /// What has come and was not asked for yet.
    unread: String,
    /// The beginning of a character that has come in two parts.
    torn: Vec<u8>,
}

impl Terminal {
    /// Starts a command on a terminal of 24 lines and 80 columns, which knows colours.
    ///
    /// # Panics
    ///
    /// When there are no pseudo terminals, or it cannot be run.
    pub fn start(command: Command) -> Self {
        Self::with_columns(command, 80)
    }

    /// Likewise, of so many columns.
    ///
    /// # Panics
    ///
    /// As [`Terminal::start`].
    pub fn with_columns(mut command: Command, columns: u16) -> Self {
        const FLAGS: OpenptFlags = OpenptFlags::RDWR
            .union(OpenptFlags::NOCTTY)
            .union(OpenptFlags::CLOEXEC);
        let master = openpt(FLAGS).expect("a pseudo terminal");
        grantpt(&master).expect("to have it");
        unlockpt(&master).expect("to use it");
        let size = Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).expect("its size");
        let open = || ioctl_tiocgptpeer(&master, FLAGS).expect("its other end");
        // The other end is closed when the command has ended, since this goes with the call.
        let child = command
            .env("TERM", "xterm-256color")
            .stdin(open())
            .stdout(open())
            .stderr(open())
            .spawn()
            .expect("the command runs");
        Self {
            child,
            master,
            unread: String::new(),
            torn: Vec::new(),
        }
    }

    /// Types something.
    pub fn types(&self, keys: &str) {
        let written = retry_on_intr(|| write(&self.master, keys.as_bytes()));
        assert_eq!(written, Ok(keys.len()), "there is room for all of it");
    }

    /// Reads until something is there; returns all up to its end.
    ///
    /// # Panics
    ///
    /// When it never comes.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.unread.find(text) {
                let rest = self.unread.split_off(at + text.len());
                return std::mem::replace(&mut self.unread, rest);
            }
            let goes_on = self.reads();
            assert!(goes_on, "never: {text:?} in {:?}", self.unread);
        }
    }

    /// Reads until the command has ended; returns its exit status and what is left.
    #[track_caller]
    pub fn end(mut self) -> (i32, String) {
        while self.reads() {}
        let status = self.child.wait().expect("the command ends");
        let status = status.code().expect("it is not killed");
        (status, std::mem::take(&mut self.unread))
    }

    /// Reads what comes next; says whether something did. Gives up after two minutes, which is no
    /// part of any test: only what never comes takes so long.
    #[track_caller]
    fn reads(&mut self) -> bool {
        const LONG: Timespec = Timespec {
            tv_sec: 120,
            tv_nsec: 0,
        };
        let mut buffer = [0; 4096];
        let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
        let found = retry_on_intr(|| poll(&mut ready, Some(&LONG))).expect("poll");
        assert_ne!(found, 0, "nothing comes after {:?}", self.unread);
        match retry_on_intr(|| read(&self.master, &mut buffer)) {
            // Nobody has the other end any more.
            Ok(0) | Err(Errno::IO) => return false,
            Ok(count) => self.torn.extend_from_slice(&buffer[..count]),
            Err(errno) => panic!("the terminal: {errno}"),
        }
        let whole = match std::str::from_utf8(&self.torn) {
            Ok(text) => text.len(),
            Err(error) => {
                assert_eq!(error.error_len(), None, "it speaks UTF-8");
                error.valid_up_to()
            }
        };
        let rest = self.torn.split_off(whole);
        let text = std::mem::replace(&mut self.torn, rest);
        self.unread += &String::from_utf8(text).expect("it is");
        true
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended, or the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
