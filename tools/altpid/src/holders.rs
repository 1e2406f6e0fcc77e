// SPDX-License-Identifier: GPL-2.0

//! Who holds a world.
//!
//! A world has no name in the file system: it lives as long as somebody has its descriptor open.
//! Which processes do is found in `/proc`, where the module shows a world's number with each
//! descriptor; one that another process has is duplicated with pidfd_getfd(2).

use crate::{
    types::{Error, Reason, Result},
    world::World,
};
use rustix::{
    fd::OwnedFd,
    io::Errno,
    process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open},
};
use std::{fs, path::Path};

/// A descriptor of a world, in some process.
///
/// # Examples
///
/// ```no_run
/// use altpid::{World, holders::holders};
/// use std::path::Path;
///
/// for holder in holders(Path::new("/proc")) {
///     println!("world {} is held by {}", holder.world, holder.pid);
///     let world = World::held_by(holder.pid, holder.fd)?;
///     println!("{} tasks", world.info()?.tasks);
/// }
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The number of the world, counted from 0 since the module was loaded.
    pub world: u64,
    /// The process.
    pub pid: i32,
    /// Its descriptor.
    pub fd: i32,
    /// The name of the process.
    pub comm: Vec<u8>,
    /// Tasks in the world, zombies among them.
    pub tasks: u64,
    /// Zombies.
    pub zombies: u64,
    /// Namespaces.
    pub namespaces: u64,
    /// How many events there have been.
    pub events: u64,
}

/// The numbers that are file names in a directory, in order.
fn numbers(directory: &Path) -> Vec<i32> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut numbers: Vec<i32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}

/// What the fdinfo of a descriptor says, if it is one of a world.
fn parse(pid: i32, fd: i32, comm: &[u8], fdinfo: &str) -> Option<Holder> {
    let value = |name: &str| -> Option<u64> {
        let mut lines = fdinfo.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.trim().parse().ok()
    };
    Some(Holder {
        world: value("world")?,
        pid,
        fd,
        comm: comm.to_owned(),
        tasks: value("tasks")?,
        zombies: value("zombies")?,
        namespaces: value("namespaces")?,
        events: value("events")?,
    })
}

/// The descriptors of worlds that a process has, by the `/proc` it is in.
pub fn holders_in(proc: &Path, pid: i32) -> Vec<Holder> {
    let home = proc.join(pid.to_string());
    let mut comm = fs::read(home.join("comm")).unwrap_or_default();
    comm.truncate(comm.trim_ascii_end().len());
    let of_fd = |fd: i32| {
        let text = fs::read_to_string(home.join("fdinfo").join(fd.to_string())).ok()?;
        parse(pid, fd, &comm, &text)
    };
    let fds = numbers(&home.join("fdinfo"));
    fds.into_iter().filter_map(of_fd).collect()
}

/// All descriptors of worlds in the processes that `/proc` shows, as far as the caller may look.
pub fn holders(proc: &Path) -> Vec<Holder> {
    let pids = numbers(proc).into_iter();
    pids.flat_map(|pid| holders_in(proc, pid)).collect()
}

impl World {
    /// The world that a descriptor of the device is one of.
    ///
    /// # Errors
    ///
    /// `ENOTTY` for another kind of file.
    pub fn from_fd(fd: OwnedFd) -> Result<Self> {
        let world = Self::new(fd);
        world.info()?;
        Ok(world)
    }

    /// The world of a descriptor that another process has. The world lives on if that process
    /// closes it or ends.
    ///
    /// # Errors
    ///
    /// `ESRCH` for no such process, `EBADF` for no such descriptor, `EPERM` for whom the caller
    /// could not trace, `ENOTTY` for another kind of file.
    pub fn held_by(pid: i32, fd: i32) -> Result<Self> {
        let failed = |verb| {
            move |errno| Error {
                verb,
                errno,
                reason: Reason::default(),
            }
        };
        let process = Pid::from_raw(pid).ok_or_else(|| failed("pidfd_open")(Errno::SRCH))?;
        let process = pidfd_open(process, PidfdFlags::empty()).map_err(failed("pidfd_open"))?;
        let fd = pidfd_getfd(&process, fd, PidfdGetfdFlags::empty());
        Self::from_fd(fd.map_err(failed("pidfd_getfd"))?)
    }
}
