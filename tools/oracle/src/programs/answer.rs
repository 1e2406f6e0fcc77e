// SPDX-License-Identifier: GPL-2.0

//! What the results of an agent's system calls mean.

use crate::{
    channel::Channel,
    op::{Answer, Name},
};
use altpid::{Action, Disposition, SaFlags, SigInfo, SigSet};

/// What an agent says of itself after each operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// getpid(2)
    pub pid: i64,
    /// gettid(2)
    pub tid: i64,
    /// getppid(2)
    pub ppid: i64,
    /// getpgid(2) of itself
    pub pgid: i64,
    /// getsid(2) of itself
    pub sid: i64,
    /// `kernel.ns_last_pid` of its namespace.
    pub last_pid: i64,
    /// `kernel.pid_max` of its namespace, when that was looked at.
    pub pid_max: Option<i64>,
}

/// How the result of the system call is to be read; the offsets are those of what it points to.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Value,
    /// Any number that is no error.
    Success,
    Waited(usize),
    Told(usize),
    Signal(usize),
    Action(usize),
    Set(usize),
}

/// What an agent was asked.
pub struct Asked {
    pub(super) form: Form,
    /// The index of the system call that matters; those before it only prepare it.
    pub(super) main: usize,
    /// The index of the first one that looks around.
    pub(super) look: usize,
    pub(super) last_pid: usize,
    pub(super) pid_max: Option<usize>,
    /// Where the pidfd that is made will be.
    pub(super) made: Option<Made>,
}

/// Where an agent finds a pidfd that it has made.
#[derive(Clone, Copy)]
pub(super) enum Made {
    /// It is what the system call returns.
    Returned,
    /// It is written there.
    At(usize),
}

impl Asked {
    /// Reads what the agent has answered.
    pub fn read(&self, channel: &Channel, name: Name) -> (Answer, Looked) {
        let value = |step| channel.result(name, self.look + step);
        let looked = Looked {
            pid: value(0),
            tid: value(1),
            ppid: value(2),
            pgid: value(3),
            sid: value(4),
            last_pid: number_of(channel.bytes(name, self.last_pid)),
            pid_max: self
                .pid_max
                .map(|offset| number_of(channel.bytes(name, offset))),
        };
        (self.answer(channel, name), looked)
    }

    /// The pidfd that a successful call has made, as the agent has it.
    pub fn made(&self, channel: &Channel, name: Name) -> Option<i32> {
        Some(match self.made? {
            Made::Returned => channel.result(name, self.main) as i32,
            Made::At(offset) => i32::from_ne_bytes(channel.bytes(name, offset)),
        })
    }

    fn answer(&self, channel: &Channel, name: Name) -> Answer {
        // What prepares it does not fail, or that is the answer.
        let failed = (0..=self.main)
            .map(|step| channel.result(name, step))
            .find(|result| *result < 0);
        if let Some(error) = failed {
            return Answer::Error(-error as i32);
        }
        let result = channel.result(name, self.main);
        let word = |offset| i32::from_ne_bytes(channel.bytes(name, offset));
        match self.form {
            Form::Value => Answer::Value(result),
            Form::Success => Answer::Value(0),
            Form::Waited(status) => Answer::Waited(result as i32, word(status)),
            // si_pid, si_code, si_status
            Form::Told(info) => Answer::Told(word(info + 16), word(info + 8), word(info + 24)),
            Form::Signal(info) => Answer::Signal(siginfo(&channel.bytes(name, info))),
            Form::Action(old) => {
                let word = |offset| u64::from_ne_bytes(channel.bytes(name, old + offset));
                Answer::Action(Action {
                    disposition: match word(0) {
                        0 => Disposition::Default,
                        1 => Disposition::Ignore,
                        _ => Disposition::Handler,
                    },
                    // Without what the programs add.
                    flags: SaFlags::from_bits_truncate(word(8) as u32),
                    mask: SigSet::EMPTY,
                })
            }
            Form::Set(old) => Answer::Set(SigSet::from_bits(u64::from_ne_bytes(
                channel.bytes(name, old),
            ))),
        }
    }
}

/// What came with a signal, from the beginning of its `siginfo_t`.
pub fn siginfo(raw: &[u8; 48]) -> SigInfo {
    let word = |offset: usize| {
        let bytes = raw[offset..offset + 4].try_into().unwrap_or_default();
        i32::from_ne_bytes(bytes)
    };
    let (signo, code) = (word(0), word(8));
    let value = u64::from_ne_bytes(raw[24..32].try_into().unwrap_or_default());
    // The same bytes are the status of a child and the value that was queued.
    let is_child = (1..=6).contains(&code);
    SigInfo {
        signo,
        code,
        pid: word(16),
        status: if is_child { word(24) } else { 0 },
        value: if is_child { 0 } else { value },
    }
}

fn number_of(text: [u8; 16]) -> i64 {
    let text = String::from_utf8_lossy(&text);
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    text.parse().unwrap_or(-1)
}
