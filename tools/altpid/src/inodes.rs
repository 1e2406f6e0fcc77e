// SPDX-License-Identifier: GPL-2.0

//! One name for a namespace, from the capture to the restored world.
//!
//! The namespaces of a world have ids, those of a machine inodes. Whoever restores a tree and keeps its
//! world publishes which inode each namespace had, in a file of its own that lives as long as its
//! process has it; whoever looks at that world finds it there.

use crate::{
    holders::{Holder, holders},
    types::NsId,
    world::World,
};
use rustix::{
    fd::{AsFd, AsRawFd, OwnedFd},
    fs::{MemfdFlags, memfd_create},
};
use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// What the file is called, as `/proc/PID/fd` shows it.
const NAME: &str = "altpid-inodes";

impl World {
    /// The number of this world, counted from 0 since the module was loaded, as its descriptor shows it;
    /// none when `/proc` is not there.
    pub fn number(&self) -> Option<u64> {
        let fd = self.as_fd().as_raw_fd();
        let fdinfo = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
        let mut lines = fdinfo.lines();
        let number = lines.find_map(|line| line.strip_prefix("world:"))?;
        number.trim().parse().ok()
    }
}

/// Publishes the inodes that the namespaces of a world had. They are found as long as this process has
/// the file open.
///
/// # Errors
///
/// Those of memfd_create(2), and `ENOENT` when the world's number cannot be read.
pub fn publish(world: &World, inodes: &HashMap<NsId, u64>) -> io::Result<OwnedFd> {
    let number = world.number().ok_or(io::ErrorKind::NotFound)?;
    let mut text = format!("world {number}\n");
    for (NsId(id), inode) in inodes {
        text += &format!("{id} {inode}\n");
    }
    let mut file = File::from(memfd_create(NAME, MemfdFlags::CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    Ok(file.into())
}

/// The inodes of a world's namespaces, by id; empty when no process that holds the world has published
/// any, or it may not be looked at.
pub fn of_world(proc: &Path, world: &World) -> HashMap<NsId, u64> {
    let Some(number) = world.number() else {
        return HashMap::new();
    };
    let holders = holders(proc).into_iter();
    let mut found = holders
        .filter(|holder| holder.world == number)
        .filter_map(|holder| published(proc, &holder));
    found.next().unwrap_or_default()
}

fn published(proc: &Path, holder: &Holder) -> Option<HashMap<NsId, u64>> {
    let fds = fs::read_dir(proc.join(holder.pid.to_string()).join("fd")).ok()?;
    let is_one = |path: &Path| {
        let link = fs::read_link(path).unwrap_or_default();
        let name = link.to_string_lossy();
        name.strip_prefix("/memfd:")
            .is_some_and(|name| name.split(' ').next() == Some(NAME))
    };
    let paths = fds.flatten().map(|entry| entry.path());
    let texts = paths
        .filter(|path| is_one(path))
        .filter_map(|path| fs::read_to_string(path).ok());
    texts.filter_map(|text| parse(&text, holder.world)).next()
}

/// What the file of a world says.
fn parse(text: &str, world: u64) -> Option<HashMap<NsId, u64>> {
    let mut lines = text.lines();
    let number = lines.next()?.strip_prefix("world ")?;
    (number.parse() == Ok(world)).then_some(())?;
    let pair = |line: &str| {
        let (id, inode) = line.split_once(' ')?;
        Some((NsId(id.parse().ok()?), inode.parse().ok()?))
    };
    lines.map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_read() {
        let all = parse("world 3\n1 4026531836\n7 4026532201\n", 3);
        let wanted = HashMap::from([(NsId(1), 4026531836), (NsId(7), 4026532201)]);
        assert_eq!(all, Some(wanted));
        for (text, world) in [
            ("world 3\n", 4),
            ("", 0),
            ("world x\n", 0),
            ("world 3\n1\n", 3),
        ] {
            assert_eq!(parse(text, world), None, "{text}");
        }
    }
}
