// SPDX-License-Identifier: GPL-2.0

//! Lines of the kernel's own files, with the numbers of the namespace in them.
//!
//! `fs/proc/array.c`: `do_task_stat()`, `task_state()`; `fs/locks.c`: `locks_show()`; `ipc/shm.c`, `ipc/msg.c`:
//! `sysvipc_shm_proc_show()`; `fs/pidfs.c`: `pidfd_show_fdinfo()`.
//!
//! What is told of the task itself comes from the world. A number of somebody else's is a native one: 0 if it stands
//! for nobody in the world.
//!
//! # Locks
//!
//! RCU, and the tree lock for a line about a task.

use super::{find::Who, out::Out, View};
use crate::{
    body,
    pid::{namespace::Namespace, Pid},
    world::World,
};
use kernel::prelude::*;

/// What a file is (`enum altpid_kind`).
mod kind {
    pub(super) const STAT: u32 = 16;
    pub(super) const STATUS: u32 = 17;
    pub(super) const SCHED: u32 = 18;
    pub(super) const TIMERS: u32 = 19;
    pub(super) const FDINFO: u32 = 20;
    pub(super) const LOADAVG: u32 = 21;
    pub(super) const LOCKS: u32 = 22;
    pub(super) const SHM: u32 = 23;
    pub(super) const MSG: u32 = 24;
    pub(super) const NUMBER: u32 = 25;
}

/// What a number is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Task,
    Group,
}

/// A number at the beginning of some text, and the text behind it.
fn leading(text: &[u8]) -> Option<(i64, &[u8])> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let len = (digits.iter()).take_while(|byte| byte.is_ascii_digit());
    let len = len.count();
    if len == 0 || len > 18 {
        return None;
    }
    let number = (digits[..len].iter()).fold(0, |all, byte| all * 10 + i64::from(byte - b'0'));
    let number = if is_negative { -number } else { number };
    Some((number, &digits[len..]))
}

/// What is behind a prefix of a line.
fn behind<'a>(line: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(prefix)
}

impl View {
    /// A line of a file, rewritten. `state` is what lines before it have left to be known.
    ///
    /// # Errors
    ///
    /// `ESRCH` when the task is gone or the world has ended, `EOVERFLOW`.
    pub(super) fn line(
        &self,
        kind: u32,
        task: Who,
        line: &[u8],
        out: &mut Out<'_>,
        state: &mut u64,
    ) -> Result {
        let world = self.world().ok_or(ESRCH)?;
        match kind {
            kind::STAT => self.stat(&world, task, line, out),
            kind::STATUS => self.status(&world, task, line, out),
            kind::SCHED => match find_last(line, b" (") {
                Some(at) if line.ends_with(b")\n") && has(&line[at..], b", #threads: ") => {
                    out.text(&line[..at + 2])?;
                    self.own_number(&world, task, out)?;
                    let rest = leading(&line[at + 2..]).map_or(&line[at + 2..], |(_, rest)| rest);
                    out.text(rest)
                }
                _ => out.text(line),
            },
            kind::TIMERS => match line.iter().rposition(|&byte| byte == b'.') {
                Some(at) if line.starts_with(b"notify:") => {
                    out.text(&line[..=at])?;
                    self.somebody(&world, &line[at + 1..], Of::Task, out)
                }
                _ => out.text(line),
            },
            kind::FDINFO => self.fdinfo(&world, line, out),
            kind::LOADAVG => {
                let at = line.iter().rposition(|&byte| byte == b' ').ok_or(EIO)?;
                out.text(&line[..=at])?;
                out.number(self.callers_ns(&world).last_pid().into())?;
                out.text(b"\n")
            }
            kind::LOCKS => self.lock(&world, line, out, Some(state)),
            kind::SHM => self.columns(&world, line, 4, out),
            kind::MSG => self.columns(&world, line, 5, out),
            kind::NUMBER => self.somebody(&world, line, Of::Task, out),
            _ => Err(EIO),
        }
    }

