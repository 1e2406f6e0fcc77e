// SPDX-License-Identifier: GPL-2.0

//! Files that are made from the world alone: the children of a thread, sysctls of the namespace, and what there is
//! of a task without a body.
//!
//! `fs/proc/array.c`: `do_task_stat()`, `proc_pid_status()`, `children_seq_show()`.
//!
//! # Locks
//!
//! The tree lock.

use super::{
    find::{is_gone, Who},
    out::Out,
    View,
};
use crate::{
    base::slots::Idx,
    native,
    tree::group::{Group, GroupId, Parent},
    tree::task::{Task, TaskState, COMM_LEN},
    tree::Tree,
    world::{work::is_killed, World},
};
use kernel::{prelude::*, task::might_sleep};

/// What a file is (`enum altpid_kind`).
mod kind {
    pub(super) const CHILDREN: u32 = 32;
    pub(super) const STAT: u32 = 33;
    pub(super) const STATUS: u32 = 34;
    pub(super) const COMM: u32 = 35;
    pub(super) const CMDLINE: u32 = 36;
    pub(super) const PID_MAX: u32 = 37;
    pub(super) const LAST_PID: u32 = 38;
}

/// Children that are gone over in one hold of the lock.
const AT_ONCE: usize = 512;

/// Where a list of children has come to (`struct altpid_proc_place`).
#[repr(C)]
pub(super) struct Place {
    /// The last one.
    at: u64,
    /// And its place among the children of its parent.
    place: u64,
}

impl View {
    /// A file, or the next part of it.
    ///
    /// # Errors
    ///
    /// `ESRCH` when the task is gone or the world has ended, `EOVERFLOW`.
    pub(super) fn make(&self, kind: u32, who: Who, out: &mut Out<'_>, place: &mut Place) -> Result {
        let world = self.world().ok_or(ESRCH)?;
        match kind {
            kind::PID_MAX => {
                out.number(self.callers_ns(&world).pid_max().into())?;
                return out.text(b"\n");
            }
            kind::LAST_PID => {
                out.number(self.callers_ns(&world).last_pid().into())?;
                return out.text(b"\n");
            }
            kind::CHILDREN => return self.make_children(&world, who, out, place),
            _ => {}
        }
        let tree = world.tree();
        let task = who.find(&tree).ok_or(ESRCH)?;
        match kind {
            kind::STAT => self.make_stat(&tree, task, out),
            kind::STATUS => self.make_status(&tree, task, out),
            kind::COMM => {
                out.text(name(&tree, task).trim())?;
                out.text(b"\n")
            }
            kind::CMDLINE => Ok(()),
            _ => Err(EIO),
        }
    }

    /// Some more of the children of a task, or none if those were all.
    fn make_children(
        &self,
        world: &World,
        who: Who,
        out: &mut Out<'_>,
        place: &mut Place,
    ) -> Result {
        loop {
            let is_all = {
                let tree = world.tree();
                let task = who.find(&tree).ok_or(ESRCH)?;
                self.children(&tree, task, out, place)?
            };
            if is_all || out.len() != 0 {
                return Ok(());
            }
            might_sleep();
            if is_killed() {
                return Err(EINTR);
            }
        }
    }

    /// Writes a sysctl of the namespace.
    ///
    /// # Errors
    ///
    /// `EINVAL` for what it cannot be, `EPERM`.
    pub(super) fn write(&self, kind: u32, value: i64) -> Result {
        let world = self.world().ok_or(ESRCH)?;
        if !world.may_act() {
            return Err(EPERM);
        }
        match kind {
            kind::PID_MAX => self.callers_ns(&world).set_pid_max(value),
            // checkpoint_restore_ns_capable()
            kind::LAST_PID if !native::is_admin() => Err(EPERM),
            kind::LAST_PID => self.callers_ns(&world).set_last_pid(value),
            _ => Err(EINVAL),
        }
    }

    /// Numbers of some of the next children of a thread; whether those are all.
    fn children(
        &self,
        tree: &Tree,
        task: Idx<Task>,
        out: &mut Out<'_>,
        place: &mut Place,
    ) -> Result<bool> {
        let children = tree.tasks()[task].children();
        let groups = tree.groups();
        let is_child = |child: Idx<Group>| match groups[child].parent() {
            Parent::Task(parent) => parent == task,
            Parent::Outside => false,
        };
        let last = GroupId::unless_0(place.at).and_then(|id| groups.find(id));
        // Where the last one is gone, or has another parent, the first one behind its place is next.
        let mut next = match last.filter(|&last| is_child(last)) {
            Some(last) => children.next(groups, last),
            None => children.first(),
        };
        let (from, mut left) = (place.place, AT_ONCE);
        while let Some(child) = next {
            if left == 0 || out.room() < 16 {
                return Ok(false);
            }
            left -= 1;
            let group = &groups[child];
            if place.at == 0 || group.place() > from {
                let nr = group.tgid().nr_ns(&self.ns);
                if nr != 0 {
                    out.number(nr.into())?;
                    out.text(b" ")?;
                }
                place.place = group.place();
            }
            place.at = groups.id(child).to_raw();
            next = children.next(groups, child);
        }
        Ok(true)
    }

