// SPDX-License-Identifier: GPL-2.0

//! What `/proc/PID/status` says of a task.

use altpid::SigSet;
use anyhow::{Context, Result};

/// The fields that are compared. Numbers are those at every level, the outermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// `R`, `S`, `T`, `Z` and so on.
    pub state: u8,
    /// Whether it has memory; who has none and is no zombie is exiting.
    pub has_memory: bool,
    /// The number of its parent's process at the outermost level.
    pub ppid: i32,
    /// Numbers of the thread group.
    pub tgid: Vec<i32>,
    /// Its own numbers.
    pub pid: Vec<i32>,
    /// Numbers of the process group.
    pub pgid: Vec<i32>,
    /// Numbers of the session.
    pub sid: Vec<i32>,
    /// Threads of the process, a dead leader among them.
    pub threads: u32,
    /// Signals that wait for it.
    pub pending: SigSet,
    /// Signals that wait for any thread of its process.
    pub shared: SigSet,
    /// Signals that it blocks.
    pub blocked: SigSet,
    /// Signals that its process ignores.
    pub ignored: SigSet,
    /// Signals that its process has handlers for.
    pub handled: SigSet,
}

fn numbers(text: &str) -> Result<Vec<i32>> {
    text.split_ascii_whitespace()
        .map(|word| word.parse().context("a number"))
        .collect()
}

fn set(text: &str) -> Result<SigSet> {
    Ok(SigSet::from_bits(u64::from_str_radix(text, 16)?))
}

impl Status {
    /// Reads the text of the file.
    pub fn parse(text: &str) -> Result<Self> {
        let mut status = Self::default();
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match key {
                "State" => status.state = value.bytes().next().unwrap_or(b'?'),
                "PPid" => status.ppid = value.parse()?,
                "NStgid" => status.tgid = numbers(value)?,
                "NSpid" => status.pid = numbers(value)?,
                "NSpgid" => status.pgid = numbers(value)?,
                "NSsid" => status.sid = numbers(value)?,
                "VmSize" => status.has_memory = true,
                "Threads" => status.threads = value.parse()?,
                "SigPnd" => status.pending = set(value)?,
                "ShdPnd" => status.shared = set(value)?,
                "SigBlk" => status.blocked = set(value)?,
                "SigIgn" => status.ignored = set(value)?,
                "SigCgt" => {
                    status.handled = set(value)?;
                    // What follows is not about us.
                    break;
                }
                _ => {}
            }
        }
        Ok(status)
    }

    /// Whether it can do nothing by itself: it sleeps, is stopped, or dead.
    pub fn is_at_rest(&self) -> bool {
        self.state != b'R' && self.state != b'D'
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_process_in_a_nested_namespace() {
        let text = "Name:\tsh\nState:\tT (stopped)\nTgid:\t12\nPPid:\t7\n\
            NStgid:\t12\t3\t1\nNSpid:\t12\t3\t1\nNSpgid:\t12\t3\t1\nNSsid:\t5\t0\t0\n\
            VmSize:\t 100 kB\nThreads:\t2\nSigQ:\t1/100\nSigPnd:\t0000000000000000\n\
            ShdPnd:\t0000000000004000\nSigBlk:\t0000000000000200\nSigIgn:\t0000000000000001\n\
            SigCgt:\t0000000000010000\n";
        let status = Status::parse(text).unwrap();
        assert_eq!((status.state, status.has_memory), (b'T', true));
        assert_eq!((status.ppid, status.threads), (7, 2));
        assert_eq!(status.pid, [12, 3, 1]);
        assert_eq!(status.sid, [5, 0, 0]);
        assert_eq!(status.shared, SigSet::of(&[15]));
        assert_eq!(status.blocked, SigSet::of(&[10]));
        assert_eq!(status.handled, SigSet::of(&[17]));
        assert!(status.is_at_rest());
        assert!(Status::parse("State:\tT\nPPid:\tx\n").is_err());
    }
}
