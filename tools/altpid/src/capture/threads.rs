// SPDX-License-Identifier: GPL-2.0

//! What `/proc` says of the threads of a process.

use super::Seen;
use crate::snapshot::{Comm, Task};
use anyhow::{Context, Result};
use std::{collections::HashMap, fs, io, path::Path};

/// `PF_EXITING` and `PF_KTHREAD` (`include/linux/sched.h`).
const PF_EXITING: u64 = 0x4;
const PF_KTHREAD: u64 = 0x20_0000;

/// What became of a look at something in `/proc`.
pub(super) enum Look<T> {
    /// There it is.
    At(T),
    /// It has vanished.
    Gone,
    /// This user may not see it.
    Refused,
}

/// The entries of a directory whose names are numbers, in order.
pub(super) fn numbers_in(dir: &Path) -> io::Result<Vec<u32>> {
    let mut numbers: Vec<u32> = fs::read_dir(dir)?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads the threads of a process into `seen`.
///
/// # Errors
///
/// When a file of `/proc` has another form than it should.
pub(super) fn read_process(dir: &Path, seen: &mut Vec<Seen>) -> Result<Look<()>> {
    let threads = match numbers_in(&dir.join("task")) {
        Ok(threads) => threads,
        Err(error) => return Ok(failed(&error)),
    };
    let before = seen.len();
    let mut is_refused = false;
    for tid in threads {
        match read_thread(&dir.join("task").join(tid.to_string()))? {
            Look::At(thread) => seen.push(thread),
            Look::Gone => {}
            Look::Refused => is_refused = true,
        }
    }
    Ok(match seen.len() > before {
        true => Look::At(()),
        false if is_refused => Look::Refused,
        false => Look::Gone,
    })
}

fn failed<T>(error: &io::Error) -> Look<T> {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Look::Refused,
        _ => Look::Gone,
    }
}

/// Reads one thread.
///
/// # Errors
///
/// When a file of `/proc` has another form than it should.
pub(super) fn read_thread(dir: &Path) -> Result<Look<Seen>> {
    let files = fs::read(dir.join("status")).and_then(|status| {
        let comm = fs::read(dir.join("comm"))?;
        Ok((status, comm))
    });
    let (status, mut comm) = match files {
        Ok(files) => files,
        Err(error) => return Ok(failed(&error)),
    };
    if comm.last() == Some(&b'\n') {
        comm.pop();
    }
    let status = String::from_utf8_lossy(&status);
    let fields: HashMap<_, _> = status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .collect();
    let field = |name: &str| {
        fields
            .get(name)
            .copied()
            .with_context(|| format!("{} has no {name}", dir.display()))
    };
    let vector = |name: &str| -> Result<Vec<i32>> {
        field(name)?
            .split_whitespace()
            .map(|nr| {
                nr.parse()
                    .with_context(|| format!("{name} in {}", dir.display()))
            })
            .collect()
    };
    let state = field("State")?.trim().chars().next().unwrap_or('?');
    let flags = flags(dir);
    let is_user = flags & PF_KTHREAD == 0;
    let has_memory = fields.contains_key("VmSize");
    let task = Task {
        pid: vector("NSpid")?,
        tgid: vector("NStgid")?,
        pgid: vector("NSpgid")?,
        sid: vector("NSsid")?,
        ppid: field("PPid")?
            .trim()
            .parse()
            .with_context(|| format!("PPid in {}", dir.display()))?,
        ns: 0,
        ns_for_children: None,
        state,
        exiting: flags & PF_EXITING != 0 && is_user && !has_memory && !"ZX".contains(state),
        comm: Comm::new(&comm),
    };
    // A thread that is being reaped has no numbers any more.
    if task.pid.is_empty() || task.pid.contains(&0) || task.tgid.contains(&0) {
        return Ok(Look::Gone);
    }
    let ns = inode(&dir.join("ns/pid"));
    let ns_for_children = inode(&dir.join("ns/pid_for_children"));
    let lives = !task.is_zombie() && !task.exiting;
    let is_missing = |link: &io::Result<u64>| matches!(link, Err(error) if error.kind() == io::ErrorKind::NotFound);
    Ok(Look::At(Seen {
        // Its own can be read, and there is none for its children: they await an init
        // (`pidns_for_children_get()`).
        awaits_init: lives && ns.is_ok() && is_missing(&ns_for_children),
        is_refused: lives
            && ns
                .as_ref()
                .is_err_and(|e| e.kind() == io::ErrorKind::PermissionDenied),
        ns: ns.ok(),
        ns_for_children: ns_for_children.ok(),
        task,
        dir: dir.to_owned(),
    }))
}

/// The flags of a task (`task->flags`), field 9 of its `stat`; 0 where that is not there.
fn flags(dir: &Path) -> u64 {
    let stat = fs::read(dir.join("stat")).unwrap_or_default();
    let stat = String::from_utf8_lossy(&stat);
    // The name in parentheses can have anything in it.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let flags = rest.split_whitespace().nth(6);
    flags.and_then(|flags| flags.parse().ok()).unwrap_or(0)
}

/// The inode of a namespace file.
///
/// # Errors
///
/// Where there is none, or it may not be read.
pub(super) fn inode(path: &Path) -> io::Result<u64> {
    // The link says it too, and needs no open file: "pid:[4026531836]".
    let link = fs::read_link(path)?;
    let number = |link: &str| link.strip_prefix("pid:[")?.strip_suffix(']')?.parse().ok();
    let inode = link.to_str().and_then(number);
    inode.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