    fn make_stat(&self, tree: &Tree, task: Idx<Task>, out: &mut Out<'_>) -> Result {
        let numbers = self.numbers(tree, task);
        let group = tree.group_of(task);
        out.number(numbers.pid.into())?;
        out.text(b" (")?;
        out.text(name(tree, task).trim())?;
        out.text(b") ")?;
        out.text(&state(tree, task)[..1])?;
        for number in [numbers.ppid, numbers.pgid, numbers.sid, 0, -1] {
            out.text(b" ")?;
            out.number(number.into())?;
        }
        for field in 9..=52 {
            out.text(b" ")?;
            out.number(match field {
                18 => 20,
                20 => group.nr_threads().into(),
                38 => group.exit_signal().into(),
                52 if is_gone(tree, task) => group.exit_status().unwrap_or(0).into(),
                _ => 0,
            })?;
        }
        out.text(b"\n")
    }

    fn make_status(&self, tree: &Tree, task: Idx<Task>, out: &mut Out<'_>) -> Result {
        let numbers = self.numbers(tree, task);
        let (thread, group) = (&tree.tasks()[task], tree.group_of(task));
        out.text(b"Name:\t")?;
        for &byte in name(tree, task).trim() {
            match byte {
                b'\n' => out.text(b"\\n")?,
                b'\\' => out.text(b"\\\\")?,
                byte => out.text(&[byte])?,
            }
        }
        out.text(b"\nState:\t")?;
        out.text(state(tree, task))?;
        let uid = native::uid_here(tree.uid_of(thread.group())).into();
        let lines: [(&[u8], &[i64]); 7] = [
            (b"Tgid", &[numbers.tgid.into()]),
            (b"Ngid", &[0]),
            (b"Pid", &[numbers.pid.into()]),
            (b"PPid", &[numbers.ppid.into()]),
            (b"TracerPid", &[0]),
            (b"Uid", &[uid; 4]),
            (b"Gid", &[0; 4]),
        ];
        for (name, values) in lines {
            out.text(b"\n")?;
            out.text(name)?;
            out.text(b":")?;
            for &value in values {
                out.text(b"\t")?;
                out.number(value)?;
            }
        }
        let pids: [(&[u8], _); 4] = [
            (b"NStgid", group.tgid()),
            (b"NSpid", thread.pid()),
            (b"NSpgid", group.pgid()),
            (b"NSsid", group.sid()),
        ];
        for (name, pid) in pids {
            out.text(b"\n")?;
            out.text(name)?;
            out.text(b":")?;
            self.levels(tree.tasks()[task].ns(), pid, out)?;
        }
        out.text(b"\nThreads:\t")?;
        out.number(group.nr_threads().into())?;
        let handlers = tree.handlers(thread.group());
        let signals: [(&[u8], u64); 5] = [
            (b"SigPnd", tree.own_signals(task).bits()),
            (b"ShdPnd", group.pending().set().bits()),
            (b"SigBlk", thread.blocked().bits()),
            (b"SigIgn", handlers.ignored().bits()),
            (b"SigCgt", handlers.handled().bits()),
        ];
        for (name, bits) in signals {
            out.text(b"\n")?;
            out.text(name)?;
            out.text(b":\t")?;
            out.hex(bits)?;
        }
        out.text(b"\n")
    }
}

/// What a task is called.
struct Name([u8; COMM_LEN]);

impl Name {
    /// Without what is behind its end.
    fn trim(&self) -> &[u8] {
        let end = self.0.iter().position(|&byte| byte == 0);
        &self.0[..end.unwrap_or(self.0.len())]
    }
}

fn name(tree: &Tree, task: Idx<Task>) -> Name {
    Name(tree.tasks()[task].comm())
}

/// As `task_state_array` has it.
fn state(tree: &Tree, task: Idx<Task>) -> &'static [u8] {
    match tree.tasks()[task].state() {
        TaskState::Zombie => b"Z (zombie)",
        TaskState::Running if tree.is_stopped(task) => b"T (stopped)",
        _ => b"S (sleeping)",
    }
}