    /// What somebody is called here who has a native number; 0 for nobody in the namespace.
    fn translated(&self, world: &World, native: i64, of: Of) -> i32 {
        let Ok(native @ 1..) = i32::try_from(native) else {
            return 0;
        };
        if of != Of::Group {
            let pid = body::numbered(world, native);
            return pid.map_or(0, |pid| pid.nr_ns(&self.ns));
        }
        let found = body::in_group(world, native);
        let tree = world.tree();
        let found = found.and_then(|id| tree.tasks().find(id));
        found.map_or(0, |task| tree.group_of(task).pgid().nr_ns(&self.ns))
    }

    /// Text that begins with somebody's native number.
    fn somebody(&self, world: &World, text: &[u8], of: Of, out: &mut Out<'_>) -> Result {
        match leading(text) {
            Some((native @ 1.., rest)) => {
                out.number(self.translated(world, native, of).into())?;
                out.text(rest)
            }
            _ => out.text(text),
        }
    }

    fn own_number(&self, world: &World, task: Who, out: &mut Out<'_>) -> Result {
        let nr = {
            let tree = world.tree();
            let task = task.find(&tree).ok_or(ESRCH)?;
            tree.tasks()[task].pid().nr_ns(&self.ns)
        };
        out.number(nr.into())
    }

    /// `PID (COMM) STATE PPID PGRP SESSION TTY TPGID ...`
    fn stat(&self, world: &World, task: Who, line: &[u8], out: &mut Out<'_>) -> Result {
        let open = line.iter().position(|&byte| byte == b'(').ok_or(EIO)?;
        let close = line.iter().rposition(|&byte| byte == b')').ok_or(EIO)?;
        let numbers = {
            let tree = world.tree();
            let task = task.find(&tree).ok_or(ESRCH)?;
            self.numbers(&tree, task)
        };
        out.number(numbers.pid.into())?;
        out.text(b" ")?;
        out.text(line.get(open..=close).ok_or(EIO)?)?;
        // The first one is empty.
        for (field, text) in line[close + 1..].split(|&byte| byte == b' ').enumerate() {
            if field != 0 {
                out.text(b" ")?;
            }
            match field {
                2 => out.number(numbers.ppid.into())?,
                3 => out.number(numbers.pgid.into())?,
                4 => out.number(numbers.sid.into())?,
                6 => self.somebody(world, text, Of::Group, out)?,
                _ => out.text(text)?,
            }
        }
        Ok(())
    }

