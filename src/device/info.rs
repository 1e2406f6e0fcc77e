// SPDX-License-Identifier: GPL-2.0

//! What a world holds, for people: a file for each world in debugfs, and the fdinfo of its
//! descriptors.

use super::debugfs::{self, File};
use crate::{world::hold, world::World};
use kernel::{
    fmt,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    str::CString,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, //
    },
};

kernel::sync::global_lock! {
    // SAFETY: Initialized in `Directory::new`, before the device is there.
    unsafe(uninit) static DIRECTORY: Mutex<Option<debugfs::Directory<World>>> = None;
}

/// Worlds opened so far: the number of the next.
static OPENED: Atomic<u64> = Atomic::new(0);

/// The module's directory in debugfs, as long as this is there.
pub(crate) struct Directory(());

impl Directory {
    /// Makes the directory. Called once.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub(crate) fn new(module: &'static ThisModule) -> Result<Self> {
        // SAFETY: Called once, when the module is loaded.
        unsafe { DIRECTORY.init() };
        *DIRECTORY.lock() = Some(debugfs::Directory::new(c"altpid", module)?);
        Ok(Self(()))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        *DIRECTORY.lock() = None;
    }
}

/// The number of a new world, and the world with its file in debugfs. May sleep.
///
/// # Errors
///
/// `ENOMEM`
pub(super) fn number_and_file(world: Arc<World>) -> Result<(u64, File<World>)> {
    let number = OPENED.fetch_add(1u64, Relaxed);
    let name = CString::try_from_fmt(fmt!("{number}"))?;
    let file = match &*DIRECTORY.lock() {
        Some(directory) => directory.file(&name, world),
        // Not as long as there is a device.
        None => File::nowhere(world),
    };
    Ok((number, file))
}

/// What a world holds, a line each, in the form of fdinfo.
impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.describe();
        writeln!(f, "tasks:\t{}", info.tasks)?;
        writeln!(f, "zombies:\t{}", info.zombies)?;
        writeln!(f, "namespaces:\t{}", info.namespaces)?;
        writeln!(f, "pidfds:\t{}", info.pidfds)?;
        writeln!(f, "events:\t{}", self.events())?;
        writeln!(f, "max_tasks:\t{}", info.max_tasks)?;
        writeln!(f, "max_namespaces:\t{}", info.max_namespaces)?;
        writeln!(f, "max_pidfds:\t{}", info.max_pidfds)?;
        writeln!(f, "max_events:\t{}", self.max_events())
    }
}

/// Adds the number of a world and what it holds to the fdinfo of a descriptor of it, and for the module as
/// a whole the longest hold of a tree lock.
pub(super) fn show_fdinfo(number: u64, world: &World, m: &SeqFile) {
    seq_print!(m, "world:\t{number}\n{world}");
    if let Some((steps, at)) = hold::longest() {
        seq_print!(m, "max_hold:\t{steps} {}:{}\n", at.file(), at.line());
    }
    seq_print!(m, "hold_bound:\t{}\n", hold::BOUND);
}
