// SPDX-License-Identifier: GPL-2.0

//! Real programs in a world: `altpid exec`.

use crate::{command_line, raw};
use altpid::World;
use rustix::fd::{AsFd, AsRawFd};
use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    process::{Command, id},
    sync::OnceLock,
};

/// The program `c/members`, in a file.
///
/// # Panics
///
/// When there is no room for the file.
pub fn program() -> &'static str {
    const BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/members"));
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        let path = env::temp_dir().join(format!("altpid-members-{}", id()));
        fs::write(&path, BYTES).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod");
        path.into_os_string().into_string().expect("a name")
    })
}

/// Whether this kernel cannot have members at all: one with PREEMPT_RT.
///
/// # Panics
///
/// When the kernel does not say which it is.
pub fn are_refused() -> bool {
    let version = fs::read_to_string("/proc/sys/kernel/version").expect("a version");
    version.contains("PREEMPT_RT")
}

/// `altpid exec` in a world, with these arguments.
pub fn exec(world: &World, args: &[&str]) -> Command {
    let fd = world.as_fd().as_raw_fd().to_string();
    let mut command = command_line::altpid(&["exec", "--fd", fd.as_str()]);
    command.args(args);
    raw::hand_down(&mut command, world);
    command
}