    fn status(&self, world: &World, who: Who, line: &[u8], out: &mut Out<'_>) -> Result {
        let colon = line.iter().position(|&byte| byte == b':');
        let (name, rest) = line.split_at(colon.unwrap_or(line.len()));
        if matches!(name, b"Ngid" | b"TracerPid") {
            out.text(name)?;
            out.text(b":\t")?;
            return self.somebody(world, behind(rest, b":\t").ok_or(EIO)?, Of::Task, out);
        }
        let tree = world.tree();
        let task = who.find(&tree).ok_or(ESRCH)?;
        let group = tree.group_of(task);
        let all = |pid: &Pid, out: &mut Out<'_>| -> Result {
            out.text(name)?;
            out.text(b":")?;
            self.levels(tree.tasks()[task].ns(), pid, out)?;
            out.text(b"\n")
        };
        let numbers = self.numbers(&tree, task);
        let nr = match name {
            b"Tgid" => numbers.tgid,
            b"Pid" => numbers.pid,
            b"PPid" => numbers.ppid,
            b"NStgid" => return all(group.tgid(), out),
            b"NSpid" => return all(tree.tasks()[task].pid(), out),
            b"NSpgid" => return all(group.pgid(), out),
            b"NSsid" => return all(group.sid(), out),
            _ => return out.text(line),
        };
        out.text(name)?;
        out.text(b":\t")?;
        out.number(nr.into())?;
        out.text(b"\n")
    }

    /// A pid in the namespace and those below it, down to one of a task.
    pub(super) fn levels(&self, ns: &Namespace, pid: &Pid, out: &mut Out<'_>) -> Result {
        for level in self.ns.level()..=ns.level() {
            out.text(b"\t")?;
            out.number(pid.nr_ns(ns.ancestor(level)).into())?;
        }
        Ok(())
    }

    fn fdinfo(&self, world: &World, line: &[u8], out: &mut Out<'_>) -> Result {
        if let Some(rest) = behind(line, b"lock:\t") {
            out.text(b"lock:\t")?;
            return self.lock(world, rest, out, None);
        }
        for name in [&b"Pid:\t"[..], b"SqThread:\t"] {
            if let Some(rest) = behind(line, name) {
                out.text(name)?;
                return self.somebody(world, rest, Of::Task, out);
            }
        }
        let Some((native, _)) = behind(line, b"NSpid:\t").and_then(leading) else {
            return out.text(line);
        };
        let found = i32::try_from(native).ok().filter(|&native| native > 0);
        let found = found.and_then(|native| body::numbered(world, native));
        out.text(b"NSpid:")?;
        match found {
            Some(pid) if pid.nr_ns(&self.ns) != 0 => self.levels(pid.ns(), &pid, out)?,
            // There is nobody any more.
            _ if native < 0 => out.text(b"\t-1")?,
            _ => out.text(b"\t0")?,
        }
        out.text(b"\n")
    }

    /// `ID: [->] KIND KIND ACCESS PID DEVICE START END`. Locks of nobody in the namespace, with those that wait
    /// for them, are left out of a list, for which there is a `state`.
    fn lock(
        &self,
        world: &World,
        line: &[u8],
        out: &mut Out<'_>,
        state: Option<&mut u64>,
    ) -> Result {
        let is_waiting = has(line, b"->");
        let (start, end) = field(line, if is_waiting { 5 } else { 4 }).ok_or(EIO)?;
        let owner = leading(&line[start..end]).map_or(0, |(owner, _)| owner);
        // Of an open file description it is -1.
        let owner = match owner {
            1.. => self.translated(world, owner, Of::Task).into(),
            owner => owner,
        };
        if let Some(is_hidden) = state {
            if !is_waiting {
                *is_hidden = u64::from(owner == 0);
            }
            if *is_hidden != 0 {
                return Ok(());
            }
        }
        out.text(&line[..start])?;
        out.number(owner)?;
        out.text(&line[end..])
    }

    /// A line whose fields `first` and the one behind it are processes, in columns of 5 places.
    fn columns(&self, world: &World, line: &[u8], first: usize, out: &mut Out<'_>) -> Result {
        const WIDTH: usize = 5;
        let mut from = 0;
        for index in [first, first + 1] {
            let (start, end) = field(line, index).ok_or(EIO)?;
            let Some((native, _)) = leading(&line[start..end]) else {
                // The heading.
                break;
            };
            let column = start.min(end.saturating_sub(WIDTH)).max(from);
            out.text(&line[from..column])?;
            let nr = self.translated(world, native, Of::Task);
            out.column(nr.into(), WIDTH)?;
            from = end;
        }
        out.text(&line[from..])
    }
}

/// Where a field of a line is; fields are separated by white space.
fn field(line: &[u8], index: usize) -> Option<(usize, usize)> {
    let mut at = 0;
    for left in (0..=index).rev() {
        let is_space = |byte: &u8| byte.is_ascii_whitespace();
        let start = at + line[at..].iter().position(|byte| !is_space(byte))?;
        let end = line[start..].iter().position(is_space);
        at = end.map_or(line.len(), |len| start + len);
        if left == 0 {
            return Some((start, at));
        }
    }
    None
}

fn find_last(text: &[u8], what: &[u8]) -> Option<usize> {
    (text.windows(what.len())).rposition(|window| window == what)
}

fn has(text: &[u8], what: &[u8]) -> bool {
    find_last(text, what).is_some()
}
