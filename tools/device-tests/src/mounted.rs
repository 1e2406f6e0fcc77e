// SPDX-License-Identifier: GPL-2.0

//! Mounts of the /proc of a world.

use altpid::World;
use rustix::{
    fd::{AsFd, AsRawFd},
    io::Errno,
    mount::{MountFlags, UnmountFlags, mount, unmount},
};
use std::{
    collections::BTreeSet,
    ffi::CString,
    fs,
    path::{Path, PathBuf},
    process::id,
    sync::atomic::{AtomicU32, Ordering},
};

/// A mount of a world's /proc, on a directory of its own.
pub struct Mount(PathBuf);

impl Mount {
    /// That of a world, with more options.
    ///
    /// # Panics
    ///
    /// When that cannot be.
    pub fn new(world: &World, more: &str) -> Self {
        Self::with(&format!("fd={}{more}", world.as_fd().as_raw_fd())).expect("mount")
    }

    /// With these options.
    ///
    /// # Errors
    ///
    /// What mount(2) says.
    ///
    /// # Panics
    ///
    /// When there is no directory to be had for it.
    pub fn with(options: &str) -> Result<Self, Errno> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let at = std::env::temp_dir().join(format!("altpid-proc-{}-{number}", id()));
        fs::create_dir(&at).expect("a directory");
        let options = CString::new(options).expect("options");
        let mount = Self(at);
        let done = mount_on(&mount.0, &options);
        done.map(|()| mount)
    }

    /// What somebody else mounts on a directory, which goes with this.
    pub fn at(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where a file is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What a file has in it.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The processes that it shows.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    pub fn processes(&self) -> BTreeSet<i32> {
        let names = fs::read_dir(&self.0).expect("a directory");
        names
            .filter_map(|entry| entry.expect("an entry").file_name().to_str()?.parse().ok())
            .collect()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Detached: what is open in there a child that another thread forks has for a moment too.
        let _ = unmount(&self.0, UnmountFlags::DETACH);
        let _ = fs::remove_dir(&self.0);
    }
}

fn mount_on(at: &Path, options: &CString) -> Result<(), Errno> {
    mount(
        "proc",
        at,
        "altpid_proc",
        MountFlags::empty(),
        Some(options.as_c_str()),
    )
}
