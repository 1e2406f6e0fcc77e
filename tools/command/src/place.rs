// SPDX-License-Identifier: GPL-2.0

//! Which world a verb is about, and whom in it.
//!
//! A world lives as long as its descriptor, so that the one to look at is held by some process:
//! that is named, or the world's number, or it is the only one there is.

use crate::{input::read_snapshot, output::Hinted};
use altpid::{
    NsId, Task, TaskId, World,
    holders::{Holder, holders},
    inodes,
    snapshot::{PID_MAX_LIMIT, Snapshot},
    view::View,
};
use anyhow::{Context, Result, bail};
use rustix::io::Errno;
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

/// Names the descriptor that `altpid hold` hands down.
pub const FD_VARIABLE: &str = "ALTPID_FD";

/// The options that choose a world.
#[derive(clap::Args, Default)]
#[group(multiple = false)]
#[command(next_help_heading = "Which world")]
pub struct Place {
    /// The world with this number, as "altpid worlds" shows it
    #[arg(short, long, value_name = "NUMBER")]
    world: Option<u64>,
    /// The world that this process holds, with its descriptor if it holds several
    #[arg(short, long, value_name = "PID[:FD]", value_parser = target)]
    target: Option<(i32, Option<i32>)>,
    /// The world of a descriptor that this command has inherited
    #[arg(long, value_name = "FD", env = FD_VARIABLE)]
    fd: Option<i32>,
}

/// The options that choose what to look at.
#[derive(clap::Args)]
pub struct Sight {
    #[command(flatten)]
    place: Place,
    /// This snapshot, - for standard input, instead of a world
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["world", "target"])]
    snapshot: Option<PathBuf>,
}

fn target(text: &str) -> Result<(i32, Option<i32>), String> {
    let number = |text: &str| text.parse().map_err(|error| format!("{error}: {text}"));
    match text.split_once(':') {
        Some((pid, fd)) => Ok((number(pid)?, Some(number(fd)?))),
        None => Ok((number(text)?, None)),
    }
}

/// Makes a world.
pub fn open_world() -> Result<World> {
    let device = || World::device().display().to_string();
    let world = World::open().with_context(device)?;
    match world.info() {
        Err(error) if error.errno == Errno::NOTTY => Err(Hinted::failure(
            format!("{}: this is not the device of altpid", device()),
            "ALTPID_DEVICE says which one to open; without it, it is /dev/altpid",
        )),
        info => info.map(|_| world).with_context(device),
    }
}

/// A world that was chosen, and what its namespaces are called.
pub struct Chosen {
    /// The world.
    pub world: World,
    /// The inodes of its namespaces, if it is a restored one, by id.
    pub inodes: HashMap<NsId, u64>,
}

impl Chosen {
    /// What is in it.
    pub fn view(&self) -> Result<View> {
        Ok(View::of_world(&self.world)?.with_inodes(self.inodes.clone()))
    }

    /// Its namespaces.
    pub fn namespaces(&self) -> Result<View> {
        Ok(View::of_namespaces(&self.world)?.with_inodes(self.inodes.clone()))
    }

    /// It as a snapshot.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut snapshot = Snapshot::of_world(&self.world)?;
        snapshot.relabel(&self.inodes);
        Ok(snapshot)
    }
}

/// The processes of this machine.
const PROC: &str = "/proc";

impl Place {
    /// Whether a world was named, be it by the environment.
    pub fn is_given(&self) -> bool {
        self.world.is_some() || self.target.is_some() || self.fd.is_some()
    }

    /// Whether a world was named on the command line.
    pub fn is_named(&self) -> bool {
        self.world.is_some() || self.target.is_some()
    }

    /// The world that was chosen, or a new one if none was named on the command line.
    pub fn world_or_new(&self) -> Result<World> {
        match self.is_named() {
            true => self.world(),
            false => open_world(),
        }
    }

    /// The world that was chosen, and what its namespaces are called.
    pub fn chosen(&self) -> Result<Chosen> {
        let world = self.world()?;
        let inodes = inodes::of_world(Path::new(PROC), &world);
        Ok(Chosen { world, inodes })
    }

    /// The world that was chosen.
    pub fn world(&self) -> Result<World> {
        // `fd` last: it may come from the environment, and the others from the command line.
        if let Some(number) = self.world {
            return by_number(number);
        }
        if let Some((pid, fd)) = self.target {
            return by_process(pid, fd);
        }
        if let Some(fd) = self.fd {
            let own = i32::try_from(std::process::id())?;
            return World::held_by(own, fd).with_context(|| format!("descriptor {fd}"));
        }
        the_only_one()
    }
}

impl Sight {
    /// What is to be looked at; with the world, unless it is a snapshot.
    pub fn look(&self) -> Result<(Option<Chosen>, View)> {
        if self.file(None).is_some() {
            return Ok((None, self.view()?));
        }
        let chosen = self.place().chosen()?;
        let view = chosen.view()?;
        Ok((Some(chosen), view))
    }

    /// What is to be seen.
    pub fn view(&self) -> Result<View> {
        self.view_or(None)
    }

    /// Likewise, with a snapshot that was given by itself.
    pub fn view_or(&self, file: Option<&Path>) -> Result<View> {
        match self.file(file) {
            Some(path) => Ok(View::of_snapshot(&read_snapshot(path)?)),
            None => self.place.chosen()?.view(),
        }
    }

