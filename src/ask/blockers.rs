// SPDX-License-Identifier: GPL-2.0

//! What keeps a namespace from going.
//!
//! Native cannot be asked. The init of a dying namespace waits in `zap_pid_ns_processes()` until
//! its number is the last one, however long that takes, and a dead namespace stays as long as
//! somebody holds it; here each number and each holder is named, with why.
//!
//! # Locks
//!
//! The tree lock for a piece at a time.

use crate::{
    base::slots::Idx,
    pid::namespace::Namespace,
    pid::{find_pid_from, Pid, PidType},
    tree::group::Group,
    tree::task::TaskState,
    tree::Tree,
    uapi,
    world::World,
};

/// Numbers, tasks, namespaces or handles that are looked at in one go.
const LOOKED_AT: usize = 128;

/// Where a listing is: which of the four it goes through, and how far it has come.
#[derive(Clone, Copy)]
struct Cursor {
    phase: Phase,
    position: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Numbers,
    Tasks,
    Namespaces,
    Pidfds,
}

impl Cursor {
    fn unpack(cursor: u64) -> Option<Self> {
        let phase = match cursor >> 32 {
            0 => Phase::Numbers,
            1 => Phase::Tasks,
            2 => Phase::Namespaces,
            3 => Phase::Pidfds,
            _ => return None,
        };
        Some(Self {
            phase,
            position: cursor as u32,
        })
    }

    fn pack(self) -> u64 {
        (self.phase as u64) << 32 | u64::from(self.position)
    }
}

impl World {
    /// Goes on from `cursor`, 0 at first, through what keeps a namespace, as long as `found` has
    /// room for more. Returns where to go on, `None` at the end.
    pub(crate) fn list_blockers(
        &self,
        ns: &Namespace,
        cursor: u64,
        found: &mut dyn FnMut(uapi::altpid_blocker) -> bool,
    ) -> Option<u64> {
        let mut cursor = Cursor::unpack(cursor)?;
        for _ in 0..LOOKED_AT {
            let (next, blocker) = match cursor.phase {
                Phase::Numbers => self.next_number(ns, cursor.position),
                Phase::Tasks => self.next_task(ns, cursor.position),
                Phase::Namespaces => self.next_namespace(ns, cursor.position),
                Phase::Pidfds => self.next_pidfd(ns, cursor.position),
            };
            // Not counted as seen when there was no room for it.
            if blocker.is_some_and(|blocker| !found(blocker)) {
                return Some(cursor.pack());
            }
            cursor = match (next, cursor.phase) {
                (Some(position), phase) => Cursor { phase, position },
                (None, Phase::Numbers) => Cursor {
                    phase: Phase::Tasks,
                    position: 0,
                },
                (None, Phase::Tasks) => Cursor {
                    phase: Phase::Namespaces,
                    position: 0,
                },
                (None, Phase::Namespaces) => Cursor {
                    phase: Phase::Pidfds,
                    position: 0,
                },
                (None, Phase::Pidfds) => return None,
            };
        }
        Some(cursor.pack())
    }

    /// The first number from `position` on: who has it, and why they still do.
    fn next_number(
        &self,
        ns: &Namespace,
        position: u32,
    ) -> (Option<u32>, Option<uapi::altpid_blocker>) {
        let Some((nr, pid)) = find_pid_from(ns, position as i32) else {
            return (None, None);
        };
        let blocker = self.tree().blocker_of(ns, nr, &pid);
        (Some(nr as u32 + 1), blocker)
    }

    /// The task at a position, if its children would be born here though it lives elsewhere.
    fn next_task(
        &self,
        ns: &Namespace,
        position: u32,
    ) -> (Option<u32>, Option<uapi::altpid_blocker>) {
        let tree = self.tree();
        if position as usize >= tree.tasks().positions() {
            return (None, None);
        }
        let blocker = tree.tasks().at(position as usize).and_then(|index| {
            let task = &tree.tasks()[index];
            let points_here = task
                .ns_for_children()
                .as_deref()
                .is_some_and(|to| core::ptr::eq(to, ns) && !core::ptr::eq(task.ns(), ns));
            points_here.then(|| uapi::altpid_blocker {
                reason: uapi::ALTPID_BLOCKER_FOR_CHILDREN,
                task: tree.tasks().id(index).to_raw(),
                ..BLANK
            })
        });
        (Some(position + 1), blocker)
    }

