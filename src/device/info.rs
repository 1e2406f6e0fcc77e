// SPDX-License-Identifier: GPL-2.0

//! What a world holds, for people: a file for each world in debugfs, and the fdinfo of its
//! descriptors.

use crate::{hold, world::World};
use kernel::{
    debugfs::Dir,
    fmt,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    str::CString,
    sync::atomic::{Atomic, Relaxed},
};

kernel::sync::global_lock! {
    // SAFETY: Initialized in `Directory::new`, before the device is there.
    unsafe(uninit) static DIRECTORY: Mutex<Option<Dir>> = None;
}

/// Worlds opened so far: the number of the next.
static OPENED: Atomic<u64> = Atomic::new(0);

/// The module's directory in debugfs, as long as this is there.
pub(crate) struct Directory;

impl Directory {
    /// Makes the directory. Called once.
    pub(crate) fn new() -> Self {
        // SAFETY: Called once, when the module is loaded.
        unsafe { DIRECTORY.init() };
        *DIRECTORY.lock() = Some(Dir::new(c"altpid"));
        Self
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        *DIRECTORY.lock() = None;
    }
}

/// The number of a new world, the module's directory, and the name of the world's file in it.
pub(super) fn new_file() -> Result<(u64, Dir, CString)> {
    let directory = DIRECTORY.lock().clone().ok_or(ENODEV)?;
    let number = OPENED.fetch_add(1u64, Relaxed);
    let name = CString::try_from_fmt(fmt!("{number}"))?;
    Ok((number, directory, name))
}

/// Writes what a world holds, a line each, in the form of fdinfo.
pub(super) fn show(world: &World, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let info = world.describe();
    writeln!(f, "tasks:\t{}", info.tasks)?;
    writeln!(f, "zombies:\t{}", info.zombies)?;
    writeln!(f, "namespaces:\t{}", info.namespaces)?;
    writeln!(f, "pidfds:\t{}", info.pidfds)?;
    writeln!(f, "events:\t{}", world.events())?;
    writeln!(f, "max_tasks:\t{}", info.max_tasks)?;
    writeln!(f, "max_namespaces:\t{}", info.max_namespaces)?;
    writeln!(f, "max_pidfds:\t{}", info.max_pidfds)?;
    writeln!(f, "max_events:\t{}", world.max_events())
}

/// A world to be written by [`show`].
struct Shown<'a>(&'a World);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, f)
    }
}

/// Adds the number of a world and what it holds to the fdinfo of a descriptor of it, and for the module as
/// a whole the longest hold of a tree lock.
pub(super) fn show_fdinfo(number: u64, world: &World, m: &SeqFile) {
    seq_print!(m, "world:\t{number}\n{}", Shown(world));
    if let Some((steps, at)) = hold::longest() {
        seq_print!(m, "max_hold:\t{steps} {}:{}\n", at.file(), at.line());
    }
    seq_print!(m, "hold_bound:\t{}\n", hold::BOUND);
}
