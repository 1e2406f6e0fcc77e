// SPDX-License-Identifier: GPL-2.0

//! What goes in pieces, so that nobody holds the tree lock for long: waiting for one of many
//! children, the audit of a large world, and exits from a large process group. What others do between
//! two pieces is done here by the test itself.

use crate::{
    audit::{self, Audit},
    clone::ParentArg,
    kill::Kill,
    pending::*,
    support::{many, state::*, world_of, Errno, Verbs},
    wait::*,
    world::World,
};
use kernel::prelude::*;

/// A world of so many children of one process.
fn family(count: usize) -> Result<(Pin<KBox<World>>, u64, KVVec<u64>)> {
    let world = world_of(count + 300, 100)?;
    world.root().set_pid_max(1 << 22)?;
    let verbs = Verbs(&world);
    let parent = verbs.fork(world.init())?;
    let mut children = KVVec::with_capacity(count, GFP_KERNEL)?;
    for _ in 0..count {
        children.push(verbs.fork(parent)?, GFP_KERNEL)?;
    }
    Ok((world, parent, children))
}

/// What one hold of the tree lock comes to.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Found(u64),
    Nothing,
    NoChild,
    More,
}

/// One piece of a wait that does not take away what it tells.
fn look(world: &World, task: u64, options: u32, search: &mut Search) -> Result<Piece> {
    let mut tree = world.tree().lock();
    let task = tree.find(task)?;
    let wanted = Wanted::WaitId(0, 0, options | WNOWAIT);
    let selection = tree.select(task, wanted).errno()?;
    Ok(match tree.look(task, &selection, search).errno() {
        Ok(Look::Found(report)) => Piece::Found(report.child),
        Ok(Look::Nothing) => Piece::Nothing,
        Ok(Look::More) => Piece::More,
        Err(error) if error == ECHILD => Piece::NoChild,
        Err(error) => return Err(error),
    })
}

#[kernel::macros::kunit_tests(altpid_pieces)]
mod tests {
    use super::*;

    const ALL: u32 = WEXITED | WSTOPPED | WCONTINUED;

