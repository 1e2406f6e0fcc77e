// SPDX-License-Identifier: GPL-2.0

//! Becoming a task of a world: what goes in.

use crate::{
    error::Result,
    types::{NsId, TaskId},
    uapi,
    world::World,
};

/// How the calling process wants to live in a world (`struct altpid_attach`).
///
/// # Examples
///
/// ```
/// // Pid 1 of a new namespace, which is 300 outside of it.
/// let mut attach = altpid::Attach::new();
/// attach.new_ns = true;
/// attach.set_tid = vec![1, 300];
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attach {
    /// Its parent; without one getppid(2) is 0.
    pub parent: Option<TaskId>,
    /// The namespace, or with `new_ns` the one above; that of level 0 if none is given.
    pub ns: Option<NsId>,
    /// In a new namespace.
    pub new_ns: bool,
    /// The numbers to have, that of the most nested namespace first.
    pub set_tid: Vec<i32>,
    /// The last close of the world kills its members.
    pub kill_on_close: bool,
}

impl Attach {
    /// Without a parent, in the namespace of level 0.
    pub fn new() -> Self {
        Self::default()
    }
}

impl World {
    /// The calling process, which has one thread and no children, becomes a task of this world, and all
    /// that it starts from now on. Returns its task and its number. See `struct altpid_attach` for the
    /// errors.
    pub fn attach(&self, attach: &Attach) -> Result<(TaskId, i32)> {
        let mut flags = 0;
        if attach.new_ns {
            flags |= uapi::ALTPID_ATTACH_NEW_NS;
        }
        if attach.kill_on_close {
            flags |= uapi::ALTPID_ATTACH_KILL_ON_CLOSE;
        }
        let set_tid = match attach.set_tid.is_empty() {
            true => 0,
            false => attach.set_tid.as_ptr().addr() as u64,
        };
        let mut arg = uapi::altpid_attach {
            flags,
            parent: attach.parent.map_or(0, |task| task.0),
            ns: attach.ns.map_or(0, |ns| ns.0),
            set_tid,
            set_tid_size: attach.set_tid.len() as u64,
            ..Default::default()
        };
        // `set_tid` is borrowed for as long as the call takes, and only read.
        self.call("attach", &mut arg)?;
        Ok((TaskId(arg.task), arg.pid))
    }
}