    /// The snapshot to look at, if it is none given by itself.
    pub fn file<'a>(&'a self, file: Option<&'a Path>) -> Option<&'a Path> {
        self.snapshot.as_deref().or(file)
    }

    /// The options that choose a world.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

/// The world that one of these can give; there is at least one of them.
fn first(holders: &[Holder]) -> Result<World> {
    let mut last = None;
    for holder in holders {
        match World::held_by(holder.pid, holder.fd) {
            Ok(world) => return Ok(world),
            Err(error) => last = Some((holder, error)),
        }
    }
    match last {
        Some((holder, error)) => {
            Err(error).with_context(|| format!("world {} of process {}", holder.world, holder.pid))
        }
        None => bail!("nobody holds a world"),
    }
}

fn by_number(number: u64) -> Result<World> {
    let mut all = holders(Path::new(PROC));
    all.retain(|holder| holder.world == number);
    if all.is_empty() {
        return Err(Hinted::failure(
            format!("world {number}: no process holds it"),
            "\"altpid worlds\" lists those that are held",
        ));
    }
    first(&all)
}

fn by_process(pid: i32, fd: Option<i32>) -> Result<World> {
    if let Some(fd) = fd {
        return World::held_by(pid, fd).with_context(|| format!("process {pid}, descriptor {fd}"));
    }
    let mut all = holders(Path::new(PROC));
    all.retain(|holder| holder.pid == pid);
    match by_world(&all).len() {
        0 => bail!("process {pid}: it holds no world, or may not be looked at"),
        1 => first(&all),
        _ => Err(several(
            &all,
            &format!("process {pid}: it holds several worlds"),
        )),
    }
}

fn the_only_one() -> Result<World> {
    let all = holders(Path::new(PROC));
    match by_world(&all).len() {
        0 => Err(Hinted::failure(
            "no process holds a world".into(),
            "a world lives as long as somebody has it open: \"altpid hold\" keeps one",
        )),
        1 => first(&all),
        _ => Err(several(&all, "several worlds are held")),
    }
}

fn by_world(holders: &[Holder]) -> BTreeMap<u64, &Holder> {
    holders
        .iter()
        .rev()
        .map(|holder| (holder.world, holder))
        .collect()
}

fn several(holders: &[Holder], what: &str) -> anyhow::Error {
    let worlds = by_world(holders);
    let some: Vec<_> = worlds
        .iter()
        .take(5)
        .map(|(world, holder)| {
            let comm = String::from_utf8_lossy(&holder.comm);
            format!("{world} by {} ({comm})", holder.pid)
        })
        .collect();
    let more = if worlds.len() > some.len() {
        ", …"
    } else {
        ""
    };
    Hinted::failure(
        format!("{what}: {}{more}", some.join(", ")),
        "choose one with --world NUMBER; \"altpid worlds\" lists them",
    )
}

/// A task as one types it: `4213`, its number at level 0; `4213/17/1`, its numbers at all levels;
/// `17@3`, its number in a namespace; `task:5`, its id.
pub fn task<'a>(view: &'a View, text: &str) -> Result<&'a Task> {
    let found = match text.split_once(['@', ':']) {
        Some(("task", id)) => view.task(TaskId(number(id)?)),
        Some((nr, at)) if text.contains('@') => view.find(namespace(view, at)?, number(nr)?),
        Some(_) => {
            return Err(Hinted::usage(
                format!("{text}: not a task"),
                "a task is 4213, 4213/17/1, 17@3 or task:5",
            ));
        }
        None => {
            let numbers: Vec<i32> = text.split('/').map(number).collect::<Result<_>>()?;
            view.tasks
                .iter()
                .find(|task| task.pid.starts_with(&numbers))
                .filter(|task| numbers.len() == 1 || task.pid == numbers)
        }
    };
    found.ok_or_else(|| {
        Hinted::absent(
            format!("task {text}: there is none"),
            "\"altpid ls\" lists them; 17@3 is number 17 in namespace 3",
        )
    })
}

/// Whether what one types can only be a task: numbers at all levels, a number somewhere, or an id.
pub fn is_task(text: &str) -> bool {
    text.contains(['/', '@']) || text.starts_with("task:")
}

/// Whether what one types can only be a namespace: with `ns:`, or an inode, which no number of a task
/// is as large as.
pub fn is_namespace(text: &str) -> bool {
    let is_inode = |number: u64| number > PID_MAX_LIMIT.unsigned_abs().into();
    text.starts_with("ns:") || text.parse().is_ok_and(is_inode)
}

/// A namespace as one types it: its inode or, in a world that was not restored, its id; or `ns:` and
/// that.
pub fn namespace(view: &View, text: &str) -> Result<NsId> {
    let name: u64 = number(text.strip_prefix("ns:").unwrap_or(text))?;
    match view.named(name) {
        Some(ns) => Ok(ns.id),
        None => Err(Hinted::absent(
            format!("namespace {name}: there is none"),
            "\"altpid ls ns\" lists them",
        )),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| {
        Hinted::usage(
            format!("{text}: not a number"),
            "a task is 4213, 4213/17/1, 17@3 or task:5; a namespace is its number, or ns:3",
        )
    })
}