    /// `do_wait_thread()`: children that have nothing to tell are not looked at, however many
    #[test]
    fn the_one_that_has_something_to_tell() -> Result {
        const COUNT: usize = many(10_000);
        let (world, parent, children) = family(COUNT)?;
        let verbs = Verbs(&world);
        let first = |options| look(&world, parent, options, &mut Search::default());
        assert_eq!(first(ALL)?, Piece::Nothing);
        let (last, middle) = (children[COUNT - 1], children[COUNT / 2]);
        verbs.exit(last, 0)?;
        assert_eq!(first(ALL)?, Piece::Found(last));
        assert_eq!(first(WSTOPPED)?, Piece::Nothing);
        // Not who was first to have something to tell, but who is first among the children.
        world.kill(Kill::Kernel(middle), SIGSTOP).errno()?;
        assert_eq!(first(ALL)?, Piece::Found(middle));
        assert_eq!(first(WEXITED)?, Piece::Found(last));
        world.kill(Kill::Kernel(middle), SIGCONT).errno()?;
        assert_eq!(first(WCONTINUED)?, Piece::Found(middle));
        verbs.exit(children[3], 0)?;
        assert_eq!(first(ALL)?, Piece::Found(children[3]));
        // One that is told of and reaped is not what is looked for next.
        let nr = verbs.nr(children[3], 0);
        let last_nr = verbs.nr(last, 0);
        assert_eq!(verbs.wait(parent, -1)?.0, nr);
        assert_eq!(verbs.wait(parent, -1)?.0, last_nr);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `do_wait_thread()`: all at the end of a long list, one after the other, in their order
    #[test]
    fn many_zombies_behind_many_others() -> Result {
        const COUNT: usize = many(10_000);
        let (world, parent, children) = family(COUNT)?;
        let verbs = Verbs(&world);
        // They die in the reverse order.
        for &child in children[COUNT / 2..].iter().rev() {
            verbs.exit(child, 0)?;
        }
        for &child in &children[COUNT / 2..] {
            let next = look(&world, parent, WEXITED, &mut Search::default())?;
            assert_eq!(next, Piece::Found(child));
            verbs.wait(parent, -1)?;
            assert_eq!(verbs.state(child), GONE);
        }
        assert_eq!(verbs.wait(parent, -1)?, (0, 0));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `do_wait()`: what has to be looked at goes in pieces, and is true of one moment
    #[test]
    fn many_that_are_not_waited_for() -> Result {
        const COUNT: usize = PIECE * 5;
        let world = world_of(COUNT + 20, 10)?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let native = ParentArg::Native;
        for _ in 0..COUNT {
            verbs.clone_with(parent, 0, 0, &[], native)?;
        }
        // Children of another kind: nobody that is waited for is among them.
        let mut search = Search::default();
        for _ in 0..5 {
            assert_eq!(look(&world, parent, ALL, &mut search)?, Piece::More);
        }
        assert_eq!(look(&world, parent, ALL, &mut search)?, Piece::NoChild);
        // Whatever has changed meanwhile may have been what was passed: it begins again.
        let mut search = Search::default();
        for _ in 0..3 {
            assert_eq!(look(&world, parent, ALL, &mut search)?, Piece::More);
        }
        let usual = verbs.fork(parent)?;
        for _ in 0..5 {
            assert_eq!(look(&world, parent, ALL, &mut search)?, Piece::More);
        }
        assert_eq!(look(&world, parent, ALL, &mut search)?, Piece::Nothing);
        // And when something changes all the time it is done at once.
        let mut search = Search::default();
        for _ in 0..TRIES {
            assert_eq!(look(&world, parent, ALL, &mut search)?, Piece::More);
            verbs.fork(world.init())?;
        }
        assert_eq!(look(&world, parent, ALL, &mut search)?, Piece::Nothing);
        let nr = verbs.nr(usual, 0);
        verbs.exit(usual, 0)?;
        assert_eq!(verbs.wait(parent, -1)?.0, nr);
        Ok(())
    }

    /// An audit of a world that is larger than a piece, while others change it
    #[test]
    fn an_audit_while_the_world_changes() -> Result {
        const COUNT: usize = many(10_000);
        let (world, parent, children) = family(COUNT)?;
        let verbs = Verbs(&world);
        let (mut audit, mut pieces, mut victims) = (Audit::new(), 1, children.iter());
        while audit.step(&world) {
            pieces += 1;
            // Somebody from each part of the lists leaves, and somebody joins.
            for _ in 0..3 {
                if let Some(&victim) = victims.next() {
                    verbs.exit(victim, 0)?;
                    verbs.wait(parent, -1)?;
                }
            }
            if let Some(&victim) = victims.next_back() {
                verbs.setsid(victim)?;
                verbs.container(victim)?;
                verbs.exit(victim, 0)?;
            }
            verbs.thread(parent)?;
        }
        let found = audit.findings;
        assert_eq!(found.broken, 0);
        assert!(found.skipped > 0);
        assert!(pieces >= 3 * COUNT / audit::PIECE);
        // What was there all the time was looked at.
        assert!(found.tasks as usize >= COUNT - 4 * pieces);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// An audit that nobody disturbs leaves out nothing, and finds what is wrong in a large world too
    #[test]
    fn an_audit_of_a_large_world() -> Result {
        const COUNT: usize = many(10_000);
        let (world, _, _) = family(COUNT)?;
        let audit = || {
            let found = world.audit();
            assert_eq!(found.skipped, 0);
            assert_eq!(found.tasks as usize, COUNT + 2);
            found.broken
        };
        assert_eq!(audit(), 0);
        world.root().count_pid();
        assert_eq!(audit(), 1);
        world.root().uncount_pid();
        world.tree().lock().nr_stopped += 1;
        assert_eq!(audit(), 1);
        world.tree().lock().nr_stopped -= 1;
        // A parent that would look past its dead child.
        let verbs = Verbs(&world);
        let child = verbs.fork(world.init())?;
        verbs.exit(child, 0)?;
        let forget = |news| {
            let init = world.init();
            let mut tree = world.tree().lock();
            let init = tree.find(init)?;
            Ok::<_, Error>(core::mem::replace(&mut tree.tasks[init].news, news))
        };
        let news = forget([None; 3])?;
        assert_eq!(world.audit().broken, 1);
        forget(news)?;
        assert_eq!(world.audit().broken, 0);
        Ok(())
    }

    /// `kill_orphaned_pgrp()`: members of a large orphaned group exit, while somebody is stopped
    #[test]
    fn exits_from_an_orphaned_group() -> Result {
        const COUNT: usize = many(10_000);
        // Of the world's init, so that each exit could orphan the group.
        let world = world_of(COUNT + 20, 10)?;
        let verbs = Verbs(&world);
        let init = world.init();
        let leader = verbs.fork(init)?;
        verbs.setpgid(leader, 0, 0)?;
        let nr = verbs.nr(leader, 0);
        let mut members = KVVec::new();
        for _ in 0..COUNT {
            members.push(verbs.fork(leader)?, GFP_KERNEL)?;
        }
        verbs.exit(leader, 0)?;
        verbs.wait(init, nr)?;
        // Elsewhere, and in a group that is not orphaned.
        let stopped = verbs.fork(verbs.fork(init)?)?;
        verbs.setpgid(stopped, 0, 0)?;
        world.kill(Kill::Kernel(stopped), SIGSTOP).errno()?;
        let looked_at = |verbs: &Verbs<'_>| -> Result<bool> {
            let tree = verbs.0.tree().lock();
            let member = tree.find(members[COUNT - 1])?;
            let pgrp = &tree.group_of(member).pgid;
            Ok(tree.is_known_orphaned(pgrp) && tree.is_known_unstopped(pgrp))
        };
        assert!(!looked_at(&verbs)?);
        for &member in &members[..COUNT - 1] {
            verbs.exit(member, 0)?;
            // Found out once, by the first of them.
            assert!(looked_at(&verbs)?);
        }
        // That one of them stops is noticed: the exit of another tells the group.
        let last = members[COUNT - 1];
        let sibling = verbs.fork(init)?;
        verbs.setpgid(sibling, 0, nr)?;
        world.kill(Kill::Kernel(last), SIGSTOP).errno()?;
        assert!(!looked_at(&verbs)?);
        verbs.exit(sibling, 0)?;
        assert_eq!(verbs.state(last), ZOMBIE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `reparent_leader()`: a shell with many jobs in one group dies, while somebody is stopped
    #[test]
    fn many_jobs_lose_their_shell() -> Result {
        const COUNT: usize = many(10_000);
        let world = world_of(COUNT + 20, 10)?;
        let verbs = Verbs(&world);
        let shell = verbs.fork(world.init())?;
        verbs.setsid(shell)?;
        let leader = verbs.fork(shell)?;
        verbs.setpgid(leader, 0, 0)?;
        let parent = ParentArg::Task(shell);
        let mut jobs = KVVec::new();
        for _ in 0..COUNT {
            let (job, _) = verbs.clone_with(leader, 0, SIGCHLD, &[], parent)?;
            jobs.push(job, GFP_KERNEL)?;
        }
        let stopped = verbs.fork(verbs.fork(world.init())?)?;
        verbs.setpgid(stopped, 0, 0)?;
        world.kill(Kill::Kernel(stopped), SIGSTOP).errno()?;
        verbs.exit(shell, 0)?;
        assert_eq!(verbs.state(jobs[0]), RUNNING);
        assert_eq!(verbs.state(stopped), STOPPED);
        let tree = world.tree().lock();
        let job = tree.find(jobs[0])?;
        assert!(tree.is_known_orphaned(&tree.group_of(job).pgid));
        Ok(())
    }
}
