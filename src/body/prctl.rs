// SPDX-License-Identifier: GPL-2.0

//! prctl(2) by a member, as far as it is about parents. The rest is the kernel's.
//!
//! `kernel/sys.c`: `PR_SET_CHILD_SUBREAPER`, `PR_SET_PDEATHSIG`. A parent-death signal is altpid's to send. That the kernel
//! takes it back, when the member gets other credentials (`commit_creds()`, `begin_new_exec()`), is seen
//! in the field where it has its own: see `altpid_mark_pdeath()`.
//!
//! # Locks
//!
//! The tree lock, for a moment.

use super::{member::Member, user::write_word};
use crate::{
    base::slots::Idx,
    native,
    reason::Outcome,
    tree::{task::Task, Tree},
};

/// What prctl(2) does about parents; `None` for what the kernel does.
pub(super) fn prctl(member: &Member, args: &[u64; 6]) -> Option<i64> {
    const SET_PDEATHSIG: i32 = 1;
    const GET_PDEATHSIG: i32 = 2;
    const SET_CHILD_SUBREAPER: i32 = 36;
    const GET_CHILD_SUBREAPER: i32 = 37;
    let act = |f: &mut dyn FnMut(&mut Tree, Idx<Task>) -> Outcome| -> Outcome {
        let mut tree = member.world.work();
        let task = tree.find_member(member.id)?;
        f(&mut tree, task)
    };
    let give = |value: i32| -> i64 {
        match write_word(args[1], value) {
            Ok(()) => 0,
            Err(error) => error.to_errno().into(),
        }
    };
    let mut value = 0;
    let done = match args[0] as i32 {
        SET_PDEATHSIG => act(&mut |tree, task| {
            tree.set_pdeath_signal(task, args[1])?;
            native::mark_pdeath(args[1] != 0);
            Ok(())
        }),
        GET_PDEATHSIG => act(&mut |tree, task| {
            value = match native::has_pdeath_mark() {
                true => tree.tasks()[task].pdeath_signal().into(),
                false => 0,
            };
            Ok(())
        }),
        SET_CHILD_SUBREAPER => act(&mut |tree, task| {
            tree.set_subreaper(task, args[1] != 0);
            Ok(())
        }),
        GET_CHILD_SUBREAPER => act(&mut |tree, task| {
            value = tree.is_subreaper(task).into();
            Ok(())
        }),
        _ => return None,
    };
    Some(match (done, args[0] as i32) {
        (Err(failure), _) => failure.error().to_errno().into(),
        (Ok(()), GET_PDEATHSIG | GET_CHILD_SUBREAPER) => give(value),
        (Ok(()), _) => 0,
    })
}
