// SPDX-License-Identifier: GPL-2.0

//! Carrying out a plan on the model, as `altpid::restore` does on the device.

use super::{INIT, Model, NsNr, Parent, TaskNr};
use altpid::{
    CloneFlags,
    plan::{Birth, Op, Plan, Role, plan},
    snapshot::Snapshot,
};
use std::collections::HashMap;

/// Carries out a plan on an empty model. The error names the step and the error number.
pub fn perform(plan: &Plan, snapshot: &Snapshot) -> Result<Model, String> {
    let mut model = Model::new();
    let mut tasks: Vec<Option<TaskNr>> = vec![None; plan.cast.len()];
    let mut spaces: Vec<Option<NsNr>> = vec![None; snapshot.namespaces.len()];
    (tasks[0], spaces[0]) = (Some(INIT), Some(0));
    for (i, op) in plan.ops.iter().enumerate() {
        step(&mut model, op, &mut tasks, &mut spaces)
            .map_err(|error| format!("step {i}, {op:?}: {error}"))?;
    }
    // Helpers are gone, those of the snapshot are all there.
    for (who, role) in plan.cast.iter().enumerate() {
        let there = tasks[who].is_some_and(|task| model.tasks.contains_key(&task));
        if who != INIT && there != matches!(role, Role::Task(_)) {
            return Err(format!("{who}, {role:?}: present is {there}"));
        }
    }
    Ok(model)
}

fn step(
    model: &mut Model,
    op: &Op,
    tasks: &mut [Option<TaskNr>],
    spaces: &mut [Option<NsNr>],
) -> Result<(), String> {
    let task = |who: usize| tasks[who].ok_or(format!("{who} was not made yet"));
    let space = |ns: usize| spaces[ns].ok_or(format!("namespace {ns} was not made yet"));
    let result = match op {
        Op::PidMax(value) => model.set_sysctl(0, true, *value),
        Op::LastPid(value) => model.set_sysctl(0, false, *value),
        Op::SetNs(who, ns) => model.setns(task(*who)?, space(*ns)?),
        Op::SetSid(who) => model.setsid(task(*who)?),
        Op::SetPgid(who, pid, pgid) => model.setpgid(task(*who)?, *pid, *pgid),
        Op::SetName(who, comm) => model.set_name(task(*who)?, comm.as_bytes()),
        Op::Unshare(..) | Op::Stop(_) => return Err("the model has no such thing".into()),
        Op::Exit(who, whole) => model.exit(task(*who)?, *whole),
        Op::Clone {
            by,
            new,
            set_tid,
            birth,
            flags,
            ns,
        } => {
            let (flags, parent) = match birth {
                Birth::Thread => (*flags | CloneFlags::THREAD, Parent::Native),
                Birth::Of(parent) => (*flags, Parent::Task(task(*parent)?)),
                Birth::Outside => (*flags, Parent::Outside),
            };
            match model.clone(task(*by)?, flags, set_tid, parent) {
                Ok(child) => {
                    tasks[*new] = Some(child);
                    let born = model.tasks[&child].ns;
                    match spaces[*ns] {
                        None => spaces[*ns] = Some(born),
                        Some(known) if known == born => {}
                        Some(_) => return Err("born in another namespace".into()),
                    }
                    Ok(())
                }
                Err(error) => Err(error),
            }
        }
    };
    result.map_err(|error| error.to_string())
}

/// Plans, carries out, and reads back.
pub fn rebuild(snapshot: &Snapshot) -> Result<Snapshot, String> {
    snapshot.check().map_err(|problem| problem.to_string())?;
    let plan = plan(snapshot).map_err(|problem| problem.to_string())?;
    let built = perform(&plan, snapshot)?;
    let mut found = built.snapshot();
    // The world has an init in any case.
    if plan.cast[0] == Role::Helper {
        found.tasks.retain(|task| task.root_pid() != 1);
    }
    Ok(normal(&found))
}

/// A snapshot with everything that may differ made the same: the order of namespaces and what they
/// are called, states other than dead, the kernel, names' length.
pub fn normal(snapshot: &Snapshot) -> Snapshot {
    let mut normal = snapshot.clone();
    normal.kernel.clear();
    let inits: HashMap<usize, i32> = snapshot
        .tasks
        .iter()
        .filter(|task| task.own_pid() == 1)
        .map(|task| (task.ns, task.root_pid()))
        .collect();
    let key = |ns: usize| {
        let level = snapshot.namespaces[ns].level;
        (level, inits.get(&ns).copied().unwrap_or(0))
    };
    let mut order: Vec<usize> = (0..snapshot.namespaces.len()).collect();
    order.sort_by_key(|&ns| key(ns));
    let position = |ns: usize| order.iter().position(|&other| other == ns);
    normal.namespaces = order
        .iter()
        .map(|&ns| {
            let mut space = snapshot.namespaces[ns].clone();
            space.parent = space.parent.and_then(position);
            space.inode = None;
            space
        })
        .collect();
    for task in &mut normal.tasks {
        task.ns = position(task.ns).unwrap_or(0);
        let elsewhere = task.ns_for_children.and_then(position);
        task.ns_for_children = elsewhere.filter(|&ns| ns != task.ns);
        if !task.is_zombie() && !task.is_stopped() && !task.exiting {
            task.state = 'S';
        }
        let comm = task.comm.as_bytes();
        task.comm = altpid::snapshot::Comm::new(&comm[..comm.len().min(15)]);
    }
    normal.tasks.sort_by_key(altpid::snapshot::Task::root_pid);
    normal
}
