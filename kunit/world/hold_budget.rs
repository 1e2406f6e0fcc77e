// SPDX-License-Identifier: GPL-2.0

//! What goes in pieces, so that nobody holds the tree lock for long: waiting for one of many
//! children, the audit of a large world, and exits from a large process group. What others do between
//! two pieces is done here by the test itself.

use crate::{
    ask::audit::{self, Audit},
    process::clone::ParentArg,
    process::wait::*,
    signal::kill::By,
    support::{many, state::*, world_of, Errno, Verbs},
    tree::budget::BUDGET,
    tree::pending::*,
    tree::sighand::Disposition,
    tree::task::TaskId,
    world::World,
};
use kernel::{prelude::*, sync::Arc};

/// A world of so many children of one process.
fn family(count: usize) -> Result<(Arc<World>, TaskId, KVVec<TaskId>)> {
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
    Found(TaskId),
    Nothing,
    NoChild,
    More,
}

/// One piece of a wait that does not take away what it tells.
fn look(world: &World, task: TaskId, options: u32, search: &mut Search) -> Result<Piece> {
    let mut tree = world.work();
    let task = tree.find(task)?;
    let wanted = Wanted::WaitId(0, 0, options | WNOWAIT);
    let selection = tree.select(task, &wanted).errno()?;
    Ok(match tree.look(task, &selection, search).errno() {
        Ok(Look::Found(report)) => Piece::Found(report.child),
        Ok(Look::Nothing) => Piece::Nothing,
        Ok(Look::More | Look::Asleep) => Piece::More,
        Err(error) if error == ECHILD => Piece::NoChild,
        Err(error) => return Err(error),
    })
}

