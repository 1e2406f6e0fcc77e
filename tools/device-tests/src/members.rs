// SPDX-License-Identifier: GPL-2.0

//! Real programs in a world: `altpid exec`.

use crate::{command_line, raw};
use altpid::{PidType, TaskId, World};
use rustix::fd::{AsFd, AsRawFd};
use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, ExitStatus, id},
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

/// Whether this kernel can have members: one with PREEMPT_RT cannot.
///
/// # Panics
///
/// When the kernel does not say which it is.
pub fn has_members() -> bool {
    let version = fs::read_to_string("/proc/sys/kernel/version").expect("a version");
    !version.contains("PREEMPT_RT")
}

/// The task with a number at level 0.
///
/// # Panics
///
/// When there is none.
pub fn numbered(world: &World, nr: i32) -> TaskId {
    let root = world.info().expect("info").root_ns;
    world.find(root, nr, PidType::Pid).expect("a task")
}

/// `altpid exec` in a world, with these arguments.
pub fn exec(world: &World, args: &[&str]) -> Command {
    let fd = world.as_fd().as_raw_fd().to_string();
    let mut command = command_line::altpid(&["exec", "--fd", fd.as_str()]);
    command.args(args);
    raw::hand_down(&mut command, world);
    command
}

/// Runs `members ARGS` in a world and does something meanwhile.
///
/// # Panics
///
/// When it cannot be run.
pub fn run(world: &World, args: &[&str], meanwhile: impl FnOnce(&Child)) -> ExitStatus {
    let program = program();
    let mut child = exec(world, &["--", program])
        .args(args)
        .spawn()
        .expect("it runs");
    meanwhile(&child);
    child.wait().expect("its end")
}

/// A process outside of all worlds, which no signal for a member may reach: it has to be alive when this is
/// dropped.
pub struct Bystander(Child);

impl Bystander {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// When there is no such program.
    #[expect(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Command::new("sleep").arg("100000").spawn().expect("sleep"))
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let ended = self.0.try_wait().expect("a child");
        let _ = self.0.kill();
        let _ = self.0.wait();
        assert_eq!(ended, None, "a signal has gone astray");
    }
}
