// SPDX-License-Identifier: GPL-2.0

//! The interface as C has it.

use altpid::uapi;
use altpid_device_tests::{
    Fixture,
    command::{COMMANDS, Command},
    raw::{self, PAGE, Region},
};
use rustix::io::Errno;
use std::{collections::BTreeMap, env, fs, os::unix::fs::PermissionsExt, path::PathBuf, process};

/// `c/program32.c`
const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/program32"));

/// Where the device is.
fn device() -> PathBuf {
    env::var_os("ALTPID_DEVICE").map_or_else(|| "/dev/altpid".into(), PathBuf::from)
}

/// Issues a command by a number and with a size that are not those of the table, and says what the
/// module returns.
fn issue(name: &str, number: u32, size: usize) -> Result<(), Errno> {
    let world = Fixture::new();
    let room = Region::with_room(PAGE);
    let mut request = Command::named(name).request(&world, &room);
    request.command.number = number;
    request.resize(size as u32);
    request.send(&world).map(drop)
}

#[test]
fn c_rust_and_the_module_agree_on_numbers_and_sizes() {
    let in_rust: BTreeMap<_, _> = COMMANDS
        .iter()
        .map(|command| {
            (
                command.name.to_owned(),
                (command.number, command.size as u32),
            )
        })
        .collect();
    let in_c: BTreeMap<_, _> = raw::c_commands()
        .into_iter()
        .map(|(name, number, size)| (name, (number, size)))
        .collect();
    assert_eq!(in_c, in_rust);
    assert_eq!(in_c.len(), COMMANDS.len());
    for (name, (number, size)) in in_c {
        assert_eq!(issue(&name, number, size as usize), Ok(()), "{name}");
    }
}

#[test]
fn numbers_and_sizes_are_those_that_were_published() {
    let published: &[(&str, u32, usize)] = &[
        ("WORLD", 0xb900, 80),
        ("CLONE", 0xb901, 64),
        ("UNSHARE", 0xb902, 32),
        ("SETNS", 0xb903, 24),
        ("EXIT", 0xb904, 24),
        ("WAIT", 0xb905, 40),
        ("SETSID", 0xb906, 16),
        ("SETPGID", 0xb907, 24),
        ("SET_NAME", 0xb908, 32),
        ("KILL", 0xb909, 48),
        ("SIGACTION", 0xb90a, 24),
        ("SIGPROCMASK", 0xb90b, 24),
        ("SIGWAIT", 0xb90c, 48),
        ("EXEC", 0xb90d, 32),
        ("PRCTL", 0xb90e, 24),
        ("REBOOT", 0xb90f, 16),
        ("WAITID", 0xb910, 48),
        ("PIDFD_OPEN", 0xb911, 40),
        ("PIDFD_CLOSE", 0xb912, 16),
        ("POLL", 0xb913, 24),
        ("TASK", 0xb940, 616),
        ("NS", 0xb941, 56),
        ("NS_SET", 0xb942, 24),
        ("FIND", 0xb943, 40),
        ("TRANSLATE", 0xb944, 32),
        ("LIST", 0xb945, 40),
        ("AUDIT", 0xb946, 152),
        ("SIGNALS", 0xb947, 80),
        ("FAILURE", 0xb948, 16),
        ("PIDFD_INFO", 0xb949, 208),
        ("NS_GET", 0xb94a, 40),
        ("BATCH", 0xb980, 24),
    ];
    let found: Vec<_> = COMMANDS
        .iter()
        .map(|command| (command.name, command.number, command.first_size()))
        .collect();
    assert_eq!(found, published);
    for &(name, number, size) in published {
        assert_eq!(issue(name, number, size), Ok(()), "{name}");
        let shorter = issue(name, number, size - 1);
        assert_eq!(shorter, Err(Errno::INVAL), "{name}, shorter");
    }
}

#[test]
fn a_32_bit_program_drives_the_device() {
    let world = Fixture::new();
    let mut clone = uapi::altpid_clone {
        size: size_of::<uapi::altpid_clone>() as u32,
        exit_signal: libc::SIGCHLD,
        task: world.init.0,
        ..Default::default()
    };
    raw::call_32_bit(&world, uapi::ALTPID_CMD_CLONE, &mut clone).expect("clone");
    assert_eq!(clone.pid, 2);
    let mut task = uapi::altpid_task {
        size: size_of::<uapi::altpid_task>() as u32,
        task: clone.child,
        ..Default::default()
    };
    raw::call_32_bit(&world, uapi::ALTPID_CMD_TASK, &mut task).expect("task");
    assert_eq!((task.parent, task.pid[0]), (world.init.0, 2));
    task.task = u64::MAX;
    let refused = raw::call_32_bit(&world, uapi::ALTPID_CMD_TASK, &mut task);
    assert_eq!(refused, Err(Errno::SRCH));
}

/// One that is a 32-bit program through and through; its exit status is the line that did not hold.
#[test]
fn a_32_bit_binary_drives_the_device() {
    let program = env::temp_dir().join(format!("altpid-program32-{}", process::id()));
    fs::write(&program, PROGRAM).expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("chmod");
    let status = process::Command::new(&program).arg(device()).status();
    fs::remove_file(&program).expect("unlink");
    let status = status.expect("a kernel for 32-bit programs");
    assert_eq!(status.code(), Some(0), "a line of c/program32.c");
}

#[test]
fn a_c_program_drives_the_device() {
    raw::c_drive(&device()).expect("what C expects");
}