#[kernel::macros::kunit_tests(altpid_hold_budget)]
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
        world.kill_from(By::Kernel, middle, SIGSTOP).errno()?;
        assert_eq!(first(ALL)?, Piece::Found(middle));
        assert_eq!(first(WEXITED)?, Piece::Found(last));
        world.kill_from(By::Kernel, middle, SIGCONT).errno()?;
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

    /// `do_wait()`: a child that was passed in one part and dies before the next is not missed, though others
    /// in between have something to tell that nobody asks for
    #[test]
    fn one_that_was_passed_dies() -> Result {
        const COUNT: usize = BUDGET as usize * 2;
        let world = world_of(COUNT + 20, 10)?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let first = verbs.fork(parent)?;
        for _ in 0..COUNT {
            let (other, _) = verbs.clone_with(parent, 0, 0, &[], ParentArg::Native)?;
            verbs.exit(other, 0)?;
        }
        let mut search = Search::default();
        assert_eq!(look(&world, parent, WEXITED, &mut search)?, Piece::More);
        verbs.exit(first, 0)?;
        let mut next = Piece::More;
        while next == Piece::More {
            next = look(&world, parent, WEXITED, &mut search)?;
        }
        assert_eq!(next, Piece::Found(first));
        Ok(())
    }

    /// `do_wait()`: what has to be looked at goes in parts, and is true of one moment
    #[test]
    fn many_that_are_not_waited_for() -> Result {
        const COUNT: usize = BUDGET as usize * 5;
        let world = world_of(COUNT + 20, 10)?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let native = ParentArg::Native;
        for _ in 0..COUNT {
            verbs.clone_with(parent, 0, 0, &[], native)?;
        }
        // Looks until there is an answer; how often that was interrupted.
        let look_at_all = |search: &mut Search| -> Result<(Piece, usize)> {
            let mut parts = 0;
            loop {
                match look(&world, parent, ALL, search)? {
                    Piece::More => parts += 1,
                    answer => return Ok((answer, parts)),
                }
            }
        };
        // Children of another kind: nobody that is waited for is among them.
        let (answer, parts) = look_at_all(&mut Search::default())?;
        assert_eq!(answer, Piece::NoChild);
        assert!(parts >= 5);
        // What has changed meanwhile among the children may have been passed: it begins again.
        let mut search = Search::default();
        for _ in 0..parts - 1 {
            assert_eq!(look(&world, parent, ALL, &mut search)?, Piece::More);
        }
        let usual = verbs.fork(parent)?;
        let (answer, again) = look_at_all(&mut search)?;
        assert_eq!(answer, Piece::Nothing);
        assert!(again >= parts);
        // A change elsewhere is none, however often there is one.
        let other = verbs.fork(world.init())?;
        let mut search = Search::default();
        for _ in 0..parts {
            assert_eq!(look(&world, parent, ALL, &mut search)?, Piece::More);
            let child = verbs.fork(other)?;
            verbs.exit(child, 0)?;
            verbs.wait(other, -1)?;
        }
        assert_eq!(look_at_all(&mut search)?.0, Piece::Nothing);
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
        assert!(pieces >= 3 * COUNT / audit::LOOK_STEPS as usize);
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
        let world_init = world.init();
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
        // A process that is a subreaper and not counted as one.
        let take_orphans = |on| -> Result {
            let mut tree = world.work();
            let init = tree.find(world_init)?;
            let group = tree.tasks()[init].group();
            tree.spoil_subreaper(group, on);
            Ok(())
        };
        take_orphans(true)?;
        assert_eq!(audit(), 1);
        take_orphans(false)?;
        // A parent that would look past its dead child.
        let verbs = Verbs(&world);
        let child = verbs.fork(world.init())?;
        verbs.exit(child, 0)?;
        let forget = |news| {
            let init = world.init();
            let mut tree = world.work();
            let init = tree.find(init)?;
            Ok::<_, Error>(tree.spoil_news(init, news))
        };
        let news = forget([None; 3])?;
        assert_eq!(world.audit().broken, 1);
        forget(news)?;
        assert_eq!(world.audit().broken, 0);
        Ok(())
    }

    /// The first member of a process group with what it remembers of the group: which member may be the
    /// first one that is controlled.
    fn controlled(verbs: &Verbs<'_>, member: TaskId) -> Result<Option<TaskId>> {
        let tree = verbs.0.tree();
        let pgrp = &tree.group_of(tree.find(member)?).pgid();
        let first = tree.process_group(pgrp).first().ok_or(ESRCH)?;
        let controlled = tree.groups()[first].pgrp_controlled();
        let leader = controlled.and_then(|member| tree.groups()[member].leader());
        Ok(leader.map(|leader| tree.tasks().id(leader)))
    }

    /// `will_become_orphaned_pgrp()`: members of a large group exit, one of which is stopped
    #[test]
    fn exits_from_a_large_group() -> Result {
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
        // The last member is controlled by its parent.
        let shell = verbs.fork(init)?;
        let last = verbs.fork(shell)?;
        verbs.setpgid(last, 0, nr)?;
        let stopped = members[COUNT - 1];
        world.kill_from(By::Kernel, stopped, SIGSTOP).errno()?;
        for &member in &members[..COUNT - 1] {
            verbs.exit(member, 0)?;
            // Found out once, by the first of them.
            assert_eq!(controlled(&verbs, last)?, Some(last));
        }
        assert_eq!(verbs.state(stopped), STOPPED);
        // Nobody controls it any more.
        verbs.exit(shell, 0)?;
        assert_eq!(verbs.state(stopped), ZOMBIE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `reparent_leader()`: a shell with many jobs in one group dies, one of which is stopped
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
        verbs.sigaction(jobs[1], SIGHUP, Disposition::Handler)?;
        world
            .kill_from(By::Kernel, jobs[COUNT / 2], SIGSTOP)
            .errno()?;
        verbs.exit(shell, 0)?;
        // All are told that their group is orphaned, whether they are stopped or not.
        assert_eq!(verbs.state(jobs[0]), ZOMBIE);
        assert_eq!(verbs.state(jobs[COUNT / 2]), ZOMBIE);
        assert_eq!(verbs.state(jobs[COUNT - 1]), ZOMBIE);
        assert_eq!(verbs.state(jobs[1]), RUNNING);
        assert_eq!(verbs.received(jobs[1])?.0, 1);
        assert_eq!(controlled(&verbs, jobs[1])?, None);
        assert!(verbs.is_sound());
        Ok(())
    }
}