    /// The namespace at a position, if it is right below this one.
    fn next_namespace(
        &self,
        ns: &Namespace,
        position: u32,
    ) -> (Option<u32>, Option<uapi::altpid_blocker>) {
        if position as usize >= self.registry().positions() {
            return (None, None);
        }
        let below = self.registry().at(position as usize);
        let below = below.filter(|below| below.parent().is_some_and(|up| core::ptr::eq(up, ns)));
        let blocker = below.map(|below| uapi::altpid_blocker {
            reason: uapi::ALTPID_BLOCKER_NAMESPACE,
            other: below.id().to_raw(),
            ..BLANK
        });
        (Some(position + 1), blocker)
    }

    /// The handle at a position, if it is on a task that lives, or lived, right here.
    fn next_pidfd(
        &self,
        ns: &Namespace,
        position: u32,
    ) -> (Option<u32>, Option<uapi::altpid_blocker>) {
        let tree = self.tree();
        if position as usize >= tree.pidfds().positions() {
            return (None, None);
        }
        let blocker = tree.pidfds().at(position as usize).and_then(|index| {
            let pid = tree.pidfds()[index].pid();
            core::ptr::eq(pid.ns(), ns).then(|| uapi::altpid_blocker {
                reason: uapi::ALTPID_BLOCKER_PIDFD,
                task: tree.raw_id(tree.task_of(pid)),
                other: tree.pidfds().id(index).to_raw(),
                nr: pid.nr(),
                ..BLANK
            })
        });
        (Some(position + 1), blocker)
    }
}

/// An entry in which nothing is filled in.
const BLANK: uapi::altpid_blocker = uapi::altpid_blocker {
    size: core::mem::size_of::<uapi::altpid_blocker>() as u32,
    reason: 0,
    task: 0,
    other: 0,
    nr: 0,
    reserved: 0,
};

impl Tree {
    fn blocker_of(&self, ns: &Namespace, nr: i32, pid: &Pid) -> Option<uapi::altpid_blocker> {
        let entry = uapi::altpid_blocker { nr, ..BLANK };
        let Some(index) = self.task_of(pid) else {
            // Nobody's number any more but a process group's or a session's.
            let user = [PidType::Pgid, PidType::Sid]
                .into_iter()
                .find_map(|kind| Idx::<Group>::from_raw(pid.user(kind)))?;
            return Some(uapi::altpid_blocker {
                reason: uapi::ALTPID_BLOCKER_NUMBER,
                task: self.raw_id(self.groups()[user].leader()),
                ..entry
            });
        };
        let task = &self.tasks()[index];
        // The last thread of init does not wait for itself, nor for a leader that died before.
        let is_own_init = core::ptr::eq(task.ns(), ns)
            && self.groups()[task.group()].tgid().nr_ns(ns) == 1
            && !ns.is_adding();
        if is_own_init {
            return None;
        }
        let id = self.tasks().id(index).to_raw();
        if task.state() != TaskState::Zombie {
            return Some(uapi::altpid_blocker {
                reason: uapi::ALTPID_BLOCKER_ALIVE,
                task: id,
                ..entry
            });
        }
        let waits_for = match self.alive_thread(task.group()) {
            Some(thread) => self.tasks().id(thread).to_raw(),
            None => self.parent_id(self.groups()[task.group()].parent()),
        };
        Some(uapi::altpid_blocker {
            reason: uapi::ALTPID_BLOCKER_ZOMBIE,
            task: id,
            other: waits_for,
            ..entry
        })
    }
}
