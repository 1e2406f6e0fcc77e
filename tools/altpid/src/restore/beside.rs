// SPDX-License-Identifier: GPL-2.0

//! A tree beside what is in a world already: what stands in its way, and that nothing is left of it
//! when it fails.

use super::{Performer, Restored};
use crate::{
    kill::Kill,
    plan::{Site, plan_in},
    snapshot::{Comm, Numbers, Snapshot},
    types::{self, TaskId, TaskState, WaitFlags},
    world::World,
};
use anyhow::{Context, Result};
use std::collections::{HashMap, HashSet};

/// Do not sleep (`WNOHANG`), and any kind of child (`__WALL`).
const WAIT_OPTIONS: WaitFlags = WaitFlags::NOHANG.union(WaitFlags::WALL);

/// `SIGKILL`
const SIGKILL: i32 = 9;

/// Numbers at level 0 that are in use, and who has them, in words.
fn taken(world: &World) -> types::Result<HashMap<i32, String>> {
    let mut taken = HashMap::new();
    let tasks = world.tasks(None)?;
    for task in &tasks {
        for (what, vector) in [("process group", &task.pgid), ("session", &task.sid)] {
            taken.insert(vector[0], format!("a {what}"));
        }
    }
    for task in &tasks {
        let who = format!("{} ({})", Numbers(&task.pid), Comm::new(&task.comm));
        taken.insert(task.pid[0], who);
    }
    taken.remove(&0);
    Ok(taken)
}

/// A world as a plan has to know it.
fn survey(world: &World, taken: &HashMap<i32, String>) -> types::Result<Site> {
    let info = world.info()?;
    let init = world.task(info.init)?;
    Ok(Site {
        taken: taken.keys().copied().collect(),
        pid_max: world.ns(info.root_ns)?.pid_max,
        has_session: init.sid == init.pid,
        has_group: init.pgid == init.pid,
        init: Comm::new(&init.comm),
    })
}

/// The numbers at level 0 that a snapshot has: of tasks, and of process groups and sessions.
fn wanted(snapshot: &Snapshot) -> Vec<(i32, String)> {
    let mut seen = HashSet::from([0, 1]);
    let mut wanted = Vec::new();
    for task in &snapshot.tasks {
        if seen.insert(task.root_pid()) {
            wanted.push((task.root_pid(), task.to_string()));
        }
    }
    for task in &snapshot.tasks {
        for (what, vector) in [("process group", &task.pgid), ("session", &task.sid)] {
            if seen.insert(vector[0]) {
                wanted.push((vector[0], format!("the {what} of {task}")));
            }
        }
    }
    wanted
}

/// Process groups and sessions that cannot be, for that of a task is at first that of who made it, and
/// everybody comes of the world's init.
fn at_odds_with_init(snapshot: &Snapshot, site: &Site) -> Vec<String> {
    let mut conflicts = Vec::new();
    for task in snapshot.tasks.iter().filter(|task| task.is_leader()) {
        for (what, vector, is_so) in [
            ("session", &task.sid, site.has_session),
            ("process group", &task.pgid, site.has_group),
        ] {
            if is_so && vector[0] == 0 {
                conflicts.push(format!(
                    "{task}: its {what} is none, pid 1 of the world has one"
                ));
            } else if is_so && task.pid == [1] && task.pid != *vector {
                conflicts.push(format!(
                    "{task}: it leads no {what}, pid 1 of the world does"
                ));
            }
        }
    }
    conflicts
}

/// Everything that stands in the way of building a snapshot's tree in a world: what is wrong with the
/// snapshot, numbers that others have, limits. Changes nothing.
///
/// # Errors
///
/// When the world cannot be read.
pub fn conflicts(world: &World, snapshot: &Snapshot) -> Result<Vec<String>> {
    let problems = snapshot.problems();
    if !problems.is_empty() {
        return Ok(problems.iter().map(ToString::to_string).collect());
    }
    let info = world.info()?;
    let taken = taken(world)?;
    let site = survey(world, &taken)?;
    let mut conflicts = Vec::new();
    for (nr, whose) in wanted(snapshot) {
        if let Some(other) = taken.get(&nr) {
            conflicts.push(format!("{whose}: number {nr} is in use by {other}"));
        } else if nr >= site.pid_max {
            let max = site.pid_max;
            conflicts.push(format!("{whose}: number {nr} is not below pid_max, {max}"));
        }
    }
    for (what, have, more, most) in [
        ("tasks", info.tasks, snapshot.tasks.len(), info.max_tasks),
        (
            "namespaces",
            info.namespaces,
            snapshot.namespaces.len(),
            info.max_namespaces,
        ),
    ] {
        // pid 1 and the namespace of level 0 are there already.
        if have + more as u64 > most + 1 {
            conflicts.push(format!(
                "{have} {what} and {more} more are above the limit, {most}"
            ));
        }
    }
    conflicts.extend(at_odds_with_init(snapshot, &site));
    if let Err(problem) = plan_in(snapshot, &site) {
        conflicts.push(problem.to_string());
    }
    Ok(conflicts)
}

/// Builds the tree of a checked snapshot in a world in which others may be. Its init is the world's,
/// whose name stays; so do `kernel.pid_max` and `kernel.ns_last_pid`.
///
/// # Errors
///
/// What failed, and about whom; then everything that was made is gone again. What stays is that the
/// world's init founded a session or a process group, and what signals it got.
pub fn restore_in(
    world: World,
    snapshot: &Snapshot,
    mut progress: impl FnMut(usize, usize),
) -> Result<Restored> {
    let site = survey(&world, &taken(&world)?)?;
    let mut plan = plan_in(snapshot, &site)?;
    // It has that value, which is only for the planner.
    plan.ops.remove(0);
    let mut performer = Performer::new(&world, snapshot, &plan)?;
    let tasks = match performer.run(&mut progress) {
        Ok(tasks) => tasks,
        Err(error) => {
            let made = performer.tasks[1..].iter().flatten().copied();
            undo(&world, made.collect()).context("undoing")?;
            return Err(error);
        }
    };
    let namespaces = std::mem::take(&mut performer.namespaces);
    Ok(Restored {
        is_shared: true,
        ..Restored::new(world, snapshot, plan, tasks, namespaces)
    })
}

/// Kills tasks, and has them reaped.
fn undo(world: &World, mut made: Vec<TaskId>) -> types::Result<()> {
    // The last ones first, so that as few as can be get another parent.
    for &task in made.iter().rev() {
        // Who is gone already is gone.
        let _ = world.kill(Kill::Kernel(task), SIGKILL);
    }
    loop {
        let before = made.len();
        made.retain(|&id| world.task(id).is_ok_and(|task| !reap(world, &task)));
        if made.is_empty() || made.len() == before {
            return Ok(());
        }
    }
}

/// Has the parent of a zombie wait for it; returns whether that was so.
fn reap(world: &World, task: &types::Task) -> bool {
    let Some(parent) = task.parent.filter(|_| task.state == TaskState::Zombie) else {
        return false;
    };
    let Ok(parent) = world.task(parent) else {
        return false;
    };
    let seen = task.pid[parent.pid.len() - 1];
    matches!(world.wait(parent.id, seen, WAIT_OPTIONS), Ok(Some(waited)) if waited.task == task.id)
}
