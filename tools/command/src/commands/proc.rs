// SPDX-License-Identifier: GPL-2.0

//! `altpid proc`

use crate::place::{self, Place};
use altpid::{World, view::View};
use anyhow::{Context, Result};
use rustix::{
    fd::{AsFd, AsRawFd},
    mount::{MountFlags, MountPropagationFlags, mount, mount_change},
    thread::{UnshareFlags, unshare_unsafe},
};
use std::{
    ffi::CString,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The file system of the module.
const TYPE: &str = "altpid_proc";

/// Mount the /proc of a world
///
/// It shows the processes of one namespace by the numbers that they have there: as proc(5) does, and not
/// only members but tasks without a process behind them as well. Unmount it with umount(8). It does not
/// keep the world, and is empty when that has ended.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  altpid proc /mnt && ls /mnt\n  altpid proc /mnt --world 3 --in ns:2"
)]
pub struct Args {
    /// The directory to mount it on
    #[arg(value_name = "MOUNTPOINT")]
    at: PathBuf,
    /// As this namespace sees it: its inode, as 4026532201, or ns:3; without it that of level 0
    #[arg(long = "in", value_name = "NS")]
    ns: Option<String>,
    #[command(flatten)]
    place: Place,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let world: World = self.place.world()?;
        let mut options = format!("fd={}", world.as_fd().as_raw_fd());
        if let Some(name) = &self.ns {
            let ns = place::namespace(&View::of_namespaces(&world)?, name)?;
            options += &format!(",ns={}", ns.0);
        }
        let options = CString::new(options)?;
        mount_at(&self.at, Some(&options))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn mount_at(at: &Path, options: Option<&CString>) -> Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let options = options.map(CString::as_c_str);
    mount("proc", at, TYPE, flags, options).with_context(|| at.display().to_string())
}

/// The calling process, which is a member of a world, has its own /proc there from now on, in a mount
/// namespace of its own.
#[expect(unsafe_code, reason = "a mount namespace of its own")]
pub fn mount_own() -> Result<()> {
    // SAFETY: It has no descriptors or memory to do with.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }.context("a new mount namespace")?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).context("/")?;
    mount_at(Path::new("/proc"), None)
}
